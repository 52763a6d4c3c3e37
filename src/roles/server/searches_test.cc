#include "roles/server/searches.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(1000)};

pb::Envelope call_of(const std::string& client) {
  pb::Envelope call;
  call.mutable_from()->set_machine(client);
  call.mutable_list_jobs();
  return call;
}

class SearchesTest : public testing::Test {
 protected:
  // The number under which the database is asked; 0: it is not.
  uint64_t ask(const std::string& client, Instant now = kStart) {
    Effects effects;
    if (!searches_.ask(now, call_of(client), {.named = client}, effects)) return 0;
    const auto& find = std::get<FindJobs>(effects.run.at(0));
    EXPECT_EQ(find.named, client);
    return find.call;
  }
  std::string client_of(uint64_t search) {
    const auto call = searches_.take(search);
    return call ? call->from().machine() : "none";
  }

  Searches searches_;
};

TEST_F(SearchesTest, EachAnswerIsToTheCallThatAskedForItOnce) {
  const uint64_t first = ask("a"), second = ask("b");
  EXPECT_EQ(client_of(second), "b");
  EXPECT_EQ(client_of(first), "a");
  EXPECT_EQ(client_of(first), "none");
  EXPECT_EQ(searches_.size(), 0u);
}

TEST_F(SearchesTest, NobodyWaitsWhoHasHungUp) {
  const uint64_t first = ask("a"), second = ask("b");
  searches_.hang_up("a");
  EXPECT_EQ(client_of(first), "none");
  EXPECT_EQ(client_of(second), "b");
}

TEST_F(SearchesTest, ADatabaseThatHangsIsNotWaitedForForEver) {
  ask("a");
  ask("b", kStart + seconds(1));
  Effects effects;
  EXPECT_TRUE(searches_.expire(kStart, effects).empty());
  EXPECT_EQ(effects.wake_at, kStart + Searches::kWait);
  const auto late = searches_.expire(kStart + Searches::kWait, effects);
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late.front().from().machine(), "a");
  EXPECT_EQ(searches_.size(), 1u);
}

TEST_F(SearchesTest, AProcessThatStoodStillHasNotWaited) {
  ask("a");
  searches_.excuse(kStart + seconds(60));
  Effects effects;
  EXPECT_TRUE(searches_.expire(kStart + seconds(60), effects).empty());
  EXPECT_EQ(effects.wake_at, kStart + seconds(60) + Searches::kWait);
}

TEST_F(SearchesTest, AThousandMayWait) {
  for (size_t i = 0; i < Searches::kMost; ++i) EXPECT_NE(ask("a"), 0u);
  EXPECT_EQ(ask("b"), 0u);
  EXPECT_EQ(client_of(1), "a");
  EXPECT_NE(ask("b"), 0u);
}

}  // namespace
}  // namespace muster::roles::server
