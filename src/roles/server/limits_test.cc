#include "roles/server/limits.h"

#include <gtest/gtest.h>

#include "wire/pool_role.h"

namespace muster::roles::server {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;

pb::JobRequest request_of(const std::string& model, const std::string& path = "") {
  pb::JobRequest request;
  request.set_model(model);
  if (!path.empty()) request.mutable_directory_pin()->set_path(path);
  return request;
}

CountedRun run_of(const std::string& job, const std::string& researcher, uint64_t items,
                  int64_t at = kNow) {
  return {job, 1, researcher, at, items};
}

const pb::Holder kAlice = wire::make_holder(pb::POOL_ROLE_RESEARCHER, "alice");

TEST(Limits, WithoutAnyEverythingMayBe) {
  Limits limits({});
  EXPECT_TRUE(limits.may_begin(kAlice, request_of("a/b"), 999));
  EXPECT_TRUE(limits.add(kNow, run_of("j", "alice", 1'000'000)));
}

TEST(Limits, AreOfResearchersAndNotOfOperators) {
  Limits limits({.running_jobs = 1, .items_a_day = 10, .models = {"lab/*"}});
  EXPECT_TRUE(limits.may_begin(wire::make_holder(pb::POOL_ROLE_OPERATOR), request_of("a/b"), 9));
  EXPECT_TRUE(limits.add(kNow, run_of("j", "", 11)));
}

TEST(Limits, OfJobsAreOfThoseThatGoOn) {
  const Limits limits({.running_jobs = 2});
  EXPECT_TRUE(limits.may_begin(kAlice, request_of("a/b"), 1));
  const auto refused = limits.may_begin(kAlice, request_of("a/b"), 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTryLater);
  EXPECT_TRUE(refused.error().message.starts_with("alice has 2 jobs running"));
}

TEST(Limits, OfModelsLookAtTheBytesAndNotTheirName) {
  const Limits limits({.models = {"EleutherAI/*", "lab/one", "/models/*/ok"}});
  struct Case {
    const char *model, *path;
    bool may;
  };
  for (const Case& c :
       {Case{"EleutherAI/pythia-14m", "", true}, Case{"EleutherAI/pythia-14m@step0", "", true},
        Case{"lab/one", "", true}, Case{"lab/one@main", "", true}, Case{"lab/one2", "", false},
        Case{"XEleutherAI/a", "", false}, Case{"EleutherAI/pythia-14m", "/home/me", false},
        Case{"me", "/models/a/ok", true}, Case{"me", "/models/a/ok/not", false}}) {
    const auto may = limits.may_begin(kAlice, request_of(c.model, c.path), 0);
    EXPECT_EQ(may.has_value(), c.may) << c.model << " " << c.path;
    EXPECT_TRUE(may || may.error().code == Code::kPermission);
  }
}

TEST(Limits, APatternOfManyStarsTakesNoLongerThanItIs) {
  const Limits limits({.models = {std::string(60, '*') + "b"}});
  EXPECT_FALSE(limits.may_begin(kAlice, request_of(std::string(300, 'a')), 0));
  EXPECT_TRUE(limits.may_begin(kAlice, request_of(std::string(300, 'a') + "b"), 0));
}

TEST(Limits, OfItemsAreOfADayWhoeverCounts) {
  Limits limits({.items_a_day = 100});
  limits.restore(run_of("before", "alice", 40, kNow - Limits::kDayMs + 1));
  EXPECT_TRUE(limits.add(kNow, run_of("j", "alice", 60)));
  EXPECT_TRUE(limits.add(kNow, run_of("j", "alice", 60))) << "the same, said again";
  const auto refused = limits.add(kNow, run_of("k", "alice", 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "it has 1 items, and alice has had 100 of the 100 that this pool allows in 24 hours");
  EXPECT_TRUE(limits.add(kNow, run_of("k", "bob", 100)));
  EXPECT_TRUE(limits.add(kNow + 1, run_of("k", "alice", 40))) << "those of before are a day old";
}

TEST(Limits, CountWhatIsFrozenOfARow) {
  pb::JobRow row;
  row.set_job("j");
  row.set_run(2);
  row.set_researcher("alice");
  row.set_accepted_at_ms(7);
  EXPECT_EQ(counted_run(row, 5).items, 0u);
  row.set_frozen_digest("d");
  const CountedRun run = counted_run(row, 5);
  EXPECT_EQ(run.items, 5u);
  EXPECT_EQ(run.run, 2u);
  EXPECT_EQ(run.accepted_at_ms, 7);
}

}  // namespace
}  // namespace muster::roles::server
