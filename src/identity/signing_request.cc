#include "identity/signing_request.h"

#include <openssl/err.h>

#include "identity/openssl.h"

namespace muster::identity {

Result<std::string> make_signing_request(std::string_view secret_key) {
  MUSTER_TRY(const auto key, openssl::machine_key(secret_key));
  const openssl::Request request(X509_REQ_new());
  unsigned char* der = nullptr;
  int count = 0;
  // Ed25519 takes no digest.
  if (X509_REQ_set_version(request.get(), 0) == 1 &&
      X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
      X509_REQ_sign(request.get(), key.get(), nullptr) > 0) {
    count = i2d_X509_REQ(request.get(), &der);
  }
  if (count <= 0) return fail(openssl::error(Code::kDataLoss, "no signing request"));
  std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(count));
  OPENSSL_free(der);
  return out;
}

Result<std::string> read_signing_request(std::string_view der) {
  if (der.size() > kMostRequestBytes) return fail(Code::kDataLoss, "the request is too large");
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = bytes;
  const openssl::Request request(d2i_X509_REQ(nullptr, &end, static_cast<long>(der.size())));
  if (!request || end != bytes + der.size()) {
    return fail(openssl::error(Code::kDataLoss, "it is no signing request"));
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  std::string public_key = openssl::raw_public_key(key);
  if (public_key.empty()) {
    return fail(openssl::error(Code::kDataLoss, "the request is not of an Ed25519 key"));
  }
  if (X509_REQ_verify(request.get(), key) != 1) {
    return fail(openssl::error(Code::kDataLoss, "the request is not signed with its key"));
  }
  return public_key;
}

}  // namespace muster::identity
