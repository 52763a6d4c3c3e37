#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sodium.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>

#include "identity/certificate.h"
#include "identity/channels/client_credentials.h"
#include "identity/channels/server_credentials.h"
#include "identity/openssl.h"

namespace muster::identity {
namespace {

constexpr int64_t kHour = 3600;

int64_t now() { return static_cast<int64_t>(std::time(nullptr)); }

// A person or a machine with a key of its own.
struct Holder {
  Holder() : public_key(32, '\0'), secret_key(64, '\0') {
    crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                        reinterpret_cast<unsigned char*>(secret_key.data()));
  }
  [[nodiscard]] Credentials of(const Authority& authority, int64_t seconds = kHour) const {
    const auto key = openssl::machine_key(secret_key);
    return {*authority.issue(public_key, wire::make_holder(pb::POOL_ROLE_WORKER), now(), seconds),
            openssl::to_pem(key->get())};
  }
  std::string public_key, secret_key;
};

// A server of the pool that answers nothing: here it matters who gets through to it.
class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    prepare_grpc();
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service);
    builder.AddListeningPort("127.0.0.1:0", server_credentials, &port);
    server = builder.BuildAndStart();
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  // Whether a handshake succeeds.
  [[nodiscard]] bool connects(const std::shared_ptr<grpc::ChannelCredentials>& with) const {
    return channel(with)->WaitForConnected(std::chrono::system_clock::now() +
                                           std::chrono::seconds(2));
  }
  [[nodiscard]] std::shared_ptr<grpc::Channel> channel(
      const std::shared_ptr<grpc::ChannelCredentials>& with) const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    set_server_name(arguments);
    return grpc::CreateCustomChannel(address(), with, arguments);
  }
  // The version of TLS that a client gets which speaks nothing above `most`; 0: none.
  [[nodiscard]] int tls_version(int most) const {
    const std::unique_ptr<SSL_CTX, openssl::Free<SSL_CTX_free>> context(
        SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(context.get(), most);
    BIO* connection = BIO_new_connect(address().c_str());
    const std::unique_ptr<SSL, openssl::Free<SSL_free>> ssl(SSL_new(context.get()));
    SSL_set_bio(ssl.get(), connection, connection);
    return SSL_connect(ssl.get()) == 1 ? SSL_version(ssl.get()) : 0;
  }

  Authority authority = *Authority::make(now());
  std::shared_ptr<ServerCredentials> server_credentials = std::make_shared<ServerCredentials>(
      authority.certificate(), *authority.issue_server(now(), kHour));
  int port = 0;
  grpc::CallbackGenericService service;
  std::unique_ptr<grpc::Server> server;
  Holder holder;
};

TEST_F(CredentialsTest, LetInWhoeverHasACertificateOfThePool) {
  EXPECT_TRUE(connects(client_credentials(authority.certificate(), holder.of(authority))));
}

TEST_F(CredentialsTest, LetNobodyElseIn) {
  const Authority other = *Authority::make(now());
  const auto handshake = [&](const Credentials& own) {
    // With a certificate that is refused a client of TLS 1.3 thinks for a moment that it is in.
    auto stub = channel(client_credentials(authority.certificate(), own));
    stub->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
    return stub->WaitForStateChange(GRPC_CHANNEL_READY,
                                    std::chrono::system_clock::now() + std::chrono::seconds(2));
  };
  EXPECT_FALSE(handshake(holder.of(authority))) << "it stays";
  EXPECT_TRUE(handshake(holder.of(other)));
  EXPECT_TRUE(handshake(holder.of(authority, -kHour))) << "it has expired";
  EXPECT_TRUE(handshake({}));
}

TEST_F(CredentialsTest, TellTheServerOfAnotherPool) {
  const Authority other = *Authority::make(now());
  EXPECT_FALSE(connects(client_credentials(other.certificate(), holder.of(other))));
}

TEST_F(CredentialsTest, TakeNoNodeForTheServer) {
  server_credentials->replace(holder.of(authority));
  EXPECT_FALSE(connects(client_credentials(authority.certificate(), holder.of(authority))));
}

TEST_F(CredentialsTest, AreReplacedWhileConnectionsStay) {
  const auto first = channel(client_credentials(authority.certificate(), holder.of(authority)));
  ASSERT_TRUE(first->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5)));
  server_credentials->replace(*authority.issue_server(now(), 2 * kHour));
  EXPECT_TRUE(connects(client_credentials(authority.certificate(), holder.of(authority))));
  EXPECT_EQ(first->GetState(false), GRPC_CHANNEL_READY);
  server_credentials->replace({"no certificate", "no key"});
  EXPECT_TRUE(connects(client_credentials(authority.certificate(), holder.of(authority))))
      << "the one before is still good";
}

TEST_F(CredentialsTest, SpeakNothingBelowTls13) {
  EXPECT_EQ(tls_version(TLS1_2_VERSION), 0);
  EXPECT_EQ(tls_version(TLS1_3_VERSION), TLS1_3_VERSION);
}

}  // namespace
}  // namespace muster::identity
