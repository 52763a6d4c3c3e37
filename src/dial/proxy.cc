#include "dial/proxy.h"

#include <algorithm>
#include <charconv>

namespace muster::dial {
namespace {

constexpr size_t kMostBytes = 1000;
constexpr std::string_view kScheme = "http://";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view without_scheme(std::string_view text) {
  const bool has = text.size() >= kScheme.size() &&
                   std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                              [](char wanted, char c) { return wanted == lower(c); });
  return has ? text.substr(kScheme.size()) : text;
}

// What is no %XY stays as it is.
std::string without_percents(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* begin = text.data() + i + 1;
    const bool is_coded = text[i] == '%' && i + 2 < text.size() &&
                          std::from_chars(begin, begin + 2, byte, 16).ptr == begin + 2;
    out += is_coded ? static_cast<char>(byte) : text[i];
    if (is_coded) i += 2;
  }
  return out;
}

bool has_controls(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

std::string Proxy::shown() const { return "the proxy at " + address.text() + " (" + origin + ")"; }

Result<Proxy> parse_proxy(std::string_view text, std::string origin) {
  const Error refused{Code::kInvalidArgument,
                      origin +
                          " names no proxy that can be used: give it as "
                          "http://[USER:PASSWORD@]HOST:PORT, or take --proxy none"};
  std::string_view host = without_scheme(text);
  const bool has_other = host.size() == text.size() && text.find("://") != std::string_view::npos;
  if (text.size() > kMostBytes || has_other) return fail(refused);
  Proxy proxy{.origin = std::move(origin)};
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) {
    proxy.credentials = without_percents(host.substr(0, at));
    if (proxy.credentials.find(':') == std::string::npos) proxy.credentials += ':';
    host.remove_prefix(at + 1);
  }
  if (host.ends_with('/')) host.remove_suffix(1);
  auto address = parse_address(host);
  if (!address || address->port == 0 || has_controls(proxy.credentials)) return fail(refused);
  proxy.address = std::move(*address);
  return proxy;
}

}  // namespace muster::dial
