#include "client/pool_client.h"

#include <grpcpp/grpcpp.h>
#include <sodium.h>

#include <mutex>

#include "base/digest.h"
#include "muster/v1/pool.grpc.pb.h"
#include "roles/message.h"

namespace muster::client {
namespace {

constexpr auto kConnectWait = std::chrono::seconds(5);
constexpr auto kCallWait = std::chrono::seconds(90);  // A pin may ask the Hub.
constexpr int kSubmitTries = 10;

// Names one wish of a researcher, so that the server knows a repetition.
std::string draw_idempotency_key() {
  std::string bytes(16, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

}  // namespace

struct PoolClient::Line {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::Pool::Stub> stub;
  std::mutex mutex;
  grpc::ClientContext* watching = nullptr;
  bool interrupted = false;

  Error error(const grpc::Status& status, const std::string& address) const {
    return {Code::kUnavailable, "no muster server answers at " + address + " (" +
                                    status.error_message() + "); check --ip and --port"};
  }
};

PoolClient::PoolClient(const std::string& address)
    : line_(std::make_unique<Line>()), address_(address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  line_->channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  line_->stub = pb::Pool::NewStub(line_->channel);
}

PoolClient::~PoolClient() = default;

// One unary call, with a deadline that is short while nobody answers at all. Said again while
// `tries` last when the server is lost before it has answered.
template <typename Reply, typename Call>
static Result<Reply> call(grpc::Channel& channel, const std::string& address, Call&& send,
                          int tries = 1) {
  const auto now = std::chrono::system_clock::now();
  if (!channel.WaitForConnected(now + kConnectWait)) {
    return fail(Code::kUnavailable, "no muster server answers at " + address +
                                        "; check --ip and --port, or start 'muster server'");
  }
  grpc::ClientContext context;
  context.set_deadline(now + kCallWait);
  Reply reply;
  const grpc::Status status = send(&context, &reply);
  if constexpr (requires { reply.failure(); }) {  // The pool may say no.
    if (reply.has_failure()) return fail(roles::to_error(reply.failure()));
  }
  if (status.ok()) return reply;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && tries > 1) {
    return call<Reply>(channel, address, send, tries - 1);
  }
  return fail(Code::kUnavailable,
              "the server at " + address + " did not answer: " + status.error_message());
}

Result<pb::SubmitReply> PoolClient::submit(const pb::JobRequest& request) {
  pb::Submit submit;
  *submit.mutable_request() = request;
  submit.set_idempotency_key(draw_idempotency_key());
  const auto send = [&](auto* context, auto* out) {
    return line_->stub->Submit(context, submit, out);
  };
  return call<pb::SubmitReply>(*line_->channel, address_, send, kSubmitTries);
}

Result<pb::JobList> PoolClient::list() {
  return call<pb::JobList>(*line_->channel, address_, [&](auto* context, auto* out) {
    return line_->stub->List(context, pb::ListJobs(), out);
  });
}

Result<pb::PoolStatus> PoolClient::status() {
  return call<pb::PoolStatus>(*line_->channel, address_, [&](auto* context, auto* out) {
    return line_->stub->Status(context, pb::GetStatus(), out);
  });
}

Result<pb::CancelReply> PoolClient::cancel(const std::string& job) {
  pb::CancelJob request;
  request.set_job(job);
  return call<pb::CancelReply>(*line_->channel, address_, [&](auto* context, auto* out) {
    return line_->stub->Cancel(context, request, out);
  });
}

Result<pb::WhyReply> PoolClient::why(const std::string& what) {
  pb::Why request;
  request.set_what(what);
  return call<pb::WhyReply>(*line_->channel, address_, [&](auto* context, auto* out) {
    return line_->stub->Why(context, request, out);
  });
}

Result<pb::PardonReply> PoolClient::pardon(const std::string& machine) {
  pb::Pardon request;
  request.set_machine(machine);
  return call<pb::PardonReply>(*line_->channel, address_, [&](auto* context, auto* out) {
    return line_->stub->Pardon(context, request, out);
  });
}

Status PoolClient::watch(const std::string& job,
                         const std::function<bool(const pb::JobUpdate&)>& visit) {
  grpc::ClientContext context;
  {
    std::lock_guard lock(line_->mutex);
    if (line_->interrupted) return fail(Code::kInterrupted, "");
    line_->watching = &context;
  }
  pb::Watch request;
  request.set_job(job);
  auto reader = line_->stub->Watch(&context, request);
  pb::JobUpdate update;
  bool wanted = true;
  while (wanted && reader->Read(&update)) wanted = visit(update);
  if (!wanted) context.TryCancel();
  const grpc::Status status = reader->Finish();
  std::lock_guard lock(line_->mutex);
  line_->watching = nullptr;
  if (line_->interrupted) return fail(Code::kInterrupted, "");
  return status.ok() || !wanted ? Status() : fail(line_->error(status, address_));
}

void PoolClient::interrupt() {
  std::lock_guard lock(line_->mutex);
  line_->interrupted = true;
  if (line_->watching != nullptr) line_->watching->TryCancel();
}

}  // namespace muster::client
