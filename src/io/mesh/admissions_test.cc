// A machine that connects again and again has to wait.
#include "io/mesh/admissions.h"

#include <gtest/gtest.h>

namespace muster::io {
namespace {

constexpr Admissions::Instant kStart{};

TEST(Admissions, SoManyInAMinuteEach) {
  Admissions admissions;
  for (size_t n = 0; n < Admissions::kMost; ++n) {
    EXPECT_TRUE(admissions.may_come("a", kStart + std::chrono::milliseconds(n)));
  }
  EXPECT_FALSE(admissions.may_come("a", kStart + std::chrono::seconds(1)));
  EXPECT_TRUE(admissions.may_come("b", kStart + std::chrono::seconds(1))) << "another machine";
  EXPECT_FALSE(admissions.may_come("a", kStart + std::chrono::seconds(59)));
  EXPECT_TRUE(admissions.may_come("a", kStart + Admissions::kWindow))
      << "the first is a minute ago";
  EXPECT_FALSE(admissions.may_come("a", kStart + Admissions::kWindow)) << "the second is not";
}

TEST(Admissions, ForgetsWhoCameLongAgo) {
  Admissions admissions;
  for (size_t n = 0; n < Admissions::kMost; ++n) EXPECT_TRUE(admissions.may_come("a", kStart));
  admissions.forget_old(kStart + std::chrono::seconds(59));
  EXPECT_FALSE(admissions.may_come("a", kStart + std::chrono::seconds(59)));
  admissions.forget_old(kStart + Admissions::kWindow);
  EXPECT_TRUE(admissions.may_come("a", kStart + Admissions::kWindow));
}

}  // namespace
}  // namespace muster::io
