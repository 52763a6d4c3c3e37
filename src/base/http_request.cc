#include "base/http_request.h"

namespace muster {
namespace {

// Up to `end`, which is taken away with it; all of it where there is no `end`.
std::string_view cut(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return word;
}

}  // namespace

bool has_http_head(std::string_view received) {
  return received.find("\r\n\r\n") != std::string_view::npos ||
         received.find("\n\n") != std::string_view::npos;
}

std::optional<std::string> http_path(std::string_view head) {
  std::string_view line = cut(head, '\n');
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::string_view method = cut(line, ' ');
  std::string_view target = cut(line, ' ');
  if (method != "GET" || !target.starts_with('/') || !line.starts_with("HTTP/1.")) {
    return std::nullopt;
  }
  return std::string(cut(target, '?'));
}

}  // namespace muster
