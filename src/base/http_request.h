#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace muster {

// The head of an HTTP/1 request: its first line and fields, up to the empty line.
constexpr size_t kMostHttpHead = 8192;

// Whether all of the head is there, in what has come so far. Lines may end in LF alone.
bool has_http_head(std::string_view received);

// What a head asks for by GET, without a query, as it stands there: "/metrics". None: it is another
// method, or no HTTP/1.
std::optional<std::string> http_path(std::string_view head);

}  // namespace muster
