#include "io/mesh/membership.h"

#include <ctime>
#include <utility>

#include "identity/application.h"
#include "identity/certificate.h"
#include "identity/channels/client_credentials.h"
#include "identity/openssl.h"

namespace muster::io {
namespace {

constexpr size_t kMostFileBytes = 32u << 10;
constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";

int64_t unix_seconds() { return static_cast<int64_t>(std::time(nullptr)); }

}  // namespace

Membership::Membership(identity::Access access, const Path& folder, const MachineKeys& keys,
                       pb::PoolRole role, std::string owner)
    : access_(std::move(access)),
      dialer_(access_.route()),
      file_(folder / "membership.pem"),
      keys_(keys),
      role_(role),
      owner_(std::move(owner)) {}

Result<std::shared_ptr<grpc::ChannelCredentials>> Membership::credentials() {
  if (access_.insecure) return grpc::InsecureChannelCredentials();
  load();
  leave_another_pool();
  try_another_token();
  MUSTER_TRY_STATUS(pass_ ? renew_if_due() : join());
  MUSTER_TRY(const auto key, identity::openssl::machine_key(keys_.secret_key()));
  return identity::client_credentials(pass_->authority,
                                      {pass_->certificate, identity::openssl::to_pem(key.get())});
}

// One that cannot be read, or is of another key or role, is as none.
void Membership::load() {
  if (std::exchange(loaded_, true)) return;
  const auto text = read_file(file_, kMostFileBytes);
  const size_t end = text ? text->find(kEnd) : std::string::npos;
  if (end == std::string::npos) return;
  identity::Pass pass{text->substr(0, end + kEnd.size()), text->substr(end + kEnd.size())};
  const auto certificate = identity::read_certificate(pass.certificate);
  const bool is_mine = certificate && certificate->public_key == keys_.public_key() &&
                       certificate->holder.role() == role_ &&
                       identity::check_issuer(pass.certificate, pass.authority);
  if (is_mine) pass_ = std::move(pass);
}

// A token that was given says which pool is meant; so does that of a server here, which may have
// begun another pool.
void Membership::leave_another_pool() {
  if (!pass_) return;
  const auto token = access_.find_token();
  const auto authority = identity::fingerprint(pass_->authority);
  if (token && authority && token->authority != *authority) pass_.reset();
}

// What it has may be worth nothing any more; if it is not, it serves on.
void Membership::try_another_token() {
  if (!pass_ || tried_token_) return;
  const auto certificate = identity::read_certificate(pass_->certificate);
  if (!certificate) return;
  const bool is_other = access_.token ? access_.token->id != certificate->holder.token()
                                      : access_.local_port != 0 && !owner_.empty() &&
                                            owner_ != certificate->holder.owner();
  const Status joined = is_other ? join() : Status();
  tried_token_ = joined || joined.error().code == Code::kPermission;
}

Status Membership::join() {
  MUSTER_TRY(const identity::Token token, access_.find_token());
  MUSTER_TRY(auto request, identity::make_join_request(keys_.secret_key(), role_));
  request.set_owner(owner_);
  request.set_token(token.word());
  Status entered = enter(request, token.authority);
  // Of a server here that has just been started again: it leaves another one.
  const bool is_stale = !entered && !access_.token && entered.error().code == Code::kPermission;
  if (is_stale) entered.error().code = Code::kUnavailable;
  return entered;
}

Status Membership::renew_if_due() {
  MUSTER_TRY(const auto certificate, identity::read_certificate(pass_->certificate));
  const int64_t now = unix_seconds();
  if (now < certificate.not_before) {
    auto early = identity::check_time(certificate, now);
    early.error().code = Code::kUnavailable;  // Clocks are set.
    return early;
  }
  if (!identity::is_renewal_due(certificate, now)) return {};
  MUSTER_TRY(const Digest authority, identity::fingerprint(pass_->authority));
  MUSTER_TRY(auto request, identity::make_join_request(keys_.secret_key(), role_));
  request.set_certificate(pass_->certificate);
  const Status renewed = enter(request, authority);
  return identity::check_time(certificate, now) ? Status() : renewed;
}

Status Membership::enter(const pb::JoinRequest& request, const Digest& authority) {
  const dial::Patience patience(identity::kKnockWait, given_up_);
  auto socket = dialer_.dial(patience);
  if (!socket) {
    Error why = socket.error();  // Not the pool's no, and proxies change.
    if (why.code == Code::kPermission) why.code = Code::kUnavailable;
    return fail(std::move(why));
  }
  MUSTER_TRY(auto pass,
             identity::knock_on(std::move(*socket), access_.address, request, authority, patience));
  MUSTER_TRY_STATUS(write_file_atomically(file_, pass.certificate + pass.authority));
  pass_ = std::move(pass);
  return {};
}

}  // namespace muster::io
