#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dial/proxy.h"

namespace muster::dial {

// The word that stands for no proxy at all, where one may be named.
constexpr std::string_view kNoProxy = "none";

// Through which proxy a host is reached: the one of --proxy, else that of https_proxy, else that of
// HTTPS_PROXY, as curl takes them for https; an empty variable is none. No proxy is for loopback,
// nor, whoever named it, for what no_proxy (else NO_PROXY) lists.
struct ProxyRules {
  std::string flag;                // --proxy; "none": no proxy.
  std::string variable, named_by;  // What the environment says, and in which variable.
  std::string exempt;              // As is_exempt() reads it.

  static ProxyRules from_environment(const std::string& flag);

  // None: directly. kInvalidArgument: the one to be used is none.
  [[nodiscard]] Result<std::optional<Proxy>> for_host(const std::string& host) const;
};

// Whether a list like no_proxy has this host: a name, or what ends with it behind a dot, in any
// case; an address; a CIDR block, for addresses alone; * for all. Separated by commas or blanks,
// with or without a dot or "*." before a name. Nothing is looked up.
bool is_exempt(const std::string& host, std::string_view list);

}  // namespace muster::dial
