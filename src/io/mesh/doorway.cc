#include "io/mesh/doorway.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "identity/application.h"
#include "identity/greeting.h"

namespace muster::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSweepMs = 1000;

void watch(int poll, int fd, unsigned what) {
  epoll_event event{};
  event.events = what;
  event.data.fd = fd;
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

Doorway::Doorway(Doors doors)
    : doors_(std::move(doors)),
      poll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC)) {
  MUSTER_CHECK(poll_ >= 0 && wake_ >= 0);
  watch(poll_, wake_, EPOLLIN);
  thread_ = std::thread([this] { run(); });
}

Doorway::~Doorway() {
  eventfd_write(wake_, 1);
  thread_.join();
  for (const auto& [fd, since] : waiting_) ::close(fd);
  ::close(wake_);
  ::close(poll_);
}

void Doorway::take(int fd) {
  {
    std::lock_guard lock(mutex_);
    waiting_[fd] = Clock::now();
  }
  watch(poll_, fd, EPOLLIN | EPOLLRDHUP | EPOLLET);  // Whenever there is more of it.
}

void Doorway::run() {
  std::array<epoll_event, 64> events{};
  auto swept = Clock::now();
  while (true) {
    const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), kSweepMs);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == wake_) return;
      look(fd);
    }
    const auto now = Clock::now();
    if (now - swept < std::chrono::milliseconds(kSweepMs)) continue;
    swept = now;
    close_the_silent(now);
  }
}

void Doorway::look(int fd) {
  std::array<char, identity::kMostGreetingBytes> bytes;  // Not cleared: 16 KiB each time.
  const ssize_t count = recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  const auto close = [](int closed) { ::close(closed); };
  if (count <= 0) return let_go(fd, close);
  const auto heard = static_cast<size_t>(count);
  const auto name = identity::read_server_name({bytes.data(), heard});
  if (!name) return heard == bytes.size() ? let_go(fd, close) : void();
  let_go(fd, *name == identity::kDoorName ? doors_.join : doors_.pool);
}

void Doorway::let_go(int fd, const std::function<void(int fd)>& door) {
  {
    std::lock_guard lock(mutex_);
    waiting_.erase(fd);
  }
  epoll_ctl(poll_, EPOLL_CTL_DEL, fd, nullptr);
  door(fd);
}

void Doorway::close_the_silent(Instant now) {
  std::vector<int> silent;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [fd, since] : waiting_) {
      if (now - since >= kWait) silent.push_back(fd);
    }
  }
  for (const int fd : silent) let_go(fd, [](int closed) { ::close(closed); });
}

}  // namespace muster::io
