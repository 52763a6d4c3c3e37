#include "dial/patience.h"

#include <poll.h>

#include <algorithm>

namespace muster::dial {

Patience::Waited Patience::wait(int socket, short events) const {
  using std::chrono::milliseconds;
  constexpr milliseconds kLook{200};  // How soon it is noticed that nobody wants it any more.
  while (!given_up_) {
    const auto left = std::chrono::duration_cast<milliseconds>(until_ - Clock::now());
    if (left.count() <= 0) return Waited::kTooLong;
    pollfd waits{socket, events, 0};
    if (poll(&waits, 1, static_cast<int>(std::min(kLook, left).count())) > 0) return Waited::kReady;
  }
  return Waited::kGivenUp;
}

}  // namespace muster::dial
