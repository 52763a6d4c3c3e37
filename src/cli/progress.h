#pragma once

#include <chrono>
#include <string>

#include "wire/pb.h"

namespace muster::cli {

// What a researcher sees of a job under way, on stderr: a bar with rate and time left on a
// terminal that can draw, a plain line now and then elsewhere.
class ProgressView {
 public:
  ProgressView();
  // A new state of the job.
  void show(const pb::JobRow& row);
  // A sentence that stays.
  void say(const std::string& text);
  // Takes the bar away.
  void clear();

 private:
  [[nodiscard]] std::string bar(const pb::JobRow& row) const;
  [[nodiscard]] std::string rate(const pb::JobRow& row) const;

  bool terminal_;
  bool drawn_ = false;
  int64_t first_settled_ = -1, last_settled_ = -1;
  std::chrono::steady_clock::time_point first_at_{}, last_line_{};
  std::string last_reason_;
};

}  // namespace muster::cli
