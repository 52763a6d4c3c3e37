#include "client/pool_client.h"

#include <grpcpp/grpcpp.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "base/digest.h"
#include "client/logging_in.h"
#include "dial/tunnel.h"
#include "identity/certificate.h"
#include "identity/channels/client_credentials.h"
#include "identity/openssl.h"
#include "muster/v1/pool.grpc.pb.h"
#include "wire/failure.h"

namespace muster::client {
namespace {

constexpr auto kConnectWait = std::chrono::seconds(5);
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kCallWait = std::chrono::seconds(90);  // A pin may ask the Hub.
constexpr int kSubmitTries = 10;
constexpr int kTries = 2;  // Of what may be said twice, which is all the rest.
// A connection that nothing passes any more, though nobody closed it, is found by pings.
constexpr int kPingEveryMs = 5'000, kPingWaitMs = 5'000;
constexpr auto kWatchSilence = std::chrono::seconds(10);  // The server repeats itself every 2 s.

// Names one wish of a researcher, so that the server knows a repetition.
std::string draw_idempotency_key() {
  std::string bytes(16, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

}  // namespace

// A connection of its own, not one that gRPC shares with an earlier channel to the same address.
static std::shared_ptr<grpc::Channel> open_channel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingEveryMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingWaitMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  identity::set_server_name(arguments);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

// A Watch under way.
class PoolClient::Watching final : public grpc::ClientReadReactor<pb::JobUpdate> {
 public:
  Watching(pb::Pool::Stub& stub, const std::string& job) {
    request_.set_job(job);
    stub.async()->Watch(&context_, &request_, this);
    StartRead(&update_);
    StartCall();
  }
  // Not before it is over.
  ~Watching() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_; });
  }
  void cancel() { context_.TryCancel(); }

  // The next one; none when it is over, or when nothing came for kWatchSilence: then it is ended.
  std::optional<pb::JobUpdate> next() {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return over_ || !updates_.empty(); };
    if (!changed_.wait_for(lock, kWatchSilence, ready)) {
      context_.TryCancel();
      return {};
    }
    if (updates_.empty()) return {};
    auto update = std::move(updates_.front());
    updates_.pop_front();
    return update;
  }
  // Waits for the end.
  grpc::Status status() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_; });
    return status_;
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      std::lock_guard lock(mutex_);
      updates_.push_back(std::move(update_));
      if (updates_.size() > kMostAhead) updates_.pop_front();
      changed_.notify_all();
    }
    update_.Clear();
    StartRead(&update_);
  }
  void OnDone(const grpc::Status& status) override {
    std::lock_guard lock(mutex_);
    status_ = status;
    over_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr size_t kMostAhead = 1000;  // Then the oldest are left out.

  pb::Watch request_;
  grpc::ClientContext context_;
  pb::JobUpdate update_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<pb::JobUpdate> updates_;  // kMostAhead.
  bool over_ = false;
  grpc::Status status_;
};

struct PoolClient::Line {
  explicit Line(identity::Access to)
      : access(std::move(to)), address(access.address), dialer(access.route()) {}
  // Before the first call. kPermission, kUnavailable.
  Status open();
  // Gives the connection up: nothing may be under way on it.
  void renew() {
    channel = open_channel(tunnel ? tunnel->target() : address, credentials);
    stub = pb::Pool::NewStub(channel);
  }

  // False at once where a proxy refuses: waiting does not change that.
  [[nodiscard]] bool connects_by(std::chrono::system_clock::time_point until) const {
    while (true) {
      const auto now = std::chrono::system_clock::now();
      if (channel->WaitForConnected(std::min(until, now + kLook))) return true;
      const auto trouble = dialer.trouble();
      if (now >= until || (trouble && trouble->code == Code::kPermission)) return false;
    }
  }
  // Why nobody answers.
  [[nodiscard]] Error nobody(const std::string& otherwise) const {
    return dialer.trouble().value_or(Error{Code::kUnavailable, otherwise});
  }

