#include "identity/authority.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/digest.h"
#include "identity/openssl.h"
#include "wire/keys.h"

namespace muster::identity {
namespace {

constexpr int64_t kDay = 86'400, kAuthoritySeconds = kDay * 365 * 20, kClockSlack = kDay * 2;

// What a certificate says; `issuer` null: it is its own.
struct Wanted {
  EVP_PKEY* key = nullptr;
  std::string name;
  int64_t from = 0, until = 0;
  std::string basic, usage, purpose, names;  // Of extensions; empty: it has none.
};

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3fu) | 0x40u);  // Positive, of one length.
  return ASN1_STRING_set(X509_get_serialNumber(certificate), bytes.data(),
                         static_cast<int>(bytes.size())) == 1;
}

bool set_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_time(ASN1_TIME* time, int64_t seconds) {
  return ASN1_TIME_adj(time, static_cast<time_t>(seconds), 0, 0) != nullptr;
}

bool extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  if (value.empty()) return true;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

Result<openssl::Certificate> sign(const Wanted& wanted, X509* issuer, EVP_PKEY* issuer_key) {
  openssl::Certificate made(X509_new());
  X509* certificate = made.get();
  const bool done =
      X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
      set_time(X509_getm_notBefore(certificate), wanted.from) &&
      set_time(X509_getm_notAfter(certificate), wanted.until) &&
      X509_set_pubkey(certificate, wanted.key) == 1 &&
      set_name(X509_get_subject_name(certificate), wanted.name) &&
      X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate)) ==
          1 &&
      extend(certificate, issuer ? issuer : certificate, NID_basic_constraints, wanted.basic) &&
      extend(certificate, issuer ? issuer : certificate, NID_key_usage, wanted.usage) &&
      extend(certificate, issuer ? issuer : certificate, NID_ext_key_usage, wanted.purpose) &&
      extend(certificate, issuer ? issuer : certificate, NID_subject_alt_name, wanted.names) &&
      X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
  if (!done) return fail(openssl::error(Code::kFailed, "a certificate could not be made"));
  return made;
}

Result<openssl::Key> new_key() {
  openssl::Key key(EVP_EC_gen("P-256"));
  if (!key) return fail(openssl::error(Code::kFailed, "a key could not be made"));
  return key;
}

// As OpenSSL's configuration has them. What people chose is in hex, since it may hold anything.
std::string names_of(const std::string& machine, const pb::Holder& holder) {
  std::string names = "URI:muster:machine:" + machine;
  names.append(",URI:muster:role:").append(wire::to_word(holder.role()));
  if (!holder.owner().empty()) names += ",URI:muster:owner:" + to_hex(holder.owner());
  if (!holder.token().empty()) names += ",URI:muster:token:" + holder.token();
  return names;
}

}  // namespace

struct Authority::Held {
  openssl::Certificate certificate;
  openssl::Key key;
};

Authority::Authority(std::unique_ptr<Held> held) : held_(std::move(held)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

Result<Authority> Authority::make(int64_t now) {
  auto held = std::make_unique<Held>();
  MUSTER_TRY(held->key, new_key());
  unsigned char bytes[8];
  if (RAND_bytes(bytes, sizeof bytes) != 1) {
    return fail(openssl::error(Code::kFailed, "no random bytes"));
  }
  // Each pool's has another name, so that one is told from another.
  const std::string name =
      "muster pool " + to_hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
  MUSTER_TRY(held->certificate, sign({.key = held->key.get(),
                                      .name = name,
                                      .from = now - kClockSlack,
                                      .until = now + kAuthoritySeconds,
                                      .basic = "critical,CA:TRUE,pathlen:0",
                                      .usage = "critical,keyCertSign,cRLSign"},
                                     nullptr, held->key.get()));
  return Authority(std::move(held));
}

Result<Authority> Authority::read(const Credentials& credentials) {
  auto held = std::make_unique<Held>();
  MUSTER_TRY(held->certificate, openssl::read_certificate(credentials.certificate));
  MUSTER_TRY(held->key, openssl::read_key(credentials.key));
  if (X509_check_ca(held->certificate.get()) == 0) {
    return fail(Code::kDataLoss, "the certificate is not an authority's");
  }
  if (X509_check_private_key(held->certificate.get(), held->key.get()) != 1) {
    return fail(openssl::error(Code::kDataLoss, "the key is not that of the certificate"));
  }
  return Authority(std::move(held));
}

Credentials Authority::credentials() const {
  return {certificate(), openssl::to_pem(held_->key.get())};
}

std::string Authority::certificate() const { return openssl::to_pem(held_->certificate.get()); }

Result<std::string> Authority::issue(std::string_view public_key, const pb::Holder& holder,
                                     int64_t now, int64_t seconds) const {
  const openssl::Key key(EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(public_key.data()),
      public_key.size()));
  if (!key) return fail(openssl::error(Code::kDataLoss, "it is no Ed25519 key"));
  const std::string machine = wire::machine_id(public_key);
  MUSTER_TRY(const auto made, sign({.key = key.get(),
                                    .name = machine,
                                    .from = now - kClockSlack,
                                    .until = now + seconds,
                                    .basic = "critical,CA:FALSE",
                                    .usage = "critical,digitalSignature",
                                    .purpose = "clientAuth",
                                    .names = names_of(machine, holder)},
                                   held_->certificate.get(), held_->key.get()));
  return openssl::to_pem(made.get());
}

Result<Credentials> Authority::issue_server(int64_t now, int64_t seconds) const {
  MUSTER_TRY(const auto key, new_key());
  MUSTER_TRY(const auto made, sign({.key = key.get(),
                                    .name = kServerName,
                                    .from = now - kClockSlack,
                                    .until = now + seconds,
                                    .basic = "critical,CA:FALSE",
                                    .usage = "critical,digitalSignature",
                                    .purpose = "serverAuth",
                                    .names = std::string("DNS:") + kServerName},
                                   held_->certificate.get(), held_->key.get()));
  return Credentials{openssl::to_pem(made.get()), openssl::to_pem(key.get())};
}

}  // namespace muster::identity
