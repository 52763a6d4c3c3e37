#include "io/mesh/mesh_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <ctime>
#include <functional>

#include "identity/channels/server_credentials.h"
#include "io/descriptors.h"
#include "io/mesh/doorway.h"
#include "io/mesh/join_door.h"
#include "io/mesh/limits.h"
#include "io/mesh/lines.h"
#include "io/mesh/listener.h"
#include "io/mesh/node_line.h"
#include "io/mesh/pool_service.h"
#include "io/mesh/ticker.h"

namespace muster::io {
namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

constexpr std::chrono::seconds kTick{1};
constexpr int kHandshakeMs = 8'000;   // Until a connection has said that it speaks HTTP/2.
constexpr int kIdleMs = 60'000;       // Without a stream.
constexpr int kStreams = 100;         // At once on a connection.
constexpr int kPingEveryMs = 20'000;  // Finds connections whose other end is gone without a word,
constexpr int kPingWaitMs = 8'000;    // whatever is open on them.
constexpr int kPingsFromMs = 1'000;   // Clients may ping as often.

constexpr int64_t kOwnSeconds = 90L * 86'400;  // The server's own certificate.

int64_t unix_seconds() { return static_cast<int64_t>(std::time(nullptr)); }

void set_limits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxReceivedBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingEveryMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingWaitMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingsFromMs);
}

// What a server has beside its lines when it speaks TLS.
struct Secure {
  const identity::Authority* authority = nullptr;
  std::shared_ptr<identity::ServerCredentials> credentials;
  std::unique_ptr<JoinDoor> join;
  std::unique_ptr<Doorway> doorway;
  int64_t renew_at = 0;

  // A new certificate for the server itself, once it is due.
  void renew();
};

void Secure::renew() {
  const int64_t now = unix_seconds();
  if (now < renew_at) return;
  const auto own = authority->issue_server(now, kOwnSeconds);
  if (!own || !join->replace(*own)) return;
  credentials->replace(*own);
  renew_at = now + kOwnSeconds / 3 * 2;
}

}  // namespace

struct MeshServer::Running {
  explicit Running(Intake& intake) : lines(intake) {}
  Status begin_secure(const identity::Authority& authority);

  Lines lines;
  std::unique_ptr<MeshService> mesh;
  std::unique_ptr<PoolService> pool;
  Secure secure;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  Listener listener;
  std::unique_ptr<Ticker> ticker;
};

MeshServer::MeshServer(Intake& intake) : running_(std::make_unique<Running>(intake)) {}

MeshServer::~MeshServer() { stop(); }

Status MeshServer::Running::begin_secure(const identity::Authority& authority) {
  MUSTER_TRY(const auto own, authority.issue_server(unix_seconds(), kOwnSeconds));
  secure.authority = &authority;
  secure.renew_at = unix_seconds() + kOwnSeconds / 3 * 2;
  secure.credentials = std::make_shared<identity::ServerCredentials>(authority.certificate(), own);
  MUSTER_TRY(secure.join, JoinDoor::open(authority, own, lines));
  return {};
}

Status MeshServer::listen(const std::string& host, int port, const identity::Authority* authority) {
  MUSTER_TRY_STATUS(running_->listener.listen(host, port));
  running_->lines.on_news = on_news;
  running_->lines.on_refusal = on_refusal;
  if (authority != nullptr) MUSTER_TRY_STATUS(running_->begin_secure(*authority));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  running_->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      authority == nullptr ? grpc::InsecureServerCredentials() : running_->secure.credentials);
  set_limits(builder);
  running_->mesh = std::make_unique<MeshService>(running_->lines, authority != nullptr);
  running_->pool = std::make_unique<PoolService>(running_->lines, authority != nullptr);
  builder.RegisterService(running_->mesh.get());
  builder.RegisterService(running_->pool.get());
  running_->server = builder.BuildAndStart();
  if (!running_->server) return fail(Code::kUnavailable, "gRPC does not start; see its log above");
  std::function<void(int fd)> accept = [this](int fd) {
    Acceptor::NewConnectionParameters connection;
    connection.fd = fd;
    running_->acceptor->HandleNewConnection(&connection);
  };
  if (authority != nullptr) {
    running_->secure.doorway = std::make_unique<Doorway>(
        Doorway::Doors{[this](int fd) { running_->secure.join->take(fd); }, accept});
    accept = [this](int fd) { running_->secure.doorway->take(fd); };
  }
  running_->listener.start(Listener::limits_for(descriptor_limit()), {accept, on_news});
  running_->ticker = std::make_unique<Ticker>(kTick, [this](auto now) {
    running_->lines.tick(now);
    if (running_->secure.authority != nullptr) running_->secure.renew();
  });
  return {};
}

void MeshServer::stop() {
  running_->listener.stop();
  running_->ticker.reset();
  running_->secure.doorway.reset();
  running_->secure.join.reset();
  if (!running_->server) return;
  running_->server->GetHealthCheckService()->SetServingStatus(false);
  running_->lines.close_all();
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  running_->server.reset();
}

MeshServer::Refused MeshServer::refused() const {
  return {running_->listener.refused(), running_->lines.refusals()};
}

void MeshServer::send(pb::Envelope envelope) { running_->lines.tell(std::move(envelope)); }

}  // namespace muster::io
