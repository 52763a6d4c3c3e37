#pragma once

#include "base/file.h"
#include "base/result.h"
#include "identity/token.h"

namespace muster::identity {

// Tokens in a folder of the server's machine, for whoever may read that: so that there, for its
// user, every command works without any set-up. A link in state_home()/local, named by the port,
// leads to the operator's from a port alone.

// Writes `folder`/`role`.token, for nobody else (0600). kDisk.
Status leave_local_token(const Path& folder, const std::string& role, const Token& token);
// Makes the link to the operator's in this folder. kDisk: who has no token then has to be given it.
Status link_local_token(const Path& folder, int port);
// That of the server at this port of this machine. kNotFound: no server of this user has left one;
// kPermission: it is not this user's to read.
Result<Token> find_local_token(int port);

}  // namespace muster::identity
