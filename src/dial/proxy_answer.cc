#include "dial/proxy_answer.h"

#include <algorithm>

#include "base/printable.h"

namespace muster::dial {
namespace {

constexpr std::string_view kVersion = "HTTP/1.", kHeader = "proxy-authenticate:", kBasic = "basic";
constexpr size_t kStatusAt = 9, kReasonAt = 12;  // HTTP/1.1 200 OK
constexpr size_t kMostReason = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Takes a line from the front, without its end.
std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// How long the head is, with the empty line at its end; 0: not whole.
size_t head_bytes(std::string_view text) {
  for (size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', end + 1)) {
    const std::string_view rest = text.substr(end + 1);
    if (rest.starts_with('\n')) return end + 2;
    if (rest.starts_with("\r\n")) return end + 3;
  }
  return 0;
}

// HTTP/1.x, three digits, and words behind a space or nothing.
bool read_status(std::string_view line, ProxyAnswer& answer) {
  const bool has_status = line.size() >= kReasonAt && is_digit(line[kVersion.size()]) &&
                          line[kStatusAt - 1] == ' ' && line[kStatusAt] != '0' &&
                          std::all_of(&line[kStatusAt], &line[kStatusAt] + 3, is_digit);
  if (!has_status || (line.size() > kReasonAt && line[kReasonAt] != ' ')) return false;
  for (size_t i = 0; i < 3; ++i) answer.status = answer.status * 10 + (line[kStatusAt + i] - '0');
  if (line.size() > kReasonAt) answer.reason = printable(line.substr(kReasonAt + 1), kMostReason);
  return true;
}

}  // namespace

Result<std::optional<ProxyAnswer>> read_proxy_answer(std::string_view bytes) {
  if (bytes.substr(0, kVersion.size()) != kVersion.substr(0, bytes.size())) {
    return fail(Code::kDataLoss, "it is no HTTP");
  }
  ProxyAnswer answer{.bytes = head_bytes(bytes.substr(0, kMostAnswerBytes))};
  if (answer.bytes == 0) {
    if (bytes.size() < kMostAnswerBytes) return std::nullopt;
    return fail(Code::kDataLoss, "its headers do not end");
  }
  std::string_view head = bytes.substr(0, answer.bytes);
  if (!read_status(take_line(head), answer)) return fail(Code::kDataLoss, "it is no HTTP");
  while (!head.empty()) {
    const std::string line = lower(take_line(head));
    if (line.starts_with(kHeader) && line.find(kBasic) != std::string::npos) {
      answer.takes_basic = true;
    }
  }
  return answer;
}

}  // namespace muster::dial