  const identity::Access access;
  const std::string address;
  dial::Dialer dialer;                                    // Of the tunnel.
  std::unique_ptr<dial::Tunnel> tunnel;                   // Null: the server is reached directly.
  std::shared_ptr<grpc::ChannelCredentials> credentials;  // Null: it is not open.
  std::string authority;                                  // The pool's, in PEM.
  std::atomic<bool> given_up = false;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::Pool::Stub> stub;
  std::mutex mutex;  // Guards what follows.
  Watching* watching = nullptr;
  bool interrupted = false;
};

Status PoolClient::Line::open() {
  if (credentials) return {};
  if (access.proxy) {
    MUSTER_TRY(tunnel, dial::Tunnel::open(dialer));
  }
  if (access.insecure) {
    credentials = grpc::InsecureChannelCredentials();
  } else {
    MUSTER_TRY(const auto login,
               access.login ? renewed(access, given_up) : log_in(access, given_up));
    authority = login.authority;
    MUSTER_TRY(const auto key, identity::openssl::machine_key(login.secret_key));
    credentials = identity::client_credentials(
        authority, {login.certificate, identity::openssl::to_pem(key.get())});
  }
  renew();
  return {};
}

PoolClient::PoolClient(identity::Access access)
    : line_(std::make_unique<Line>(std::move(access))) {}

PoolClient::~PoolClient() = default;

namespace {

Error refused_by_transport(const grpc::Status& status, const std::string& address) {
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
      return {Code::kInvalidArgument,
              "the server at " + address + " refuses " + status.error_message()};
    case grpc::StatusCode::PERMISSION_DENIED:
      return {Code::kPermission,
              "the server at " + address + " refuses: " + status.error_message()};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {Code::kTryLater, "the server at " + address + ": " + status.error_message()};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {Code::kUnavailable,
              "the server at " + address + " did not answer in time; see its log, or try again"};
    default:
      return {Code::kUnavailable,
              "the server at " + address + " did not answer: " + status.error_message()};
  }
}

}  // namespace

// One unary call, with a deadline that is short while nobody answers at all. Said again, on a new
// connection, while `tries` last when the server is lost before it has answered.
template <typename Reply, typename Call>
Result<Reply> PoolClient::call(Call&& send, int tries) {
  MUSTER_TRY_STATUS(line_->open());
  const auto now = std::chrono::system_clock::now();
  if (!line_->connects_by(now + kConnectWait)) {
    return fail(line_->nobody("no muster server answers at " + line_->address +
                              (line_->access.insecure ? " without TLS; leave --insecure out, "
                                                      : "; check --ip and --port, ") +
                              "or start 'muster server'"));
  }
  grpc::ClientContext context;
  context.set_deadline(now + kCallWait);
  Reply reply;
  const grpc::Status status = send(*line_->stub, &context, &reply);
  if constexpr (requires { reply.failure(); }) {  // The pool may say no.
    if (reply.has_failure()) return fail(wire::to_error(reply.failure()));
  }
  if (status.ok()) return reply;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && tries > 1) {
    line_->renew();
    return call<Reply>(send, tries - 1);
  }
  const Error refused = refused_by_transport(status, line_->address);
  return fail(refused.code == Code::kUnavailable ? line_->nobody(refused.message) : refused);
}

Result<pb::SubmitReply> PoolClient::submit(const pb::JobRequest& request) {
  pb::Submit submit;
  *submit.mutable_request() = request;
  submit.set_idempotency_key(draw_idempotency_key());
  const auto send = [&](auto& stub, auto* context, auto* out) {
    return stub.Submit(context, submit, out);
  };
  return call<pb::SubmitReply>(send, kSubmitTries);
}

Result<pb::JobList> PoolClient::list() {
  return call<pb::JobList>(
      [&](auto& stub, auto* context, auto* out) { return stub.List(context, pb::ListJobs(), out); },
      kTries);
}

Result<pb::PoolStatus> PoolClient::status(bool all) {
  pb::GetStatus request;
  request.set_all(all);
  return call<pb::PoolStatus>(
      [&](auto& stub, auto* context, auto* out) { return stub.Status(context, request, out); },
      kTries);
}

