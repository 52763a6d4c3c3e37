#pragma once

#include "base/file.h"
#include "base/result.h"
#include "identity/token.h"

namespace muster::identity {

// An operator's token in a server's folder, for whoever may read that: so that on its machine, for
// its user, every command works without any set-up. A link in state_home()/local, named by the
// port, leads there from a port alone.

// Writes `folder`/operator.token. kDisk.
Status leave_local_token(const Path& folder, const Token& token);
// Makes the link to the one in this folder. kDisk: who has no token then has to be given it.
Status link_local_token(const Path& folder, int port);
// That of the server at this port of this machine. kNotFound: no server of this user has left one;
// kPermission: it is not this user's to read.
Result<Token> find_local_token(int port);

}  // namespace muster::identity
