#include "identity/certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <map>
#include <memory>

#include "identity/openssl.h"
#include "wire/bounds.h"
#include "wire/keys.h"

namespace muster::identity {
namespace {

constexpr std::string_view kPrefix = "muster:";

int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(timegm(&parts)) : 0;
}

std::string time_text(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const size_t count = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text.data(), count};
}

// Its names of the kind URI, "muster:NAME:VALUE", by NAME. One that is there twice says nothing.
std::map<std::string, std::string> names_of(const X509* certificate) {
  const auto free_names = [](GENERAL_NAMES* names) { GENERAL_NAMES_free(names); };
  const std::unique_ptr<GENERAL_NAMES, decltype(free_names)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      free_names);
  std::map<std::string, std::string> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    const std::string_view uri(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<size_t>(ASN1_STRING_length(text)));
    if (!uri.starts_with(kPrefix)) continue;
    const std::string_view words = uri.substr(kPrefix.size());
    const size_t colon = words.find(':');
    if (colon == std::string_view::npos) continue;
    const bool is_new =
        found.emplace(words.substr(0, colon), std::string(words.substr(colon + 1))).second;
    if (!is_new) return {};
  }
  return found;
}

}  // namespace

Result<Certificate> read_certificate(const std::string& pem) {
  MUSTER_TRY(const auto found, openssl::read_certificate(pem));
  Certificate out;
  out.public_key = openssl::raw_public_key(X509_get0_pubkey(found.get()));
  if (out.public_key.empty()) return fail(Code::kDataLoss, "a certificate without a machine key");
  out.machine = wire::machine_id(out.public_key);
  auto names = names_of(found.get());
  out.holder.set_role(wire::to_pool_role(names["role"]));
  if (names["machine"] != out.machine || out.holder.role() == pb::POOL_ROLE_UNSPECIFIED) {
    return fail(Code::kDataLoss, "a certificate of something else");
  }
  MUSTER_TRY(*out.holder.mutable_owner(), from_hex(names["owner"]));
  out.holder.set_token(names["token"]);
  MUSTER_TRY_STATUS(wire::check_bounds(out.holder));
  out.not_before = seconds_of(X509_get0_notBefore(found.get()));
  out.not_after = seconds_of(X509_get0_notAfter(found.get()));
  return out;
}

Status check_issuer(const std::string& pem, const std::string& authority_pem) {
  MUSTER_TRY(const auto certificate, openssl::read_certificate(pem));
  MUSTER_TRY(const auto authority, openssl::read_certificate(authority_pem));
  const bool is_named = X509_NAME_cmp(X509_get_issuer_name(certificate.get()),
                                      X509_get_subject_name(authority.get())) == 0;
  const bool is_signed = X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  if (is_named && is_signed) return {};
  return fail(Code::kPermission, "the certificate is another pool's");
}

Status check_time(const Certificate& certificate, int64_t now) {
  if (now < certificate.not_before) {
    return fail(Code::kPermission,
                "the certificate holds from " + time_text(certificate.not_before) +
                    ", and the clock here says " + time_text(now) + ": set the clock");
  }
  if (now >= certificate.not_after) {
    return fail(Code::kPermission, "the certificate held until " +
                                       time_text(certificate.not_after) +
                                       ", and the clock here says " + time_text(now));
  }
  return {};
}

bool is_renewal_due(const Certificate& certificate, int64_t now) {
  return (certificate.not_after - now) * 3 <= certificate.not_after - certificate.not_before;
}

Result<Digest> fingerprint(const std::string& pem) {
  MUSTER_TRY(const auto certificate, openssl::read_certificate(pem));
  unsigned char* der = nullptr;
  const int count = i2d_X509(certificate.get(), &der);
  if (count <= 0) return fail(openssl::error(Code::kDataLoss, "no certificate"));
  const Digest digest = sha256({reinterpret_cast<const char*>(der), static_cast<size_t>(count)});
  OPENSSL_free(der);
  return digest;
}

}  // namespace muster::identity
