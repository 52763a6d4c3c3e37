#pragma once

#include "base/address.h"
#include "base/result.h"
#include "dial/patience.h"
#include "dial/proxy.h"

namespace muster::dial {

// Asks the proxy, on a fresh connection to it that never blocks, to carry what comes next to the
// server (CONNECT). Errors as in dial().
Status ask_to_carry(int socket, const Proxy& proxy, const Address& server,
                    const Patience& patience);

}  // namespace muster::dial
