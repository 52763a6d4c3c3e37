#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace muster::cli {
namespace {

constexpr unsigned char kFirstWide = 0xE1;  // Begins U+1000 and above; the wide ones are there.

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

bool is_plain_terminal() {
  const std::string_view term = variable("TERM");
  return !variable("NO_COLOR").empty() || term.empty() || term == "dumb";
}

size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string cut_to_columns(const std::string& text, size_t columns) {
  size_t used = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0) == 0x80) continue;  // Goes on with a character.
    used += byte >= kFirstWide ? 2 : 1;
    if (used > columns) return text.substr(0, at);
  }
  return text;
}

}  // namespace muster::cli
