#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace muster::web {

// What the first line of a request asks for, decoded: "/models/a%2Fb?q=x+y" is {"models", "a/b"}
// and {"q", "x y"}. All of it is UTF-8 without control characters.
struct Target {
  std::vector<std::string> segments;  // None: "/".
  std::vector<std::pair<std::string, std::string>> query;
};

constexpr size_t kMostTargetBytes = 4096;
constexpr size_t kMostQueryFields = 32;

// kInvalidArgument says what is wrong with it. "." and ".." are segments like any other: nothing
// here is a path of files.
Result<Target> parse_target(std::string_view text);

// What somebody asks for. Nothing in it is believed yet.
struct Request {
  std::string method;  // "GET".
  Target target;
  std::map<std::string, std::string, std::less<>> fields;  // By name in lower case.
  std::string body;
  std::string peer;  // The address it came from, without its port.
  std::string id;    // Of this request, in the log and in problems: 16 hex digits.

  // Empty: there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

}  // namespace muster::web
