#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace muster::identity {

// So many bytes of a connection are looked at to find the name it asks for: one record of TLS.
constexpr size_t kMostGreetingBytes = 5 + (16u << 10);

// The name of the server (SNI) that the first bytes of a connection ask for, so that one port can
// have two doors. Empty: they ask for none, or are no TLS. None: more bytes are needed to say.
std::optional<std::string> read_server_name(std::string_view bytes);

}  // namespace muster::identity
