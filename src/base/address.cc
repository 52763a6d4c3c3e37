#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/printable.h"

namespace muster {
namespace {

constexpr size_t kMostHostBytes = 255;
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";

Error no_address(std::string_view text, const std::string& why) {
  return {Code::kInvalidArgument, "'" + printable(text, 100) + "' is no address: " + why};
}

bool is_v4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_of(const std::string& text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](unsigned char c) {
    return std::isdigit(c) != 0 || more.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// "fe80::1%eth0": the zone names an interface of this machine, or has its number.
bool is_v6(const std::string& host) {
  const size_t percent = std::min(host.find('%'), host.size());
  const std::string plain = host.substr(0, percent), zone = host.substr(percent);
  const bool has_zone = zone.size() > 1 && is_of(zone.substr(1), kLetters);
  in6_addr address{};
  return plain.find('\0') == std::string::npos && (zone.empty() || has_zone) &&
         ::inet_pton(AF_INET6, plain.c_str(), &address) == 1;
}

// Numbers and dots are an address; a name has letters.
bool is_name(const std::string& host) {
  return !host.empty() && host.size() <= kMostHostBytes && is_of(host, kLetters) &&
         host.front() != '-' && host.front() != '.' && host.find("..") == std::string::npos;
}

Result<int> parse_port(std::string_view text, std::string_view whole) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return fail(no_address(whole, "a port is a number from 1 to 65535"));
  }
  return port;
}

}  // namespace

std::string Address::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  const std::string shown = is_v6 ? "[" + host + "]" : host;
  return port > 0 ? shown + ":" + std::to_string(port) : shown;
}

Result<Address> parse_address(std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    return fail(no_address(text, "it is a URL or a path; give HOST or HOST:PORT"));
  }
  Address address;
  std::string_view port;
  const size_t colon = text.rfind(':'), bracket = text.find(']');
  if (text.starts_with('[')) {
    if (bracket == std::string_view::npos) return fail(no_address(text, "its bracket is open"));
    address.host = text.substr(1, bracket - 1);
    const std::string_view rest = text.substr(bracket + 1);
    if (!is_v6(address.host) || (!rest.empty() && rest[0] != ':')) {
      return fail(no_address(text, "in brackets stands an IPv6 address, and behind them a port"));
    }
    if (!rest.empty()) port = rest;
  } else if (colon != text.find(':')) {
    address.host = text;
    if (!is_v6(address.host)) {
      return fail(
          no_address(text, "give HOST:PORT, or an IPv6 address, with a port as [IPV6]:PORT"));
    }
  } else {
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
    const bool is_number = is_of(address.host, ".");
    if (is_number ? !is_v4(address.host) : !is_name(address.host)) {
      return fail(no_address(text, "'" + printable(address.host, 100) +
                                       "' is neither a host's name nor an IP address"));
    }
  }
  if (port.empty()) return address;
  MUSTER_TRY(address.port, parse_port(port.substr(1), text));
  return address;
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  }
  std::string lower = host;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower == "localhost" || lower == "localhost.";
}

}  // namespace muster
