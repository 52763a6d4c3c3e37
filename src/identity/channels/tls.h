#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "identity/authority.h"
#include "identity/openssl.h"

namespace muster::identity::tls {

using Context = std::unique_ptr<SSL_CTX, openssl::Free<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, openssl::Free<SSL_free>>;

// Of the door of a server: TLS 1.3, nobody needs a certificate, and whoever connects sees the
// authority's beside the server's own.
Result<Context> door_context(const Credentials& own, const std::string& authority);
// Of who knocks there. Nobody is trusted until check_server() has said so.
Result<Context> knocking_context();

// Whether the other end, after the handshake, is the server of the pool whose authority has this
// fingerprint: before anything is said to it. kPermission; kUnavailable: not by this machine's
// clock. `authority` gets that certificate.
Status check_server(SSL* session, const Digest& fingerprint, std::string& authority);

// What a session can do now: go on when the socket may be read, or written; or it is over.
enum class Need { kNothing, kRead, kWrite, kEnd };
Need need_after(SSL* session, int result);

}  // namespace muster::identity::tls
