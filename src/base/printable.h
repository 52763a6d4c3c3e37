#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace muster {

// Whether the bytes are UTF-8 as RFC 3629 has it: nothing overlong, no surrogates, at most
// U+10FFFF.
bool is_utf8(std::string_view bytes);

// Words of others (a peer, a file, a Hub) as a terminal or a log may show them: one line of UTF-8.
// Whatever a terminal acts on (C0, DEL, C1, so every escape sequence), what turns the direction of
// text, and bytes that are no UTF-8 become U+FFFD; line breaks and tabs become a space. Longer than
// `most_bytes` is cut between characters and ends with an ellipsis.
std::string printable(std::string_view text, size_t most_bytes = 400);

}  // namespace muster
