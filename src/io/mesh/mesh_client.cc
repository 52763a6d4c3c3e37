#include "io/mesh/mesh_client.h"

#include <grpcpp/grpcpp.h>

#include <random>

#include "base/digest.h"
#include "dial/tunnel.h"
#include "identity/channels/client_credentials.h"
#include "io/machine_keys.h"
#include "io/mesh/limits.h"
#include "io/mesh/read_budget.h"
#include "muster/v1/pool.grpc.pb.h"
#include "wire/keys.h"
#include "wire/release.h"

namespace muster::io {
namespace {

constexpr auto kFirstRetry = std::chrono::milliseconds(200);
constexpr auto kSlowestRetry = std::chrono::milliseconds(5000);
constexpr size_t kInstanceBytes = 8;

std::shared_ptr<grpc::Channel> open_channel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  // Else gRPC shares the connection of an earlier channel to the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetMaxReceiveMessageSize(kMaxReceivedBytes);
  identity::set_server_name(arguments);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

}  // namespace

// One stream to the server on a connection of its own, from its start to its end.
class MeshClient::Line final : public grpc::ClientBidiReactor<pb::Envelope, pb::Envelope>,
                               public std::enable_shared_from_this<Line> {
 public:
  // `tunnel`: to the server; null: it is reached directly.
  Line(MeshClient& owner, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
       std::unique_ptr<dial::Tunnel> tunnel)
      : owner_(owner),
        tunnel_(std::move(tunnel)),
        stub_(pb::Mesh::NewStub(open_channel(
            tunnel_ ? tunnel_->target() : owner.membership_.address(), credentials))) {}

  void begin() {
    self_ = shared_from_this();
    stub_->async()->Connect(context_.get(), this);
    AddHold();  // While reading pauses nothing else may be under way: until end_reading().
    StartRead(&incoming_);
    StartCall();
  }

  // Before the Hello, which comes first, and after the end it is lost, as between two lines.
  SendQueue::Pushed send(pb::Envelope envelope) {
    std::lock_guard lock(mutex_);
    return greeted_ && holding_ ? push(std::move(envelope)) : SendQueue::Pushed::kYes;
  }
  void cancel() {
    std::lock_guard lock(mutex_);
    try_cancel();
    if (!reading_) end_reading();
  }

  // Blocks until the stream is over; returns why. It is ended when it was not admitted in time. The
  // connection ends here: gRPC 1.51 joins its callbacks' threads when its last channel goes, so
  // that must not happen on one of them.
  std::string wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kOpenWait, [this] { return done_ || admitted_; })) {
      try_cancel();
      late_ = true;
    }
    changed_.wait(lock, [this] { return done_; });
    const auto tunnel = std::move(tunnel_);  // First, so that it goes last.
    if (tunnel) trouble_ = owner_.membership_.dialer().trouble();
    const auto context = std::move(context_);
    const auto stub = std::move(stub_);
    lock.unlock();
    if (late_) return "the server said nothing for 8 s";
    return status_.ok() ? "the server closed it" : status_.error_message();
  }
  // Behind wait(): why the way to the server is none.
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }
  bool was_admitted() {
    std::lock_guard lock(mutex_);
    return admitted_;
  }

  void OnReadDone(bool ok) override {
    if (ok) take(std::move(incoming_));
    std::lock_guard lock(mutex_);
    reading_ = false;
    incoming_.Clear();
    ok ? read_next() : end_reading();
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) write_next();
  }
  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    std::lock_guard lock(mutex_);
    status_ = status;
    done_ = true;
    changed_.notify_all();
  }

 private:
  // A challenge is the server's first word and answered once: whatever comes later under that name
  // would have the key sign what somebody else thought up.
  void take(pb::Envelope envelope) {
    const bool first = !std::exchange(heard_, true);
    if (envelope.has_challenge()) {
      if (first) greet(owner_.hello_to(envelope.challenge()));
      return;
    }
    if (envelope.has_refused()) {
      owner_.on_refused(envelope.refused());
      std::lock_guard lock(mutex_);
      return try_cancel();
    }
    admit();
    pass_on(std::move(envelope));
  }
  void greet(pb::Envelope hello) {
    std::lock_guard lock(mutex_);
    greeted_ = true;
    if (holding_) push(std::move(hello));
  }
  SendQueue::Pushed push(pb::Envelope envelope) {
    const auto pushed = queue_.push(std::move(envelope));
    write_next();
    return pushed;
  }
  void admit() {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(admitted_, true)) return;
      changed_.notify_all();
    }
    owner_.on_admitted();
  }
  void pass_on(pb::Envelope envelope) {
    const size_t bytes = envelope.ByteSizeLong();
    {
      std::lock_guard lock(mutex_);
      budget_.put(bytes);
    }
    auto done = [self = shared_from_this(), bytes] { self->taken(bytes); };
    if (owner_.intake_.offer(std::move(envelope), std::move(done))) return;
    taken(bytes);
  }
  void taken(size_t bytes) {
    std::lock_guard lock(mutex_);
    budget_.take(bytes);
    read_next();
  }
  void read_next() {
    if (!holding_ || reading_ || budget_.is_spent()) return;
    reading_ = true;
    StartRead(&incoming_);
  }
  void write_next() {
    if (!holding_ || writing_ || queue_.empty()) return;
    writing_ = true;
    outgoing_ = queue_.pop();
    StartWrite(&outgoing_);
  }
  void try_cancel() {
    if (context_) context_->TryCancel();
  }
  // Nothing is begun on the stream any more.
  void end_reading() {
    if (std::exchange(holding_, false)) RemoveHold();
  }

  MeshClient& owner_;           // Outlives the stream: run() waits for its end.
  std::shared_ptr<Line> self_;  // Until OnDone.
  bool heard_ = false;          // Only reading touches it.
  pb::Envelope incoming_, outgoing_;

  std::mutex mutex_;  // Guards all below, and what is begun on the stream.
  std::unique_ptr<dial::Tunnel> tunnel_;
  std::unique_ptr<pb::Mesh::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_ = std::make_unique<grpc::ClientContext>();
  std::condition_variable changed_;
  ReadBudget budget_;
  SendQueue queue_;
  bool holding_ = true, reading_ = true, writing_ = false;
  bool greeted_ = false, admitted_ = false, late_ = false, done_ = false;
  grpc::Status status_;
  std::optional<Error> trouble_;
};

