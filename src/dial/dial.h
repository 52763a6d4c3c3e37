#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "dial/patience.h"
#include "dial/proxy.h"

namespace muster::dial {

// How a server is reached.
struct Route {
  std::string address;         // HOST:PORT of the server.
  std::optional<Proxy> proxy;  // What carries connections to it; none: directly.
};

// A connection to the server: a socket that never blocks. Names are looked up at each call, that of
// the server by the proxy where there is one; who has several addresses is tried at one after the
// other, and they share the time. Blocks for as long as there is patience, and for the look-up.
//
// kUnavailable: nobody is there, or the proxy cannot connect to him, is silent or is none.
// kPermission: the proxy does not let this user, or this connection, through. kInterrupted, without
// a word: it was given up. At most kMostAnswerBytes of a proxy are read, and shown as printable.
Result<Descriptor> dial(const Route& route, const Patience& patience);

}  // namespace muster::dial
