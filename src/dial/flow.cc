#include "dial/flow.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>

namespace muster::dial {
namespace {

// One way, from one socket to the other.
class Flow {
 public:
  Flow(int from, int to) : from_(from), to_(to), bytes_(std::make_unique<Bytes>()) {}

  [[nodiscard]] bool is_empty() const { return begin_ == end_; }
  [[nodiscard]] bool reads() const { return is_empty() && !ended_; }
  // Nothing comes any more, and nothing is here.
  [[nodiscard]] bool is_over() const { return is_empty() && ended_; }
  [[nodiscard]] bool is_broken() const { return broken_; }

  void move() {
    if (reads()) read();
    if (!is_empty()) write();
  }

 private:
  using Bytes = std::array<char, 64u << 10>;
  static bool is_for_later() { return errno == EAGAIN || errno == EINTR; }
  void read() {
    const ssize_t count = ::recv(from_, bytes_->data(), bytes_->size(), 0);
    if (count < 0 && is_for_later()) return;
    ended_ = count <= 0;
    begin_ = 0;
    end_ = ended_ ? 0 : static_cast<size_t>(count);
  }
  void write() {
    const ssize_t count = ::send(to_, bytes_->data() + begin_, end_ - begin_, MSG_NOSIGNAL);
    if (count < 0) {
      broken_ = !is_for_later();
    } else {
      begin_ += static_cast<size_t>(count);
    }
  }

  const int from_, to_;
  std::unique_ptr<Bytes> bytes_;
  size_t begin_ = 0, end_ = 0;
  bool ended_ = false, broken_ = false;
};

}  // namespace

void carry_between(int near, int far, int stop) {
  Flow up(near, far), down(far, near);
  while (true) {
    const auto events = [](const Flow& in, const Flow& out) {
      return static_cast<short>((in.reads() ? POLLIN : 0) | (out.is_empty() ? 0 : POLLOUT));
    };
    const short of_far = events(down, up);
    // The near end is always looked at, for its end; a far one that is closed would be for ever.
    std::array<pollfd, 3> waits{
        {{near, events(up, down), 0}, {of_far != 0 ? far : -1, of_far, 0}, {stop, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    if (waits[2].revents != 0 || (waits[0].revents & (POLLHUP | POLLERR)) != 0) return;
    up.move();
    down.move();
    if (up.is_over() || up.is_broken() || down.is_over() || down.is_broken()) return;
  }
}

}  // namespace muster::dial
