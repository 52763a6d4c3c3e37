#include "identity/channels/server_credentials.h"

#include <absl/synchronization/mutex.h>

#include <cstdlib>
#include <utility>

namespace muster::identity {

void prepare_grpc() {
  // Debian builds Abseil so that it keeps a graph of the order in which mutexes are taken, a fifth
  // of what a busy server computes, and would end the process over a cycle in it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-RSA-AES256-GCM-SHA384", 1);
}

ServerCredentials::ServerCredentials(std::string authority, Credentials own)
    : authority_(std::move(authority)),
      held_(grpc_ssl_server_credentials_create_with_options(
          grpc_ssl_server_credentials_create_options_using_config_fetcher(
              GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, this))),
      own_(std::move(own)) {}

ServerCredentials::~ServerCredentials() { grpc_server_credentials_release(held_); }

void ServerCredentials::replace(Credentials own) {
  std::lock_guard lock(mutex_);
  own_ = std::move(own);
  is_new_ = true;
}

// gRPC asks at each handshake, and keeps what it had should the new one be of no use.
grpc_ssl_certificate_config_reload_status ServerCredentials::fetch(void* self, Config** config) {
  auto& credentials = *static_cast<ServerCredentials*>(self);
  std::lock_guard lock(credentials.mutex_);
  if (!std::exchange(credentials.is_new_, false)) {
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  }
  const grpc_ssl_pem_key_cert_pair pair{credentials.own_.key.c_str(),
                                        credentials.own_.certificate.c_str()};
  *config = grpc_ssl_server_certificate_config_create(credentials.authority_.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

int ServerCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), held_);
}

}  // namespace muster::identity
