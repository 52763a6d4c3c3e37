#include "identity/channels/knock.h"

#include <openssl/err.h>
#include <poll.h>

#include <array>
#include <utility>

#include "identity/application.h"
#include "identity/channels/join_frame.h"
#include "identity/channels/tls.h"
#include "wire/bounds.h"
#include "wire/failure.h"

namespace muster::identity {
namespace {

// One knock, on a socket that never blocks.
class Knock {
 public:
  Knock(Descriptor socket, const std::string& address, const dial::Patience& patience)
      : socket_(std::move(socket)), address_(address), patience_(patience) {}

  Status greet(const Digest& fingerprint, std::string& authority);
  Status say(const std::string& bytes);
  Result<std::string> hear();

 private:
  Status wait(short events);
  template <typename Step>
  Result<int> carry_on(Step&& step, const char* what);
  [[nodiscard]] tl::unexpected<Error> nobody(const std::string& why) const {
    return fail(Code::kUnavailable, "no muster server answers at " + address_ + " (" + why +
                                        "); check --ip and --port, or start 'muster server'");
  }

  const Descriptor socket_;
  const std::string address_;
  const dial::Patience& patience_;
  tls::Context context_;
  tls::Session session_;
};

Status Knock::wait(short events) {
  switch (patience_.wait(socket_.fd, events)) {
    case dial::Patience::Waited::kReady:
      return {};
    case dial::Patience::Waited::kTooLong:
      return nobody("it said nothing for 10 s");
    case dial::Patience::Waited::kGivenUp:
      break;
  }
  return fail(Code::kInterrupted, "");
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
  SSL_set_fd(session_.get(), socket_.fd);
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

Result<Pass> knock(const dial::Route& route, const pb::JoinRequest& request,
                   const Digest& fingerprint, const std::atomic<bool>& given_up) {
  const dial::Patience patience(kKnockWait, given_up);
  MUSTER_TRY(auto socket, dial::dial(route, patience));
  return knock_on(std::move(socket), route.address, request, fingerprint, patience);
}

Result<Pass> knock_on(Descriptor socket, const std::string& address, const pb::JoinRequest& request,
                      const Digest& fingerprint, const dial::Patience& patience) {
  Knock visit(std::move(socket), address, patience);
  Pass pass;
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
