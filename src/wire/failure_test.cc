#include "wire/failure.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

TEST(Failure, IsTheErrorThatItWas) {
  for (const Code code : {Code::kInvalidArgument, Code::kUnsupported, Code::kNotFound,
                          Code::kUnavailable, Code::kTryLater, Code::kPermission, Code::kDisk,
                          Code::kDataLoss, Code::kFailed, Code::kInterrupted}) {
    const Error back = to_error(to_failure({code, "so it was"}));
    EXPECT_EQ(back.code, code) << to_string(code);
    EXPECT_EQ(back.message, "so it was");
  }
}

TEST(Failure, AWordThatIsNotKnownIsAFailure) {
  EXPECT_EQ(to_code("of a later version"), Code::kFailed);
  EXPECT_EQ(to_code(""), Code::kFailed);
}

}  // namespace
}  // namespace muster::wire
