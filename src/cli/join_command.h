#pragma once

#include <string>

#include "base/address.h"
#include "identity/token.h"
#include "wire/pb.h"

namespace muster::cli {

// What whoever gets a token types to be in: one line for a POSIX shell.
std::string join_command(pb::PoolRole role, const identity::Token& token, const Address& server);

// The same for a machine that has Docker and the image muster-worker; empty: no machine is lent
// with such a token. It asks for GPUs only where Docker can give some, since it begins no container
// otherwise.
std::string docker_command(pb::PoolRole role, const identity::Token& token, const Address& server);

// Under which address others reach the server that this machine reaches at `server`: the same,
// unless that is a loopback address; then this machine's, if the server answers there. `warning`:
// what to tell whoever passes it on. Takes a second at most.
Address address_for_others(const Address& server, std::string& warning);

}  // namespace muster::cli
