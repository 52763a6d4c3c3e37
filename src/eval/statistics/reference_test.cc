#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "eval/statistics/coverage.h"
#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

Json read_reference() {
  std::ifstream file(MUSTER_SOURCE_DIR "/tests/data/statistics.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return *parse_json(text, 1 << 20);
}

}  // namespace

const Json& reference(const char* section) {
  static const Json whole = read_reference();
  MUSTER_CHECK(whole.contains(section) && !whole[section].empty());
  return whole[section];
}

double relative_error(double got, double want) {
  const double off = std::abs(got - want);
  return off < 1e-320 ? 0 : off / std::abs(want);
}

namespace {

TEST(Coverage, QuantilesAreScipys) {
  for (const Coverage& coverage : {kCoverage95, kCoverage50}) {
    const Json& cases = reference("coverage");
    const auto is_same = [&](const Json& row) { return row["share"] == coverage.share; };
    const auto row = std::find_if(cases.begin(), cases.end(), is_same);
    ASSERT_NE(row, cases.end());
    EXPECT_LT(relative_error(coverage.z, (*row)["z"]), 1e-15);
  }
}

}  // namespace
}  // namespace muster::eval
