#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace muster::eval {

// Items that two runs were both asked, by who was right.
struct PairedCounts {
  int64_t both_right = 0, only_a = 0, only_b = 0, both_wrong = 0;

  [[nodiscard]] int64_t items() const { return both_right + only_a + only_b + both_wrong; }
  bool operator==(const PairedCounts&) const = default;
};

// `a` and `b` have one value an item, of the same items in the same order: equally many (checked).
// None when a value is neither 1, which is right, nor 0.
std::optional<PairedCounts> paired_counts(std::span<const double> a, std::span<const double> b);

}  // namespace muster::eval
