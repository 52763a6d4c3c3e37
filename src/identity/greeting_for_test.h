#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "identity/openssl.h"

namespace muster::identity {

// What a client of OpenSSL says first; null: without the name of a server.
inline std::string greeting_for_test(const char* name) {
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

}  // namespace muster::identity
