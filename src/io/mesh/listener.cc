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
#include <utility>

#include "io/listening_socket.h"

namespace muster::io {
namespace {

constexpr int kBackOffMs = 100;  // Without a free descriptor.
constexpr std::chrono::milliseconds kSweepEvery{500};

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
  MUSTER_TRY(socket_, open_listening_socket({host, port}, "--port"));
  return {};
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
    ++refused_count_;
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
