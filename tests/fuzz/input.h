#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace muster::fuzz {

// Takes what a target needs off the front of an input. At its end come zeros and empty texts, so
// that every input means something.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return first;
  }
  // Of a few: `count` is at most 256.
  size_t below(size_t count) { return byte() % count; }
  std::string_view take(size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // Up to a zero byte, which no text format here may have, or to the end.
  std::string_view text() {
    const std::string_view taken = take(rest_.find('\0'));
    take(1);
    return taken;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace muster::fuzz
