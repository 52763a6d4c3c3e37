#include "io/mesh/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/address.h"

namespace muster::io {
namespace {

constexpr int kBackOffMs = 100;  // Without a free descriptor.
constexpr std::chrono::milliseconds kSweepEvery{500};

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const std::string& host, int port, int family) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  if (getaddrinfo(host.c_str(), service.c_str(), &hints, &found) != 0) found = nullptr;
  return Addresses(found, freeaddrinfo);
}

// A listening socket, or -1. "::" takes IPv4 too.
int open_socket(const addrinfo& address) {
  const int fd =
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return -1;
  const int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const bool open =
      ::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, SOMAXCONN) == 0;
  if (open) return fd;
  ::close(fd);
  return -1;
}

std::string text_of(const sockaddr_storage& address, socklen_t bytes) {
  char host[NI_MAXHOST] = "";
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), bytes, host, sizeof host, nullptr, 0,
              NI_NUMERICHOST);
  const std::string text = host;
  return text.starts_with("::ffff:") ? text.substr(7) : text;
}

ino_t socket_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

Listener::Limits Listener::limits_for(size_t descriptors) {
  const size_t in_all = descriptors - std::min(kReserve, descriptors / 2);
  return {in_all, std::min(in_all / 4 * 3, kMaxOfOneAddress)};
}

Status Listener::listen(const std::string& host, int port) {
  bool is_known = false;
  for (int family : {AF_INET, AF_INET6}) {  // "localhost" is 127.0.0.1 to the clients.
    const Addresses found = resolve(host, port, family);
    is_known |= found != nullptr;
    for (auto* at = found.get(); at != nullptr && socket_ < 0; at = at->ai_next) {
      socket_ = open_socket(*at);
    }
  }
  if (socket_ >= 0) return {};
  const std::string what = "cannot listen on " + Address{host, port}.text() + ": ";
  if (!is_known) return fail(Code::kUnavailable, what + "no such host is known");
  return fail(Code::kUnavailable, what +
                                      "the port is in use or the address is not this machine's; "
                                      "choose another with --port");
}

void Listener::start(Limits limits, Hooks hooks) {
  limits_ = limits;
  hooks_ = std::move(hooks);
  wake_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { run(); });
}

void Listener::stop() {
  if (thread_.joinable()) {
    eventfd_write(wake_, 1);
    thread_.join();
  }
  for (int* fd : {&socket_, &wake_}) {
    if (*fd >= 0) ::close(std::exchange(*fd, -1));
  }
}

void Listener::run() {
  for (bool starved = false;; starved = !accept_all()) {
    pollfd waits[] = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
    poll(waits, starved ? 1 : 2, starved ? kBackOffMs : -1);
    if (waits[0].revents != 0) return;
  }
}

// False when there is somebody but no descriptor for him.
bool Listener::accept_all() {
  while (true) {
    sockaddr_storage peer{};
    socklen_t bytes = sizeof peer;
    const int fd =
        accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      take(fd, text_of(peer, bytes));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) continue;
    const std::string why = std::strerror(errno);
    if (starved_.count() > 0) {
      hooks_.on_news("nobody can connect now (" + why +
                     "); raise the limit of open files ('ulimit -n', LimitNOFILE=)");
    }
    return false;
  }
}

void Listener::take(int fd, const std::string& address) {
  sweep();
  auto& of_address = held_[address];
  if (count_ >= limits_.in_all || of_address.size() >= limits_.of_one_address) {
    ::close(fd);
    if (const auto refusals = refused_.count()) {
      hooks_.on_news(std::to_string(refusals) + " connections were refused lately, the last from " +
                     address + ", which has " + std::to_string(of_address.size()) + " of " +
                     std::to_string(count_));
    }
    return;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  of_address.push_back({fd, socket_of(fd)});
  ++count_;
  hooks_.accept(fd);
}

// Nobody tells when a connection that was handed over has ended: its descriptor is then no longer
// the same socket. A microsecond each, twice a second at most.
void Listener::sweep() {
  const auto now = std::chrono::steady_clock::now();
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  count_ = 0;
  for (auto at = held_.begin(); at != held_.end();) {
    std::erase_if(at->second, [](const Held& held) { return socket_of(held.fd) != held.socket; });
    count_ += at->second.size();
    at = at->second.empty() ? held_.erase(at) : std::next(at);
  }
}

}  // namespace muster::io
