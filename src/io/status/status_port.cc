#include "io/status/status_port.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/guarded.h"
#include "base/http_request.h"
#include "io/listening_socket.h"

namespace muster::io {
namespace {

constexpr int kAcceptedAtOnce = 16;  // Less than kMostConnections: who has asked is heard before.
constexpr int kBackOffMs = 100;      // Without a free descriptor.

const char* words(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

std::string text_of(const StatusPort::Reply& reply) {
  return "HTTP/1.1 " + std::to_string(reply.code) + " " + words(reply.code) +
         "\r\nContent-Type: " + reply.type +
         "\r\nContent-Length: " + std::to_string(reply.body.size()) +
         "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + reply.body;
}

StatusPort::Reply sentence(int code, const std::string& what) {
  return {code, "text/plain; charset=utf-8", what + "\n"};
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Result<std::unique_ptr<StatusPort>> StatusPort::open(const Address& address, Pages pages) {
  MUSTER_TRY(const int socket, open_listening_socket(address, "--status_port"));
  return std::unique_ptr<StatusPort>(new StatusPort(socket, std::move(pages)));
}

StatusPort::StatusPort(int socket, Pages pages)
    : socket_(socket),
      wake_(eventfd(0, EFD_CLOEXEC)),
      pages_(std::move(pages)),
      thread_([this] { run(); }) {}

StatusPort::~StatusPort() {
  eventfd_write(wake_, 1);
  thread_.join();
  for (const Connection& connection : connections_) ::close(connection.fd);
  ::close(socket_);
  ::close(wake_);
}

int StatusPort::port() const {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  if (getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

void StatusPort::run() {
  std::vector<pollfd> waits;
  while (true) {
    waits = {{wake_, POLLIN, 0}, {starved_ ? -1 : socket_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      const short wanted = connection.reply.empty() ? POLLIN : POLLOUT;
      waits.push_back({connection.fd, wanted, 0});
    }
    poll(waits.data(), waits.size(), patience_ms());
    if (waits[0].revents != 0) return;
    const auto now = Clock::now();
    auto wait = waits.begin() + 2;
    for (auto at = connections_.begin(); at != connections_.end(); ++wait) {
      const bool stays = at->until > now && (wait->revents == 0 || go_on(*at));
      if (!stays) ::close(at->fd);
      at = stays ? std::next(at) : connections_.erase(at);
    }
    accept_some();
  }
}

// Until there is something to do though nothing comes; -1: for ever.
int StatusPort::patience_ms() const {
  if (starved_) return kBackOffMs;
  if (connections_.empty()) return -1;
  const auto left = connections_.front().until - Clock::now();
  const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::max<int64_t>(0, left_ms));
}

void StatusPort::accept_some() {
  for (int count = 0; count < kAcceptedAtOnce; ++count) {
    const int fd = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    starved_ = fd < 0 && !would_block() && errno != ECONNABORTED;
    if (fd < 0) return;
    if (connections_.size() >= kMostConnections) {
      ::close(connections_.front().fd);
      connections_.pop_front();
    }
    connections_.push_back({fd, Clock::now() + kPatience, "", ""});
  }
}

bool StatusPort::go_on(Connection& connection) const {
  return connection.reply.empty() ? read(connection) : write(connection);
}

bool StatusPort::read(Connection& connection) const {
  char bytes[4096];
  const size_t room = kMostHttpHead - connection.received.size();
  const ssize_t count = recv(connection.fd, bytes, std::min(room, sizeof bytes), 0);
  if (count <= 0) return count < 0 && would_block();
  connection.received.append(bytes, static_cast<size_t>(count));
  const bool is_whole = has_http_head(connection.received);
  if (!is_whole && connection.received.size() < kMostHttpHead) return true;
  connection.reply =
      text_of(is_whole ? answer(connection.received) : sentence(431, "more than 8 KiB"));
  return write(connection);
}

bool StatusPort::write(Connection& connection) const {
  const std::string_view rest = std::string_view(connection.reply).substr(connection.sent);
  const ssize_t count = send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
  if (count < 0) return would_block();
  connection.sent += static_cast<size_t>(count);
  return connection.sent < connection.reply.size();
}

StatusPort::Reply StatusPort::answer(std::string_view head) const {
  const auto path = http_path(head);
  const auto page = path ? pages_.find(*path) : pages_.end();
  if (page == pages_.end()) {
    std::string known;
    for (const auto& [name, made] : pages_) known += " " + name;
    return sentence(404, "there are only, by GET:" + known);
  }
  const Result<Reply> made = guarded([&]() -> Result<Reply> { return page->second(); });
  return made ? *made : sentence(503, made.error().message);
}

}  // namespace muster::io
