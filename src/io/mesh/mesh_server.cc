#include "io/mesh/mesh_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "io/mesh/lines.h"
#include "io/mesh/node_line.h"
#include "io/mesh/pool_service.h"

namespace muster::io {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;

}  // namespace

struct MeshServer::Running {
  explicit Running(host::Inbox& inbox) : lines(inbox), mesh(lines), pool(lines) {}
  Lines lines;
  MeshService mesh;
  PoolService pool;
  std::unique_ptr<grpc::Server> server;
};

MeshServer::MeshServer(host::Inbox& inbox) : running_(std::make_unique<Running>(inbox)) {}

MeshServer::~MeshServer() { stop(); }

Status MeshServer::listen(const std::string& host, int port) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int bound = 0;
  const std::string address = host + ":" + std::to_string(port);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &bound);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(&running_->mesh);
  builder.RegisterService(&running_->pool);
  running_->server = builder.BuildAndStart();
  if (running_->server && bound == port) return {};
  return fail(Code::kUnavailable, "cannot listen on " + address +
                                      ": the port is in use or the address is not this machine's; "
                                      "choose another with --port");
}

void MeshServer::stop() {
  if (!running_->server) return;
  running_->server->GetHealthCheckService()->SetServingStatus(false);
  running_->lines.cancel_all();
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  running_->server.reset();
}

void MeshServer::send(pb::Envelope envelope) { running_->lines.deliver(std::move(envelope)); }

}  // namespace muster::io
