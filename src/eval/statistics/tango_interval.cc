#include "eval/statistics/tango_interval.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace muster::eval {
namespace {

// Items on which only the one is right, only the other is, and all.
struct Discordant {
  double more, fewer, total;
};

// The likeliest probability that only the other is right, if the difference were `difference`: the
// larger root of 2n q^2 + linear q + constant.
double other_probability(const Discordant& d, double difference) {
  const double linear = (2 * d.total - d.more + d.fewer) * difference - d.more - d.fewer;
  const double constant = -d.fewer * difference * (1 - difference);
  const double root = std::sqrt(std::max(0.0, linear * linear - 8 * d.total * constant));
  return (root - linear) / (4 * d.total);
}

// Whether the score test does not reject `difference`.
bool is_within(const Discordant& d, double difference, double z) {
  const double off = d.more - d.fewer - d.total * difference;
  const double variance =
      d.total * (2 * other_probability(d, difference) + difference * (1 - difference));
  return off * off <= z * z * variance;
}

// By halving: the test rejects everything above the end, and 1 unless that was observed.
double upper_end(const Discordant& d, double z) {
  double within = (d.more - d.fewer) / d.total, above = 1;
  if (within >= above) return above;
  while (true) {
    const double middle = within + (above - within) / 2;
    if (middle <= within || middle >= above) return within;
    (is_within(d, middle, z) ? within : above) = middle;
  }
}

}  // namespace

Interval tango_interval(const PairedCounts& counts, double z) {
  MUSTER_CHECK(counts.both_right >= 0 && counts.only_a >= 0 && counts.only_b >= 0);
  MUSTER_CHECK(counts.both_wrong >= 0 && counts.items() >= 1 && z >= 0);
  const auto only_a = static_cast<double>(counts.only_a);
  const auto only_b = static_cast<double>(counts.only_b);
  const auto total = static_cast<double>(counts.items());
  return {-upper_end({only_a, only_b, total}, z), upper_end({only_b, only_a, total}, z)};
}

}  // namespace muster::eval
