#include "identity/access.h"

#include "identity/local_token.h"

namespace muster::identity {

Result<Token> Access::find_token() const {
  if (token) return *token;
  if (local_port == 0) {
    return fail(Code::kPermission,
                "the pool at " + address +
                    " wants a token: ask its operator ('muster token create' on the server's "
                    "machine) and give it by 'muster login', --token_file or MUSTER_TOKEN");
  }
  auto found = find_local_token(local_port);
  if (found) return found;
  return fail(Code::kUnavailable,
              found.error().code == Code::kNotFound
                  ? "no muster server answers at " + address +
                        " to this user; check --ip and --port, start 'muster server', or give a "
                        "token by --token_file or MUSTER_TOKEN"
                  : "the token of the server at " + address + ": " + found.error().message);
}

}  // namespace muster::identity
