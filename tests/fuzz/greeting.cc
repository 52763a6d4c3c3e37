// What a connection says first (identity/greeting.h): where it goes is decided by it before a byte
// is taken. However it is cut into pieces, the answer is the same: no piece of it says one thing
// and the whole another, and no more is waited for than a record has. A name that it asks for lies
// in it.
#include <openssl/ssl.h>

#include <memory>

#include "base/check.h"
#include "identity/greeting.h"
#include "identity/openssl.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using identity::read_server_name;

std::string greeting(const char* name) {
  const std::unique_ptr<SSL_CTX, identity::openssl::Free<SSL_CTX_free>> context(
      SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, identity::openssl::Free<SSL_free>> ssl(SSL_new(context.get()));
  BIO* said = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), said);
  if (name != nullptr) SSL_set_tlsext_host_name(ssl.get(), name);
  SSL_connect(ssl.get());
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(said, &bytes);
  return {bytes, static_cast<size_t>(count)};
}

}  // namespace

void run(std::string_view input) {
  const auto whole = read_server_name(input);
  MUSTER_CHECK(whole || input.size() < identity::kMostGreetingBytes);
  if (whole) MUSTER_CHECK(input.find(*whole) != std::string_view::npos);
  for (size_t count = 0; count < input.size(); count += 1 + count / 8) {
    const auto said = read_server_name(input.substr(0, count));
    MUSTER_CHECK(!said || said == whole);
  }
}

std::vector<std::string> seeds() {
  return {greeting("join.muster"), greeting("server.muster"), greeting(nullptr), "GET / HTTP/1.1",
          std::string("\x16\x03\x01\x00\x05\x01", 6)};
}

std::vector<std::string> words() {
  return {"join.muster", "server.muster", std::string("\x00\x00\x00\x10\x00\x0e\x00\x00\x0b", 9),
          std::string("\x16\x03\x01", 3)};
}

}  // namespace muster::fuzz