MeshClient::MeshClient(Membership& membership, NodeIdentity identity, Signer signer,
                       std::vector<pb::Role> roles, Intake& intake)
    : membership_(membership),
      identity_(std::move(identity)),
      signer_(std::move(signer)),
      roles_(std::move(roles)),
      intake_(intake),
      instance_(to_hex(random_bytes(kInstanceBytes))) {}

void MeshClient::start() {
  thread_ = std::thread([this] { run(); });
}

MeshClient::~MeshClient() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (line_) line_->cancel();
  }
  membership_.give_up();
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MeshClient::send(pb::Envelope envelope) {
  std::shared_ptr<Line> line;
  {
    std::lock_guard lock(mutex_);
    line = line_;
  }
  if (line) on_left_out(line->send(std::move(envelope)));
}

void MeshClient::on_left_out(SendQueue::Pushed pushed) {
  if (pushed == SendQueue::Pushed::kYes) return;
  const auto count = left_out_.count();
  if (count == 0) return;
  const bool large = pushed == SendQueue::Pushed::kTooLarge;
  on_news("left out on the line: " + std::to_string(count) + " messages lately, the last because " +
          (large ? "it was larger than 1 MiB" : "too much waits to be sent"));
}

void MeshClient::reopen_line() {
  on_news("nothing was heard from the server for 8 s; connecting again");
  std::lock_guard lock(mutex_);
  if (line_) line_->cancel();
}

void MeshClient::tell_roles(const roles::Event& event) {
  for (pb::Role role : roles_) intake_.post(role, event);
}

