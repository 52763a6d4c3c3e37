#include "client/logging_in.h"

#include <sodium.h>

#include <ctime>

#include "identity/application.h"
#include "identity/certificate.h"
#include "identity/channels/knock.h"

namespace muster::client {

Result<identity::Login> log_in(const identity::Access& access, const std::atomic<bool>& given_up) {
  std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
  std::string secret_key(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                      reinterpret_cast<unsigned char*>(secret_key.data()));
  MUSTER_TRY(const auto token, access.find_token());
  MUSTER_TRY(auto request, identity::make_join_request(secret_key, pb::POOL_ROLE_UNSPECIFIED));
  request.set_token(token.word());
  MUSTER_TRY(auto pass, identity::knock(access.route(), request, token.authority, given_up));
  return identity::Login{access.address, std::move(secret_key), std::move(pass.certificate),
                         std::move(pass.authority)};
}

Result<identity::Login> renewed(const identity::Access& access, const std::atomic<bool>& given_up) {
  const identity::Login& login = *access.login;
  MUSTER_TRY(const auto certificate, identity::read_certificate(login.certificate));
  const auto now = static_cast<int64_t>(std::time(nullptr));
  const Status holds = identity::check_time(certificate, now);
  if (now < certificate.not_before) return fail(holds.error());
  if (!identity::is_renewal_due(certificate, now)) return login;
  MUSTER_TRY(const Digest authority, identity::fingerprint(login.authority));
  MUSTER_TRY(auto request,
             identity::make_join_request(login.secret_key, pb::POOL_ROLE_UNSPECIFIED));
  request.set_certificate(login.certificate);
  auto pass = identity::knock(access.route(), request, authority, given_up);
  if (!pass && holds) return login;
  if (!pass) return fail(pass.error());
  identity::Login next = login;
  next.certificate = std::move(pass->certificate);
  next.authority = std::move(pass->authority);
  MUSTER_TRY_STATUS(identity::write_login(identity::login_file(), next));
  return next;
}

}  // namespace muster::client
