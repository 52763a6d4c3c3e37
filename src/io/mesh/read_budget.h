#pragma once

#include <cstddef>

namespace muster::io {

// How much of what one line gave may wait in the loop: while it is spent, nothing more is read from
// that line, and TCP makes its sender wait. Not guarded.
class ReadBudget {
 public:
  static constexpr size_t kBytes = 4u << 20, kMessages = 1024;

  void put(size_t bytes) {
    bytes_ += bytes;
    ++messages_;
  }
  void take(size_t bytes) {
    bytes_ -= bytes;
    --messages_;
  }
  [[nodiscard]] bool is_spent() const { return bytes_ >= kBytes || messages_ >= kMessages; }

 private:
  size_t bytes_ = 0, messages_ = 0;
};

}  // namespace muster::io
