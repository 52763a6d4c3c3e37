#include "eval/statistics/mcnemar.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

TEST(McNemar, IsScipysExactTest) {
  for (const Json& row : reference("mcnemar")) {
    const double p = mcnemar_exact(row["only_a"], row["only_b"]);
    EXPECT_LT(relative_error(p, row["p"]), 1e-12) << row << " " << p;
  }
}

// The slow twin: the binomial coefficients by Pascal's triangle, which are whole to 56 items.
TEST(McNemar, EqualsItsSlowTwin) {
  std::vector<double> coefficients = {1};
  for (int total = 0; total <= 56; ++total) {
    double tail = 0;
    for (int fewer = 0; fewer <= total / 2; ++fewer) {
      tail += coefficients[size_t(fewer)];
      const double want = std::min(1.0, std::ldexp(tail, 1 - total));
      EXPECT_LT(relative_error(mcnemar_exact(fewer, total - fewer), want), 1e-14);
      EXPECT_EQ(mcnemar_exact(fewer, total - fewer), mcnemar_exact(total - fewer, fewer));
    }
    coefficients.push_back(0);
    for (size_t k = coefficients.size() - 1; k > 0; --k) coefficients[k] += coefficients[k - 1];
  }
}

// As the R package contingencytables 3.1.0 prints it. Tango's interval leaves 0 out here.
TEST(McNemar, IsWhatAnotherProgramPrints) { EXPECT_NEAR(mcnemar_exact(16, 6), 0.052479, 5e-7); }

TEST(McNemar, IsOneWhereBothAreRightEquallyOften) {
  for (int64_t count : {0, 1, 2, 5, 1000, 500'000}) EXPECT_EQ(mcnemar_exact(count, count), 1);
  for (int64_t count : {0, 1, 2, 5, 1000, 500'000}) EXPECT_EQ(mcnemar_exact(count, count + 1), 1);
  for (int64_t count = 0; count < 2000; ++count) EXPECT_LE(mcnemar_exact(count, count + 2), 1);
}

TEST(McNemar, FallsAsTheCountsPart) {
  double before = 1;
  for (int64_t fewer = 499'999; fewer > 490'000; fewer -= 100) {
    const double p = mcnemar_exact(fewer, 1'000'000 - fewer);
    EXPECT_LT(p, before);
    before = p;
  }
  EXPECT_EQ(mcnemar_exact(0, 1'000'000), 0);  // 2^-999999.
  EXPECT_DEATH(mcnemar_exact(-1, 3), "invariant");
}

}  // namespace
}  // namespace muster::eval
