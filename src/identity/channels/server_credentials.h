#pragma once

#include <grpc/grpc_security.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>

#include "identity/authority.h"

namespace muster::identity {

// Lets gRPC 1.51 speak nothing below TLS 1.3: with an ECDSA certificate no older suite is left. And
// has Abseil not watch the order of its mutexes. Before the first connection of the process, and
// before its threads.
void prepare_grpc();

// Of a server that only whoever has a certificate of the pool gets through to: others fail the
// handshake. Its own certificate may be replaced while it runs: connections that are there stay,
// later ones see the new one. Thread-safe.
class ServerCredentials final : public grpc::ServerCredentials {
 public:
  // `own` is the server's, of this authority.
  ServerCredentials(std::string authority, Credentials own);
  ~ServerCredentials() override;
  ServerCredentials(const ServerCredentials&) = delete;
  ServerCredentials& operator=(const ServerCredentials&) = delete;

  void replace(Credentials own);

 private:
  using Config = grpc_ssl_server_certificate_config;
  static grpc_ssl_certificate_config_reload_status fetch(void* self, Config** config);
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

  const std::string authority_;
  grpc_server_credentials* held_;
  std::mutex mutex_;  // Guards what follows.
  Credentials own_;
  bool is_new_ = true;  // gRPC has not asked for it yet.
};

}  // namespace muster::identity
