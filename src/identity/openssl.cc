#include "identity/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace muster::identity::openssl {
namespace {

constexpr size_t kMostPemBytes = 16u << 10;
constexpr size_t kPublicBytes = 32, kSecretBytes = 64;

Bio reading(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(count)};
}

}  // namespace

Error error(Code code, std::string_view what) {
  const unsigned long last = ERR_peek_last_error();
  const char* reason = last == 0 ? nullptr : ERR_reason_error_string(last);
  ERR_clear_error();
  std::string message(what);
  if (reason != nullptr) message += std::string(": ") + reason;
  return {code, message};
}

Result<Certificate> read_certificate(const std::string& pem) {
  if (pem.size() > kMostPemBytes) return fail(Code::kDataLoss, "no certificate: it is too large");
  Certificate certificate(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail(error(Code::kDataLoss, "no certificate"));
  return certificate;
}

Result<Key> read_key(const std::string& pem) {
  if (pem.size() > kMostPemBytes) return fail(Code::kDataLoss, "no private key: it is too large");
  // Nobody is there to be asked for a password.
  char none[] = "";
  Key key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, none));
  if (!key) return fail(error(Code::kDataLoss, "no private key"));
  return key;
}

std::string to_pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

Result<Key> machine_key(std::string_view secret_key) {
  if (secret_key.size() != kSecretBytes) return fail(Code::kDataLoss, "no machine key");
  // libsodium's first 32 secret bytes are the seed, which is what OpenSSL calls the private key.
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                       reinterpret_cast<const unsigned char*>(secret_key.data()),
                                       kPublicBytes));
  if (!key) return fail(error(Code::kDataLoss, "no machine key"));
  return key;
}

std::string raw_public_key(const EVP_PKEY* key) {
  if (key == nullptr || EVP_PKEY_id(key) != EVP_PKEY_ED25519) return "";
  std::string bytes(kPublicBytes, '\0');
  size_t count = bytes.size();
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  return EVP_PKEY_get_raw_public_key(key, out, &count) == 1 ? bytes : "";
}

}  // namespace muster::identity::openssl
