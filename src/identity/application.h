#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "wire/join.h"

namespace muster::identity {

// The door of a server as a connection's greeting names it, beside kServerName for those who have a
// certificate already.
constexpr const char* kDoorName = "join.muster";
// Bytes of the one message of each side.
constexpr size_t kMostJoinBytes = 16u << 10;

// Who asks for a certificate, proven by the request's signature, and by which right: as the
// server's role is asked.
struct Application {
  std::string public_key;
  pb::Join join;
};

// What a request says, once it is known to be good as far as that can be known without the tokens.
// `authority`: the pool's, in PEM. kPermission: a token or a certificate of another pool;
// kInvalidArgument: what is none.
Result<Application> examine(const pb::JoinRequest& request, const std::string& authority);

// A request of who has this key (libsodium's 64 secret bytes), but for its right: a token's word or
// a certificate.
Result<pb::JoinRequest> make_join_request(std::string_view secret_key, pb::PoolRole role);

}  // namespace muster::identity
