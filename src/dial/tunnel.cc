#include "dial/tunnel.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/digest.h"
#include "dial/flow.h"

namespace muster::dial {
namespace {

constexpr size_t kNameBytes = 16;
constexpr int kShortageMs = 50;  // No descriptor is free: whoever waits is still there then.

// Of an abstract name: behind a zero, and as long as the size says.
socklen_t fill(sockaddr_un& address, const std::string& name) {
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

bool is_of_this_process(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid == ::getpid();
}

}  // namespace

Result<std::unique_ptr<Tunnel>> Tunnel::open(Dialer& dialer) {
  std::string drawn(kNameBytes, '\0');
  const bool is_drawn = ::getrandom(drawn.data(), drawn.size(), 0) == kNameBytes;
  const std::string name = "muster-" + to_hex(drawn);
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Descriptor stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  sockaddr_un address{};
  const socklen_t size = fill(address, name);
  if (!is_drawn || stop.fd < 0 ||
      ::bind(listener.fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener.fd, SOMAXCONN) != 0) {
    return fail(Code::kFailed, std::string("no socket for a tunnel: ") + std::strerror(errno));
  }
  return std::unique_ptr<Tunnel>(new Tunnel(dialer, name, std::move(listener), std::move(stop)));
}

Tunnel::Tunnel(Dialer& dialer, std::string name, Descriptor listener, Descriptor stop)
    : dialer_(dialer),
      name_(std::move(name)),
      listener_(std::move(listener)),
      stop_(std::move(stop)),
      thread_([this] { run(); }) {}

Tunnel::~Tunnel() {
  given_up_ = true;
  ::eventfd_write(stop_.fd, 1);
  thread_.join();
}

void Tunnel::run() {
  while (!given_up_) {
    std::array<pollfd, 2> waits{{{listener_.fd, POLLIN, 0}, {stop_.fd, POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if (given_up_ || waits[0].revents == 0) continue;
    const Descriptor near(::accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (near.fd < 0) ::poll(&waits[1], 1, kShortageMs);
    if (near.fd < 0 || !is_of_this_process(near.fd)) continue;
    const auto far = dialer_.dial(Patience(kWait, given_up_));
    if (far) carry_between(near.fd, far->fd, stop_.fd);
  }
}

}  // namespace muster::dial
