#include "eval/model_size.h"

#include <gtest/gtest.h>

namespace muster::eval {
namespace {

TEST(ModelSize, ABillionIsTaken) {
  EXPECT_TRUE(check_model_size("a/b", kMostParameters));
  const auto refused = check_model_size("a/b", 7'000'000'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_EQ(refused.error().message,
            "a/b: 7000 M parameters; this engine computes in float32 and takes up to 1 B");
}

}  // namespace
}  // namespace muster::eval
