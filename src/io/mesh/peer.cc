#include "io/mesh/peer.h"

#include "identity/certificate.h"
#include "wire/pool_role.h"
#include "wire/role_flag.h"

namespace muster::io {

Result<Peer> Peer::of(const grpc::CallbackServerContext& context, bool secure) {
  if (!secure) {
    Peer anybody;
    anybody.holder.set_role(pb::POOL_ROLE_OPERATOR);
    return anybody;
  }
  const auto authentication = context.auth_context();
  if (!authentication || !authentication->IsPeerAuthenticated()) {
    return fail(Code::kPermission, "this server wants a certificate");
  }
  const auto shown = authentication->FindPropertyValues("x509_pem_cert");
  if (shown.size() != 1) return fail(Code::kPermission, "this server wants one certificate");
  const auto certificate =
      identity::read_certificate(std::string(shown.front().data(), shown.front().size()));
  if (!certificate) return fail(Code::kPermission, certificate.error().message);
  return Peer{true, certificate->public_key, certificate->holder};
}

Status Peer::check_node(const std::string& hello_key, pb::RoleFlag flag) const {
  if (!is_known) return {};
  if (hello_key != public_key) {
    return fail(Code::kPermission, "the machine's key is not that of its certificate");
  }
  if (wire::may_connect(holder.role(), flag)) return {};
  return fail(Code::kPermission,
              "its certificate is that of a " + std::string(wire::to_word(holder.role())) +
                  ", and it is a " +
                  (flag == pb::ROLE_FLAG_COORDINATOR ? "coordinator" : "worker") +
                  ": it needs a token for that");
}

}  // namespace muster::io