Result<pb::RemoveMachineReply> PoolClient::remove_machine(const std::string& machine, bool drain) {
  pb::RemoveMachine request;
  request.set_machine(machine);
  request.set_drain(drain);
  return call<pb::RemoveMachineReply>(
      [&](auto& stub, auto* context, auto* out) {
        return stub.RemoveMachine(context, request, out);
      },
      kTries);
}

Result<pb::CancelReply> PoolClient::cancel(const std::string& job) {
  pb::CancelJob request;
  request.set_job(job);
  return call<pb::CancelReply>(
      [&](auto& stub, auto* context, auto* out) { return stub.Cancel(context, request, out); },
      kTries);
}

Result<pb::WhyReply> PoolClient::why(const std::string& what) {
  pb::Why request;
  request.set_what(what);
  return call<pb::WhyReply>(
      [&](auto& stub, auto* context, auto* out) { return stub.Why(context, request, out); },
      kTries);
}

Result<pb::PardonReply> PoolClient::pardon(const std::string& machine) {
  pb::Pardon request;
  request.set_machine(machine);
  return call<pb::PardonReply>(
      [&](auto& stub, auto* context, auto* out) { return stub.Pardon(context, request, out); },
      kTries);
}

Result<PoolClient::MadeToken> PoolClient::create_token(pb::CreateToken asked) {
  if (line_->access.insecure) {
    return fail(Code::kUnsupported, "a server that was started with --insecure has no tokens");
  }
  MUSTER_TRY_STATUS(line_->open());
  MUSTER_TRY(const Digest authority, identity::fingerprint(line_->authority));
  MadeToken made{identity::Token::make(authority), {}};
  asked.set_id(made.token.id);
  asked.set_hash(std::string(made.token.hash().view()));
  MUSTER_TRY(auto reply, call<pb::CreateTokenReply>(
                             [&](auto& stub, auto* context, auto* out) {
                               return stub.CreateToken(context, asked, out);
                             },
                             kTries));
  made.row = std::move(*reply.mutable_row());
  return made;
}

Result<pb::TokenList> PoolClient::tokens(bool all) {
  pb::ListTokens request;
  request.set_all(all);
  return call<pb::TokenList>(
      [&](auto& stub, auto* context, auto* out) { return stub.ListTokens(context, request, out); },
      kTries);
}

Result<pb::RevokeTokenReply> PoolClient::revoke_token(const std::string& id) {
  pb::RevokeToken request;
  request.set_id(id);
  return call<pb::RevokeTokenReply>(
      [&](auto& stub, auto* context, auto* out) { return stub.RevokeToken(context, request, out); },
      kTries);
}

Status PoolClient::watch(const std::string& job,
                         const std::function<bool(const pb::JobUpdate&)>& visit) {
  MUSTER_TRY_STATUS(line_->open());
  Watching watching(*line_->stub, job);
  {
    std::lock_guard lock(line_->mutex);
    line_->watching = &watching;
    if (line_->interrupted) watching.cancel();
  }
  const bool wanted = follow(watching, visit);
  watching.cancel();
  const grpc::Status status = watching.status();
  std::lock_guard lock(line_->mutex);
  line_->watching = nullptr;
  if (line_->interrupted) return fail(Code::kInterrupted, "");
  if (status.ok() || !wanted) return {};
  if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    return fail(refused_by_transport(status, line_->address));
  }
  line_->renew();
  return fail(Code::kUnavailable, "no muster server answers at " + line_->address + " (" +
                                      status.error_message() + "); check --ip and --port");
}

// Shows what is new, not what the server repeats to be heard. False when no more is wanted.
bool PoolClient::follow(Watching& watching,
                        const std::function<bool(const pb::JobUpdate&)>& visit) {
  std::string shown;
  while (const auto update = watching.next()) {
    std::string row = update->row().SerializeAsString();
    const bool again = row == shown && update->message().empty() && !update->has_failure();
    shown = std::move(row);
    if (!again && !visit(*update)) return false;
  }
  return true;
}

void PoolClient::interrupt() {
  line_->given_up = true;
  std::lock_guard lock(line_->mutex);
  line_->interrupted = true;
  if (line_->watching != nullptr) line_->watching->cancel();
}

}  // namespace muster::client
