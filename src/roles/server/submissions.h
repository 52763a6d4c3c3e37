#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "roles/role.h"

namespace muster::roles::server {

// A researcher's order, and the call that waits for its answer.
struct Submission {
  std::string client;
  pb::Submit submit;
  pb::Holder holder;  // Who orders.
};

// Orders that cannot be answered yet: a coordinator looks up which model is meant, or the job's row
// is being written and nothing is said before it is known what it says.
//
// A look-up is numbered above those of every server before, and answered by the coordinator that
// was asked; one that connects again is asked again. After kPinWait nobody waits for it any more.
// Orders that meet a row wait for it however long that takes.
//
// Bounds: kMostPinning look-ups, kMostAsking orders of one job; beyond, the first are refused (see
// has_room), and the others are not answered, so that their clients say them again.
class Submissions {
 public:
  static constexpr size_t kMostPinning = 1000, kMostAsking = 1000;
  static constexpr Duration kPinWait = seconds(60);

  explicit Submissions(uint64_t first_call) : next_call_(first_call) {}

  [[nodiscard]] bool has_room() const { return pinning_.size() < kMostPinning; }
  // Asks the coordinator. There is room (checked).
  void look_up(Instant now, const std::string& coordinator, Submission submission,
               Effects& effects);
  // What it was asked on its last line it answers no more.
  void ask_again(const std::string& coordinator, Effects& effects) const;
  // What waited for this look-up, once; none: this coordinator was not asked, or it came late.
  std::optional<Submission> take_pinned(const std::string& coordinator, uint64_t call);
  // Answers those that have waited too long; wakes for the next.
  void expire(Instant now, Effects& effects);

  // Its model is known, and the job's row is being written.
  void wait_for_row(const std::string& job, Submission submission);
  // The row is written, or not: those that waited, in the order they came.
  std::vector<Submission> take_waiting(const std::string& job);

  // Whom this token let in hears why his orders wait no more.
  void refuse(const std::string& token, const std::string& why, Effects& effects);
  // Nobody waits for the answer to this call any more.
  void hang_up(const std::string& client);
  [[nodiscard]] size_t size() const;
  // Looks at all of it (checked).
  void check() const;

 private:
  struct LookUp {
    std::string coordinator;
    Submission submission;
    Instant give_up_at{};
  };
  static void ask(uint64_t call, const LookUp& look_up, Effects& effects);

  std::map<uint64_t, LookUp> pinning_;  // By number of the look-up.
  uint64_t next_call_;
  std::map<std::string, std::vector<Submission>> asking_;  // By job; none of them empty.
};

}  // namespace muster::roles::server
