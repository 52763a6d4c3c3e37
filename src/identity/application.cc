#include "identity/application.h"

#include "identity/certificate.h"
#include "identity/signing_request.h"
#include "identity/token.h"
#include "wire/bounds.h"
#include "wire/keys.h"

namespace muster::identity {
namespace {

Status add_token(const std::string& word, const std::string& authority, pb::Join& join) {
  MUSTER_TRY(const Token token, Token::parse(word));
  MUSTER_TRY(const Digest own, fingerprint(authority));
  if (token.authority != own) return fail(Code::kPermission, "the token is of another pool");
  join.mutable_holder()->set_token(token.id);
  join.set_token_hash(std::string(token.hash().view()));
  return {};
}

// An expired one is as good: it says who he was, and his key that he still is.
Status add_certificate(const std::string& pem, const std::string& authority,
                       const std::string& public_key, pb::Join& join) {
  MUSTER_TRY_STATUS(check_issuer(pem, authority));
  MUSTER_TRY(const Certificate certificate, read_certificate(pem));
  if (certificate.public_key != public_key) {
    return fail(Code::kPermission, "the certificate is of another key");
  }
  *join.mutable_holder() = certificate.holder;
  join.set_renewal(true);
  return {};
}

}  // namespace

Result<Application> examine(const pb::JoinRequest& request, const std::string& authority) {
  MUSTER_TRY_STATUS(wire::check_bounds(request));
  Application out;
  MUSTER_TRY(out.public_key, read_signing_request(request.signing_request()));
  out.join.set_machine(wire::machine_id(out.public_key));
  out.join.mutable_holder()->set_role(request.role());
  out.join.mutable_holder()->set_owner(request.owner());
  MUSTER_TRY_STATUS(
      request.certificate().empty()
          ? add_token(request.token(), authority, out.join)
          : add_certificate(request.certificate(), authority, out.public_key, out.join));
  return out;
}

Result<pb::JoinRequest> make_join_request(std::string_view secret_key, pb::PoolRole role) {
  pb::JoinRequest request;
  MUSTER_TRY(*request.mutable_signing_request(), make_signing_request(secret_key));
  request.set_role(role);
  request.set_version(MUSTER_VERSION);
  return request;
}

}  // namespace muster::identity
