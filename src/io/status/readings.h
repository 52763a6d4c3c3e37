#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "host/measures.h"
#include "io/loop.h"
#include "io/status/reading.h"

namespace muster::io {

// What a process counts, read on its loop's thread, whose roles are touched by nobody else.
class Readings {
 public:
  static constexpr std::chrono::milliseconds kPatience{500};

  // `loop` outlives it, and runs nothing when it goes.
  explicit Readings(Loop& loop) : loop_(loop) {}

  // From here on `take` is called on the loop's thread, until end(), which that thread calls.
  void begin(std::function<Reading()> take);
  void end();

  // As it is now, or, when the loop does not answer within kPatience, was when it last did; empty
  // before that. By one thread.
  [[nodiscard]] Reading read();

 private:
  void take();

  Loop& loop_;
  std::mutex mutex_;
  std::condition_variable taken_;
  std::function<Reading()> take_;
  bool is_asked_ = false;
  Reading last_;
};

}  // namespace muster::io