pb::Envelope MeshClient::hello_to(const pb::Challenge& challenge) const {
  pb::Envelope envelope;
  envelope.mutable_to()->set_role(pb::ROLE_SERVER);
  auto* hello = envelope.mutable_hello();
  hello->set_public_key(signer_.public_key);
  hello->set_signature(signer_.sign(wire::hello_bytes(challenge.nonce())));
  hello->set_version(identity_.version);
  hello->set_release(wire::kRelease);
  hello->set_role_flag(identity_.role_flag);
  hello->set_store_id(identity_.store_id);
  hello->set_owner(identity_.owner);
  hello->set_storage_address(identity_.storage_address);
  *hello->mutable_hardware() = identity_.hardware;
  hello->set_instance(instance_);
  return envelope;
}

void MeshClient::on_admitted() {
  {
    std::lock_guard lock(mutex_);
    refusal_.clear();
  }
  const auto& proxy = membership_.dialer().route().proxy;
  on_news("connected to the server at " + membership_.address() +
          (proxy ? " through " + proxy->shown() : ""));
  up_ = true;
  tell_roles(roles::LineUp{});
}

// Unless it is for good it is tried again, since a refusal may end; it is told once.
void MeshClient::on_refused(const pb::Refused& refused) {
  const std::string& why = refused.reason();
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(refusal_, why) == why) return;
    if (refused.final()) {
      dismissed_ = true;
      return;
    }
  }
  on_news("the server refuses this machine: " + why);
}

Result<std::shared_ptr<MeshClient::Line>> MeshClient::make_line() {
  MUSTER_TRY(const auto credentials, membership_.credentials());
  std::unique_ptr<dial::Tunnel> tunnel;
  if (membership_.dialer().route().proxy) {
    MUSTER_TRY(tunnel, dial::Tunnel::open(membership_.dialer()));
  }
  return std::make_shared<Line>(*this, credentials, std::move(tunnel));
}

// Null: not now.
std::shared_ptr<MeshClient::Line> MeshClient::open_line() {
  const auto made = make_line();
  std::unique_lock lock(mutex_);
  if (stopped_) return nullptr;
  if (made) {
    trouble_.clear();
    line_ = *made;  // Before it begins: whoever hears that it is up may speak on it.
    return line_;
  }
  const Error& error = made.error();
  if (error.code == Code::kPermission) {
    stopped_ = true;
    lock.unlock();
    on_denied(error);
  } else if (std::exchange(trouble_, error.message) != error.message) {
    lock.unlock();
    on_news(error.message + "; trying on");
  }
  return nullptr;
}

void MeshClient::run() {
  std::minstd_rand jitter(std::random_device{}());
  auto retry = kFirstRetry;
  while (true) {
    const auto line = open_line();
    if (line) line->begin();
    const std::string why = line ? line->wait() : "";
    std::unique_lock lock(mutex_);
    line_.reset();
    up_ = false;
    if (stopped_) return;
    if (dismissed_) {
      stopped_ = true;
      lock.unlock();
      return on_denied({Code::kPermission, "the server refuses this machine: " + refusal_});
    }
    if (!line) {
      // It has been told.
    } else if (line->was_admitted()) {
      on_news("the line to the server is lost (" + why + "); connecting again");
      tell_roles(roles::LineDown{});
      retry = kFirstRetry;
    } else if (retry == kFirstRetry && refusal_.empty()) {
      const std::string nobody = "no server answers at " + membership_.address() +
                                 (membership_.is_insecure() ? " without TLS (" : " (") + why + ")";
      on_news((line->trouble() ? line->trouble()->message : nobody) + "; trying on");
    }
    const auto pause = retry / 2 + std::chrono::milliseconds(jitter() % (retry.count() / 2 + 1));
    wake_.wait_for(lock, pause, [this] { return stopped_; });
    if (stopped_) return;
    retry = std::min(kSlowestRetry, retry * 2);
  }
}

}  // namespace muster::io
