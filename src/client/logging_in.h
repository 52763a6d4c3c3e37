#pragma once

#include <atomic>

#include "base/result.h"
#include "identity/access.h"

namespace muster::client {

// Trades a person's token for a certificate of a new key. Blocks for 10 s at most. kPermission: the
// server says no, in its own words, or the token is a machine's.
Result<identity::Login> log_in(const identity::Access& access, const std::atomic<bool>& given_up);

// The login of `access`, which has one, as it was, or renewed by its key and kept anew when that is
// due. kPermission: it has expired, and the server does not renew it; or the clock here is wrong.
Result<identity::Login> renewed(const identity::Access& access, const std::atomic<bool>& given_up);

}  // namespace muster::client
