#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/digest.h"
#include "base/file.h"
#include "base/result.h"
#include "dial/dial.h"
#include "wire/join.h"

namespace muster::identity {

// What somebody gets at the door.
struct Pass {
  std::string certificate;  // His own; PEM.
  std::string authority;    // The pool's; PEM.
};

// How long a visit at the door takes at most, with the way there.
constexpr std::chrono::seconds kKnockWait{10};

// Asks the server for a certificate, once it has proven to be that of the pool whose authority has
// this fingerprint. Blocks for kKnockWait at most, and for a fifth of a second when `given_up`
// becomes true. kUnavailable: nobody is there, or he says nothing, or by
// this machine's clock his certificate does not hold; kPermission: it is another pool's server, or
// it says no, in its own words; and what dial() says.
Result<Pass> knock(const dial::Route& route, const pb::JoinRequest& request,
                   const Digest& fingerprint, const std::atomic<bool>& given_up);

// The same on a connection of dial() to that address.
Result<Pass> knock_on(Descriptor socket, const std::string& address, const pb::JoinRequest& request,
                      const Digest& fingerprint, const dial::Patience& patience);

}  // namespace muster::identity
