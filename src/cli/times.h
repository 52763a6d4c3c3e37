#pragma once

#include <cstdint>
#include <ctime>
#include <string>

namespace muster::cli {

// Of Unix time, as clocks here say: "2026-11-27 08:21:28".
inline std::string local_time(int64_t unix_ms) {
  const std::time_t whole = unix_ms / 1000;
  std::tm local{};
  localtime_r(&whole, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

}  // namespace muster::cli
