#include "eval/statistics/quantile.h"

#include <gtest/gtest.h>

#include <vector>

#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

TEST(Quantile, IsNumpys) {
  for (const Json& row : reference("quantile")) {
    const auto sorted = row["sorted"].get<std::vector<double>>();
    EXPECT_NEAR(sorted_quantile(sorted, row["probability"]), row["quantile"], 1e-14) << row;
  }
}

TEST(Quantile, TheEndsAreTheExtremes) {
  const std::vector<double> sorted = {-1, 0.3, 7};
  EXPECT_EQ(sorted_quantile(sorted, 0), -1);
  EXPECT_EQ(sorted_quantile(sorted, 0.5), 0.3);
  EXPECT_EQ(sorted_quantile(sorted, 1), 7);
  EXPECT_DEATH(sorted_quantile({}, 0.5), "invariant");
  EXPECT_DEATH(sorted_quantile(sorted, 1.5), "invariant");
}

}  // namespace
}  // namespace muster::eval
