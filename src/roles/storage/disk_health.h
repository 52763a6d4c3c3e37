#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "roles/role.h"

namespace muster::roles::storage {

// Whether this machine's disk can be written, and what the server is told of it.
//
// A write that fails says so; so does a disk that owes an answer, to whatever, for kPatience: as
// far as anybody else can tell it cannot be written. While it cannot, the server is told again and
// again, and a test write of kProbeBytes tries whether there is room again. While the server
// believes so wrongly, it is told that it can.
class DiskHealth {
 public:
  static constexpr Duration kPatience = seconds(10);
  static constexpr uint64_t kProbeBytes = 64u << 20;

  [[nodiscard]] bool can_be_written() const { return problem_.empty(); }

  // A write failed. The console hears it the first time.
  void note_failure(Instant now, const std::string& why, Effects& effects);
  // It has answered, whatever; or this process stood still, so that nobody knows.
  void note_answer() { asked_.reset(); }
  // Whether it `owes` an answer for too long, and nobody has said so yet; wakes for that.
  [[nodiscard]] bool is_overdue(Instant now, bool owes, Effects& effects);

  // The server leaves this store out of the view, since it believes that it cannot be written.
  void set_excluded(bool excluded) { excluded_ = excluded; }
  enum class Probed { kNotMine, kInVain, kRecovered };
  // What became of a write: the test write's, or another's.
  Probed settle(const Stored& stored, Effects& effects);
  // Tells the server, and begins a test write under `next_write`, when each is due.
  void keep(Instant now, WriteId& next_write, Effects& effects);
  void tell(Effects& effects) const;
  [[nodiscard]] size_t pending() const { return probe_ != 0 ? 1 : 0; }

 private:
  std::string problem_;           // Why it cannot be written; empty: it can.
  uint64_t number_ = 0;           // Rises whenever that changes.
  bool excluded_ = false;         // The server believes that it cannot.
  std::optional<Instant> asked_;  // Since when it owes an answer.
  Instant tell_at_{}, probe_at_{};
  WriteId probe_ = 0;  // Under way.
};

}  // namespace muster::roles::storage
