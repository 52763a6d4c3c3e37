#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "roles/role.h"

namespace muster::roles::server {

// How it goes with a job's coordinators: whether the present one has spoken, when it is to be said
// to again that the job is its, and how many in a row were lost as soon as they had it. A job over
// which every coordinator ends is not given to another for ever.
//
// One was lost so when it had not spoken, or had the job for less than kShortLived, and nothing
// more was settled meanwhile. That does not count once the very process is back: it had not ended,
// its line had closed.
class Tenure {
 public:
  static constexpr int kMostEndedEarly = 10;
  static constexpr Duration kShortLived = seconds(30);

  Tenure() = default;
  // Of a job that a server before had given to this one; empty: to none.
  explicit Tenure(std::string before) : before_(std::move(before)) {}
  // Who had it when this server started. Gets time to come back.
  [[nodiscard]] const std::string& before() const { return before_; }

  // The assignment is committed. So many items were settled then.
  void begin(Instant now, int64_t settled);
  // The coordinator has spoken under this assignment: it knows that the job is its.
  void note_heard() { heard_ = true; }
  [[nodiscard]] bool is_heard() const { return heard_; }

  // The line of this process has closed. So many items are settled now.
  void lose(Instant now, const std::string& machine, const std::string& instance, int64_t settled);
  // A process has come. It may be that one.
  void note_back(const std::string& machine, const std::string& instance);
  [[nodiscard]] int ended_early() const { return ended_early_; }
  [[nodiscard]] bool is_hopeless() const { return ended_early_ >= kMostEndedEarly; }

  // When the job is to be assigned, or the assignment said again.
  [[nodiscard]] Instant due() const { return due_; }
  void put_off(Instant now) { due_ = now + kRepeatEvery; }

 private:
  std::string before_;
  bool heard_ = false;
  Instant begun_{}, due_{};
  int64_t settled_before_ = 0;
  std::pair<std::string, std::string> lost_;  // The last one: {machine, instance}.
  int ended_early_ = 0;
};

}  // namespace muster::roles::server
