#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "roles/role.h"

namespace muster::io {

// What a daemon says at some moment.
struct LogLine {
  std::chrono::system_clock::time_point at;
  std::string_view level, role, message;
  roles::About about;
};

// As an object of JSON on one line, with its line break: time (RFC 3339 in UTC, milliseconds),
// level, role and message, and job, machine and lease where it is about one. Whatever the message
// quotes, it is one line of UTF-8.
std::string json_line(const LogLine& line);

}  // namespace muster::io
