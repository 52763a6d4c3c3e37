#include "cli/duration.h"

#include <charconv>

namespace muster::cli {
namespace {

constexpr int64_t kMost = 10L * 365 * 86'400;

int64_t seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86'400;
    default:
      return 0;
  }
}

}  // namespace

Result<std::chrono::seconds> parse_duration(const std::string& text) {
  int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const int64_t unit = error == std::errc() && end - rest == 1 ? seconds_of(*rest) : 0;
  if (unit == 0 || count <= 0 || count > kMost / unit) {
    return fail(Code::kInvalidArgument,
                "'" + text + "' is no time span: 90s, 30m, 24h or 7d, ten years at most");
  }
  return std::chrono::seconds(count * unit);
}

CLI::Validator duration() {
  return {[](const std::string& text) {
            const auto parsed = parse_duration(text);
            return parsed ? std::string() : parsed.error().message;
          },
          "TIME"};
}

}  // namespace muster::cli
