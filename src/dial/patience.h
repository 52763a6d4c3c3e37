#pragma once

#include <atomic>
#include <chrono>

namespace muster::dial {

// How long somebody waits for a socket that never blocks, all in all, and whether it is still
// wanted. Costs a look at `given_up` every fifth of a second.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  // `given_up` outlives the object.
  Patience(Clock::duration wait, const std::atomic<bool>& given_up)
      : given_up_(given_up), until_(Clock::now() + wait) {}

  // For one of `count` attempts that share what is left.
  [[nodiscard]] Patience part(size_t count) const {
    return {(until_ - Clock::now()) / static_cast<Clock::rep>(count), given_up_};
  }

  // Until the socket may be read or written: POLLIN, POLLOUT.
  enum class Waited { kReady, kTooLong, kGivenUp };
  [[nodiscard]] Waited wait(int socket, short events) const;

 private:
  const std::atomic<bool>& given_up_;
  Clock::time_point until_;
};

}  // namespace muster::dial
