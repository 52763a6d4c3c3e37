#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::identity {

// What a node or a person asks a certificate with: a PKCS #10 request (DER, 129 bytes) of the
// machine key, signed with it, so that nobody asks for a certificate of a key that is not his. It
// says nothing else: what the holder may be is the token's to say.
constexpr size_t kMostRequestBytes = 1024;

// Of libsodium's 64 secret bytes. kDataLoss: they are none.
Result<std::string> make_signing_request(std::string_view secret_key);

// The Ed25519 key (32 bytes) that the request is of. kDataLoss: it is no request, or its signature
// is not of its own key.
Result<std::string> read_signing_request(std::string_view der);

}  // namespace muster::identity
