#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"

namespace muster::io {

// Whether a daemon lives and is ready, as those ask who start it again, or send others to it.
//
// It lives while its loop moves. No peer and no database counts: what they lack no end cures. It is
// ready when it lives, has begun, was not told to end, and its conditions hold.
//
// Safe from any thread.
class Health {
 public:
  static constexpr Duration kMostStill = seconds(10);
  // Why it does not hold, in a sentence; empty: it does. Does not block.
  using Condition = std::function<std::string()>;

  // For how long the loop has been at one thing.
  explicit Health(std::function<Duration()> still_for) : still_for_(std::move(still_for)) {}

  // From here on it serves, whenever these hold. They are asked no more when end() returns.
  void begin(std::vector<Condition> conditions);
  // It will end. Nothing begins afterwards.
  void end();

  // Sentences; none: it lives, is ready.
  [[nodiscard]] std::vector<std::string> why_not_live() const;
  [[nodiscard]] std::vector<std::string> why_not_ready() const;

 private:
  enum class Phase { kStarting, kServing, kEnding };

  const std::function<Duration()> still_for_;
  mutable std::mutex mutex_;
  Phase phase_ = Phase::kStarting;
  std::vector<Condition> conditions_;
};

}  // namespace muster::io
