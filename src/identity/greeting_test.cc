#include "identity/greeting.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>

#include "identity/openssl.h"

namespace muster::identity {
namespace {

// What a client of OpenSSL says first.
std::string greeting(const char* name) {
  const std::unique_ptr<SSL_CTX, openssl::Free<SSL_CTX_free>> context(
      SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, openssl::Free<SSL_free>> ssl(SSL_new(context.get()));
  BIO* said = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), said);
  if (name != nullptr) SSL_set_tlsext_host_name(ssl.get(), name);
  SSL_connect(ssl.get());
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(said, &bytes);
  return {bytes, static_cast<size_t>(count)};
}

TEST(Greeting, SaysWhichServerItIsFor) {
  EXPECT_EQ(read_server_name(greeting("join.muster")), "join.muster");
  EXPECT_EQ(read_server_name(greeting("server.muster")), "server.muster");
  EXPECT_EQ(read_server_name(greeting(nullptr)), "");
}

TEST(Greeting, IsWaitedForUntilItIsWhole) {
  const std::string whole = greeting("join.muster");
  for (size_t count = 0; count < whole.size(); ++count) {
    EXPECT_EQ(read_server_name(whole.substr(0, count)), std::nullopt) << count;
  }
  EXPECT_EQ(read_server_name(whole + "and more"), "join.muster");
}

TEST(Greeting, OfSomethingElseIsNobodys) {
  EXPECT_EQ(read_server_name("PRI * HTTP/2.0"), "");
  EXPECT_EQ(read_server_name("GET / HTTP/1.1"), "");
  EXPECT_EQ(read_server_name(std::string("\x16\x03\x01\xff\xff", 5)), "") << "too long";
  EXPECT_EQ(read_server_name(std::string("\x16\x03\x01\x00\x00", 5)), "") << "empty";
}

// Whatever length is changed, what is read lies within the bytes (the sanitizers look).
TEST(Greeting, ThatWasTamperedWithIsReadWithinItsBounds) {
  const std::string whole = greeting("join.muster");
  for (size_t at = 5; at < whole.size(); ++at) {
    for (const int value : {0, 1, 127, 255}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      const auto name = read_server_name(changed);
      EXPECT_TRUE(!name || name->size() < whole.size());
    }
  }
}

}  // namespace
}  // namespace muster::identity
