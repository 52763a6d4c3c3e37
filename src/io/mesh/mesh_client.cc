#include "io/mesh/mesh_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <random>

#include "io/mesh/send_queue.h"
#include "muster/v1/pool.grpc.pb.h"

namespace muster::io {
namespace {

constexpr auto kFirstRetry = std::chrono::milliseconds(200);
constexpr auto kSlowestRetry = std::chrono::milliseconds(5000);
constexpr int kMaxMessageBytes = 4 << 20;

std::shared_ptr<grpc::Channel> open_channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // gRPC's own back-off goes up to 120 s; ours decides.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

// One stream to the server, from its start to its end.
class MeshClient::Line final : public grpc::ClientBidiReactor<pb::Envelope, pb::Envelope> {
 public:
  Line(MeshClient& owner, pb::Mesh::Stub& stub) : owner_(owner) {
    stub.async()->Connect(&context_, this);
    StartRead(&incoming_);
    StartCall();
  }

  void send(pb::Envelope envelope) {
    std::lock_guard lock(mutex_);
    if (done_) return;
    if (!queue_.push(std::move(envelope))) return context_.TryCancel();
    write_next();
  }
  void cancel() { context_.TryCancel(); }

  // Blocks until the stream is over; returns why.
  std::string wait() {
    std::unique_lock lock(mutex_);
    over_.wait(lock, [this] { return done_; });
    return status_.ok() ? "the server closed it" : status_.error_message();
  }

  bool admitted = false;  // Only touched by OnReadDone.

  void OnReadDone(bool ok) override {
    if (!ok) return;
    owner_.on_envelope(*this, std::move(incoming_));
    incoming_.Clear();
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) write_next();
  }
  void OnDone(const grpc::Status& status) override {
    std::lock_guard lock(mutex_);
    status_ = status;
    done_ = true;
    over_.notify_all();
  }

 private:
  void write_next() {
    if (writing_ || queue_.empty()) return;
    writing_ = true;
    outgoing_ = queue_.pop();
    StartWrite(&outgoing_);
  }

  MeshClient& owner_;
  grpc::ClientContext context_;
  pb::Envelope incoming_, outgoing_;
  std::mutex mutex_;
  std::condition_variable over_;
  SendQueue queue_;
  bool writing_ = false, done_ = false;
  grpc::Status status_;
};

MeshClient::MeshClient(std::string server_address, NodeIdentity identity, Signer signer,
                       std::vector<pb::Role> roles, host::Inbox& inbox)
    : address_(std::move(server_address)),
      identity_(std::move(identity)),
      signer_(std::move(signer)),
      roles_(std::move(roles)),
      inbox_(inbox) {}

void MeshClient::start() {
  thread_ = std::thread([this] { run(); });
}

MeshClient::~MeshClient() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (line_) line_->cancel();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MeshClient::send(pb::Envelope envelope) {
  std::shared_ptr<Line> line;
  {
    std::lock_guard lock(mutex_);
    line = line_;
  }
  if (line) line->send(std::move(envelope));
}

void MeshClient::reopen_line() {
  on_news("nothing was heard from the server for 8 s; connecting again");
  std::lock_guard lock(mutex_);
  if (line_) line_->cancel();
}

void MeshClient::tell_roles(roles::Event event) {
  for (pb::Role role : roles_) inbox_.post(role, event);
}

void MeshClient::greet(Line& line, const pb::Challenge& challenge) {
  pb::Envelope envelope;
  envelope.mutable_to()->set_role(pb::ROLE_SERVER);
  auto* hello = envelope.mutable_hello();
  hello->set_public_key(signer_.public_key);
  hello->set_signature(signer_.sign(challenge.nonce()));
  hello->set_version(identity_.version);
  hello->set_role_flag(identity_.role_flag);
  hello->set_store_id(identity_.store_id);
  hello->set_owner(identity_.owner);
  hello->set_storage_address(identity_.storage_address);
  line.send(std::move(envelope));
}

void MeshClient::on_envelope(Line& line, pb::Envelope envelope) {
  if (envelope.has_challenge()) return greet(line, envelope.challenge());
  if (envelope.has_refused()) {
    on_news("the server refuses this machine: " + envelope.refused().reason());
    return line.cancel();
  }
  if (!line.admitted) {
    line.admitted = true;
    on_news("connected to the server at " + address_);
    tell_roles(roles::LineUp{});
  }
  inbox_.receive(std::move(envelope));
}

void MeshClient::run() {
  const auto stub = pb::Mesh::NewStub(open_channel(address_));
  std::minstd_rand jitter(std::random_device{}());
  auto retry = kFirstRetry;
  while (true) {
    auto line = std::make_shared<Line>(*this, *stub);
    {
      std::lock_guard lock(mutex_);
      line_ = line;
      if (stopped_) line->cancel();
    }
    const std::string why = line->wait();
    std::unique_lock lock(mutex_);
    line_.reset();
    if (stopped_) return;
    if (line->admitted) {
      on_news("the line to the server is lost (" + why + "); connecting again");
      tell_roles(roles::LineDown{});
      retry = kFirstRetry;
    } else if (retry == kFirstRetry) {
      on_news("no server answers at " + address_ + "; trying on");
    }
    const auto pause = retry / 2 + std::chrono::milliseconds(jitter() % (retry.count() / 2 + 1));
    wake_.wait_for(lock, pause, [this] { return stopped_; });
    if (stopped_) return;
    retry = std::min(kSlowestRetry, retry * 2);
  }
}

}  // namespace muster::io
