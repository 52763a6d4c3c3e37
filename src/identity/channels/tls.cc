#include "identity/channels/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "identity/certificate.h"

namespace muster::identity::tls {
namespace {

Result<Context> context(const SSL_METHOD* method) {
  Context made(SSL_CTX_new(method));
  if (!made || SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION) != 1) {
    return fail(openssl::error(Code::kFailed, "no TLS"));
  }
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(made.get(), 0);
  SSL_CTX_set_mode(made.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return made;
}

// The certificate with this fingerprint among those that the other end has shown; null: none.
X509* shown(SSL* session, const Digest& wanted) {
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(session);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    const auto found = fingerprint(openssl::to_pem(certificate));
    if (found && *found == wanted) return certificate;
  }
  return nullptr;
}

// Whether the authority signed what the server shows, for a server, under the server's name.
Status check_chain(SSL* session, X509* authority) {
  const std::unique_ptr<X509_STORE, openssl::Free<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, openssl::Free<X509_STORE_CTX_free>> check(
      X509_STORE_CTX_new());
  X509_STORE_add_cert(store.get(), authority);
  X509_STORE_CTX_init(check.get(), store.get(), SSL_get0_peer_certificate(session), nullptr);
  X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(check.get());
  X509_VERIFY_PARAM_set_purpose(how, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set1_host(how, kServerName, 0);
  const bool good = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  if (good) return {};
  const int why = X509_STORE_CTX_get_error(check.get());
  const bool by_time = why == X509_V_ERR_CERT_NOT_YET_VALID || why == X509_V_ERR_CERT_HAS_EXPIRED;
  return fail(by_time ? Code::kUnavailable : Code::kPermission,  // Clocks are set.
              std::string("the server's certificate does not hold: ") +
                  X509_verify_cert_error_string(why) +
                  (by_time ? "; is the clock of this machine right?" : ""));
}

}  // namespace

Result<Context> door_context(const Credentials& own, const std::string& authority) {
  MUSTER_TRY(auto made, context(TLS_server_method()));
  MUSTER_TRY(const auto certificate, openssl::read_certificate(own.certificate));
  MUSTER_TRY(const auto key, openssl::read_key(own.key));
  MUSTER_TRY(const auto above, openssl::read_certificate(authority));
  if (SSL_CTX_use_certificate(made.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(made.get(), key.get()) != 1 ||
      SSL_CTX_add1_chain_cert(made.get(), above.get()) != 1) {
    return fail(openssl::error(Code::kFailed, "the server's certificate cannot be used"));
  }
  return made;
}

Result<Context> knocking_context() { return context(TLS_client_method()); }

Status check_server(SSL* session, const Digest& fingerprint, std::string& authority) {
  X509* found = shown(session, fingerprint);
  if (found == nullptr) {
    return fail(Code::kPermission,
                "the server is of another pool: not of the one that the token is of");
  }
  MUSTER_TRY_STATUS(check_chain(session, found));
  authority = openssl::to_pem(found);
  return {};
}

Need need_after(SSL* session, int result) {
  if (result > 0) return Need::kNothing;
  const int error = SSL_get_error(session, result);
  if (error == SSL_ERROR_WANT_READ) return Need::kRead;
  if (error == SSL_ERROR_WANT_WRITE) return Need::kWrite;
  return Need::kEnd;
}

}  // namespace muster::identity::tls
