#include "io/mesh/mesh_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "io/descriptors.h"
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

void set_limits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxReceivedBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingEveryMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingWaitMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingsFromMs);
}

}  // namespace

struct MeshServer::Running {
  explicit Running(Intake& intake) : lines(intake), mesh(lines), pool(lines) {}
  Lines lines;
  MeshService mesh;
  PoolService pool;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  Listener listener;
  std::unique_ptr<Ticker> ticker;
};

MeshServer::MeshServer(Intake& intake) : running_(std::make_unique<Running>(intake)) {}

MeshServer::~MeshServer() { stop(); }

Status MeshServer::listen(const std::string& host, int port) {
  MUSTER_TRY_STATUS(running_->listener.listen(host, port));
  running_->lines.on_news = on_news;
  running_->lines.on_refusal = on_refusal;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  running_->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  set_limits(builder);
  builder.RegisterService(&running_->mesh);
  builder.RegisterService(&running_->pool);
  running_->server = builder.BuildAndStart();
  if (!running_->server) return fail(Code::kUnavailable, "gRPC does not start; see its log above");
  auto accept = [this](int fd) {
    Acceptor::NewConnectionParameters connection;
    connection.fd = fd;
    running_->acceptor->HandleNewConnection(&connection);
  };
  running_->listener.start(Listener::limits_for(descriptor_limit()), {accept, on_news});
  running_->ticker =
      std::make_unique<Ticker>(kTick, [this](auto now) { running_->lines.tick(now); });
  return {};
}

void MeshServer::stop() {
  running_->listener.stop();
  running_->ticker.reset();
  if (!running_->server) return;
  running_->server->GetHealthCheckService()->SetServingStatus(false);
  running_->lines.close_all();
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  running_->server.reset();
}

void MeshServer::send(pb::Envelope envelope) { running_->lines.tell(std::move(envelope)); }

}  // namespace muster::io
