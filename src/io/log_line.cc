#include "io/log_line.h"

#include <cstdio>
#include <ctime>

#include "base/json.h"

namespace muster::io {
namespace {

std::string rfc3339(std::chrono::system_clock::time_point at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at - second).count();
  const std::time_t whole = std::chrono::system_clock::to_time_t(second);
  std::tm utc{};
  gmtime_r(&whole, &utc);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(ms));
  return text;
}

}  // namespace

std::string json_line(const LogLine& line) {
  Json json{{"time", rfc3339(line.at)},
            {"level", line.level},
            {"role", line.role},
            {"message", line.message}};
  if (!line.about.job.empty()) json["job"] = line.about.job;
  if (!line.about.machine.empty()) json["machine"] = line.about.machine;
  if (!line.about.lease.empty()) json["lease"] = line.about.lease;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace muster::io
