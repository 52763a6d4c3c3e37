#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::identity::openssl {

template <auto F>
struct Free {
  template <typename T>
  void operator()(T* what) const {
    F(what);
  }
};
// What OpenSSL gave and wants back.
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

// What OpenSSL said last, and nothing of it is left behind for others to read.
Error error(Code code, std::string_view what);

// One certificate or private key in PEM, and nothing behind it. kDataLoss.
Result<Certificate> read_certificate(const std::string& pem);
Result<Key> read_key(const std::string& pem);
std::string to_pem(X509* certificate);
std::string to_pem(EVP_PKEY* key);

// The TLS key that is the machine's own: Ed25519, of libsodium's 64 secret bytes.
Result<Key> machine_key(std::string_view secret_key);
// The 32 bytes of an Ed25519 key, as a Hello has them; empty for a key of another kind.
std::string raw_public_key(const EVP_PKEY* key);

}  // namespace muster::identity::openssl
