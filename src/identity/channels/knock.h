#pragma once

#include <atomic>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "wire/join.h"

namespace muster::identity {

// What somebody gets at the door.
struct Pass {
  std::string certificate;  // His own; PEM.
  std::string authority;    // The pool's; PEM.
};

// Asks the server at HOST:PORT for a certificate, once it has proven to be that of the pool whose
// authority has this fingerprint. Blocks for 10 s at most, and for a fifth of a second when
// `given_up` becomes true. kUnavailable: nobody is there, or he says nothing; kPermission: it is
// another pool's server, or it says no, in its own words.
Result<Pass> knock(const std::string& address, const pb::JoinRequest& request,
                   const Digest& fingerprint, const std::atomic<bool>& given_up);

}  // namespace muster::identity
