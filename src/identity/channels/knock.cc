#include "identity/channels/knock.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/address.h"
#include "base/file.h"
#include "identity/application.h"
#include "identity/channels/join_frame.h"
#include "identity/channels/tls.h"
#include "wire/bounds.h"
#include "wire/failure.h"

namespace muster::identity {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kWait{10};
constexpr int kLookMs = 200;  // How soon it is noticed that nobody wants it any more.

// One knock: a socket that never blocks, and how long it may take.
class Knock {
 public:
  Knock(const std::string& address, const std::atomic<bool>& given_up)
      : address_(address), given_up_(given_up), until_(Clock::now() + kWait) {}

  Status connect();
  Status greet(const Digest& fingerprint, std::string& authority);
  Status say(const std::string& bytes);
  Result<std::string> hear();

 private:
  Status wait(short events);
  Status connect_to(const addrinfo& address);
  template <typename Step>
  Result<int> carry_on(Step&& step, const char* what);
  [[nodiscard]] tl::unexpected<Error> nobody(const std::string& why) const {
    return fail(Code::kUnavailable, "no muster server answers at " + address_ + " (" + why +
                                        "); check --ip and --port, or start 'muster server'");
  }

  const std::string address_;
  const std::atomic<bool>& given_up_;
  const Clock::time_point until_;
  std::optional<Descriptor> socket_;
  tls::Context context_;
  tls::Session session_;
};

Status Knock::wait(short events) {
  while (!given_up_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now());
    if (left.count() <= 0) return nobody("it said nothing for 10 s");
    pollfd waits{socket_->fd, events, 0};
    if (poll(&waits, 1, std::min(kLookMs, static_cast<int>(left.count()))) > 0) return {};
  }
  return fail(Code::kInterrupted, "");
}

Status Knock::connect_to(const addrinfo& address) {
  socket_.emplace(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (::connect(socket_->fd, address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return nobody(std::strerror(errno));
  MUSTER_TRY_STATUS(wait(POLLOUT));
  int error = 0;
  socklen_t bytes = sizeof error;
  getsockopt(socket_->fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (error != 0) return nobody(std::strerror(error));
  return {};
}

Status Knock::connect() {
  MUSTER_TRY(const Address address, parse_address(address_));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) {
    return nobody("no such host is known");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> held(found, freeaddrinfo);
  Status last = nobody("it has no address");
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    last = connect_to(*at);
    if (last || last.error().code == Code::kInterrupted) break;
  }
  return last;
}

// Repeats a step of TLS until it is done.
template <typename Step>
Result<int> Knock::carry_on(Step&& step, const char* what) {
  while (true) {
    ERR_clear_error();
    const int result = step();
    switch (tls::need_after(session_.get(), result)) {
      case tls::Need::kNothing:
        return result;
      case tls::Need::kRead:
        MUSTER_TRY_STATUS(wait(POLLIN));
        break;
      case tls::Need::kWrite:
        MUSTER_TRY_STATUS(wait(POLLOUT));
        break;
      case tls::Need::kEnd:
        const Error error = openssl::error(Code::kUnavailable, what);
        return nobody(error.message);
    }
  }
}

Status Knock::greet(const Digest& fingerprint, std::string& authority) {
  MUSTER_TRY(context_, tls::knocking_context());
  session_.reset(SSL_new(context_.get()));
  SSL_set_fd(session_.get(), socket_->fd);
  SSL_set_tlsext_host_name(session_.get(), kDoorName);
  MUSTER_TRY_STATUS(carry_on([&] { return SSL_connect(session_.get()); },
                             "it does not speak TLS as muster does"));
  return tls::check_server(session_.get(), fingerprint, authority);
}

Status Knock::say(const std::string& bytes) {
  size_t said = 0;
  while (said < bytes.size()) {
    const auto write = [&] {
      return SSL_write(session_.get(), bytes.data() + said, static_cast<int>(bytes.size() - said));
    };
    MUSTER_TRY(const int count, carry_on(write, "it closed the connection"));
    said += static_cast<size_t>(count);
  }
  return {};
}

Result<std::string> Knock::hear() {
  std::string heard;
  while (true) {
    std::array<char, 4096> bytes;
    const auto read = [&] {
      return SSL_read(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    };
    MUSTER_TRY(const int count, carry_on(read, "it closed the connection"));
    heard.append(bytes.data(), static_cast<size_t>(count));
    MUSTER_TRY(auto message, take_frame(heard));
    if (message) return std::move(*message);
  }
}

}  // namespace

Result<Pass> knock(const std::string& address, const pb::JoinRequest& request,
                   const Digest& fingerprint, const std::atomic<bool>& given_up) {
  Knock visit(address, given_up);
  Pass pass;
  MUSTER_TRY_STATUS(visit.connect());
  MUSTER_TRY_STATUS(visit.greet(fingerprint, pass.authority));
  MUSTER_TRY_STATUS(visit.say(to_frame(request.SerializeAsString())));
  MUSTER_TRY(const std::string bytes, visit.hear());
  pb::JoinAnswer answer;
  if (!answer.ParseFromString(bytes) || !wire::check_bounds(answer)) {
    return fail(Code::kDataLoss, "the server's answer cannot be read: is it a newer one?");
  }
  if (answer.has_failure()) return fail(wire::to_error(answer.failure()));
  pass.certificate = answer.certificate();
  return pass;
}

}  // namespace muster::identity
