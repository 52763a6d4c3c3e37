#include "dial/proxy_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace muster::dial {
namespace {

constexpr std::string_view kBetween = ", \t";

// The first variable that is not empty, and its name.
std::pair<std::string, std::string> first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return {value, name};
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// An address of either kind; `size` is 0 when it is none.
struct Numbers {
  std::array<unsigned char, 16> bytes{};
  size_t size = 0;
};

Numbers numbers_of(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string host(text.substr(0, text.find('%')));  // Whatever its zone.
  Numbers found;
  if (::inet_pton(AF_INET, host.c_str(), found.bytes.data()) == 1) {
    found.size = 4;
  } else if (::inet_pton(AF_INET6, host.c_str(), found.bytes.data()) == 1) {
    found.size = 16;
  }
  return found;
}

bool same_bits(const Numbers& one, const Numbers& other, size_t bits) {
  for (size_t i = 0; i < bits; ++i) {
    if ((one.bytes[i / 8] ^ other.bytes[i / 8]) >> (7 - i % 8) & 1) return false;
  }
  return true;
}

// ADDRESS or ADDRESS/BITS.
bool holds(std::string_view block, const Numbers& host) {
  const size_t slash = std::min(block.find('/'), block.size());
  const Numbers network = numbers_of(block.substr(0, slash));
  if (network.size == 0 || network.size != host.size) return false;
  size_t bits = host.size * 8;
  if (slash < block.size()) {
    const std::string_view digits = block.substr(slash + 1);
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    const auto read = std::from_chars(begin, end, bits);
    if (digits.empty() || read.ec != std::errc() || read.ptr != end) return false;
  }
  return bits <= host.size * 8 && same_bits(network, host, bits);
}

std::string_view without_dots(std::string_view name, bool in_front) {
  if (in_front && name.starts_with("*.")) name.remove_prefix(1);
  if (in_front && name.starts_with('.')) name.remove_prefix(1);
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// `host` is in lower case.
bool is_below(std::string_view host, std::string_view entry) {
  const std::string lowered = lower(entry);
  const std::string_view name = without_dots(lowered, true);
  host = without_dots(host, false);
  if (name.empty() || !host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

}  // namespace

bool is_exempt(const std::string& host, std::string_view list) {
  const Numbers numbers = numbers_of(host);
  const std::string name = lower(host);
  while (true) {
    list.remove_prefix(std::min(list.find_first_not_of(kBetween), list.size()));
    if (list.empty()) return false;
    const std::string_view entry = list.substr(0, list.find_first_of(kBetween));
    list.remove_prefix(entry.size());
    if (entry == "*") return true;
    if (numbers.size > 0 ? holds(entry, numbers) : is_below(name, entry)) return true;
  }
}

ProxyRules ProxyRules::from_environment(const std::string& flag) {
  ProxyRules rules{.flag = flag};
  std::tie(rules.variable, rules.named_by) = first_of({"https_proxy", "HTTPS_PROXY"});
  rules.exempt = first_of({"no_proxy", "NO_PROXY"}).first;
  return rules;
}

Result<std::optional<Proxy>> ProxyRules::for_host(const std::string& host) const {
  const bool is_named = !flag.empty() || !variable.empty();
  if (!is_named || flag == kNoProxy || is_loopback(host) || is_exempt(host, exempt)) {
    return std::nullopt;
  }
  MUSTER_TRY(auto proxy,
             flag.empty() ? parse_proxy(variable, named_by) : parse_proxy(flag, "--proxy"));
  return proxy;
}

}  // namespace muster::dial
