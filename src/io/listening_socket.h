#pragma once

#include <string>

#include "base/address.h"
#include "base/result.h"

namespace muster::io {

// A socket that listens, which whoever gets it closes; it does not block. "::" takes IPv4 too, and
// "localhost" is 127.0.0.1 first. kUnavailable, when the port is in use or the address is not this
// machine's: then `flag` is named as what to choose another port with.
Result<int> open_listening_socket(const Address& address, const std::string& flag);

}  // namespace muster::io
