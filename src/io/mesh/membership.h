#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "dial/dialer.h"
#include "identity/access.h"
#include "identity/channels/knock.h"
#include "io/machine_keys.h"
#include "wire/pb.h"

namespace muster::io {

// A node's right to be in its pool: its certificate, got for a token, kept in its folder
// (membership.pem, the authority's behind it) and renewed when a third of its time is left, or
// later, by its key alone. One that was got for another token than the node is given now, or for
// another owner on the server's machine, is replaced, if the server lets it. Of one thread, but for
// give_up().
class Membership {
 public:
  // `folder` is the node's, and `keys` outlive the object.
  // `owner`: whose machine it is, where who gave the token leaves it open.
  Membership(identity::Access access, const Path& folder, const MachineKeys& keys,
             pb::PoolRole role, std::string owner);

  [[nodiscard]] const std::string& address() const { return access_.address; }
  // The way there, for door and line.
  [[nodiscard]] dial::Dialer& dialer() { return dialer_; }
  [[nodiscard]] bool is_insecure() const { return access_.insecure; }

  // What to connect with now. Blocks for 10 s at most. kPermission: trying again is of no use, and
  // says why; anything else may pass.
  Result<std::shared_ptr<grpc::ChannelCredentials>> credentials();
  // Nobody waits for it any more. Any thread.
  void give_up() { given_up_ = true; }

 private:
  void load();
  void leave_another_pool();
  void try_another_token();
  Status join();
  Status renew_if_due();
  Status enter(const pb::JoinRequest& request, const Digest& authority);

  const identity::Access access_;
  dial::Dialer dialer_;
  const Path file_;
  const MachineKeys& keys_;
  const pb::PoolRole role_;
  const std::string owner_;
  bool loaded_ = false, tried_token_ = false;
  std::optional<identity::Pass> pass_;
  std::atomic<bool> given_up_ = false;
};

}  // namespace muster::io
