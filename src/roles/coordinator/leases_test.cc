#include "roles/coordinator/leases.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

Lease lease(const std::string& machine, std::vector<uint32_t> items) {
  return {.machine = machine, .items = std::move(items)};
}

class LeasesTest : public ::testing::Test {
 protected:
  ~LeasesTest() override { leases.check(); }

  using Names = std::set<std::string>;
  Leases leases{7};
};

TEST_F(LeasesTest, KnowsWhoIsAtAnItemAndWhatAMachineHolds) {
  const LeaseId first = leases.add(lease("a", {1, 2}));
  const LeaseId second = leases.add(lease("b", {2, 3}));
  EXPECT_EQ(leases.holders(2), (Names{"a", "b"}));
  EXPECT_EQ(leases.of("a"), (std::set<LeaseId>{first}));
  ASSERT_TRUE(leases.end(first));
  EXPECT_EQ(leases.holders(1), Names{});
  EXPECT_EQ(leases.holders(2), (Names{"b"}));
  EXPECT_TRUE(leases.of("a").empty());
  EXPECT_FALSE(leases.end(first)) << "once";
  EXPECT_EQ(leases.find(first), nullptr);
  EXPECT_NE(leases.find(second), nullptr);
}

TEST_F(LeasesTest, AMachineIsAtAnItemUntilTheLastOfItsLeasesWithItHasEnded) {
  leases.adopt({5, 1}, lease("a", {1, 2}));
  leases.adopt({6, 1}, lease("a", {2, 3}));
  ASSERT_TRUE(leases.end({5, 1}));
  EXPECT_EQ(leases.holders(1), Names{});
  EXPECT_EQ(leases.holders(2), Names{"a"});
  ASSERT_TRUE(leases.end({6, 1}));
  EXPECT_EQ(leases.holders(2), Names{});
}

// A machine may show a lease of this very epoch, from an earlier life of this process.
TEST_F(LeasesTest, ANumberIsGivenOnceWhateverWasShown) {
  leases.adopt({7, 1}, lease("a", {1}));
  leases.adopt({6, 2}, lease("b", {1}));
  const LeaseId mine = leases.add(lease("c", {1}));
  EXPECT_EQ(mine, (LeaseId{7, 2}));
  ASSERT_TRUE(leases.end(mine));
  EXPECT_EQ(leases.add(lease("c", {1})), (LeaseId{7, 3})) << "nor when it has ended";
}

TEST_F(LeasesTest, EndsAtItsDeadlineUnlessThereIsProgressAndAtItsLatestInAnyCase) {
  Lease mine = lease("a", {1});
  mine.deadline = Instant() + seconds(10);
  mine.latest = Instant() + seconds(60);
  const LeaseId id = leases.add(std::move(mine));
  EXPECT_EQ(leases.find(id)->ends(), Instant() + seconds(10));
  leases.renew(id, Instant() + seconds(70));
  EXPECT_EQ(leases.find(id)->ends(), Instant() + seconds(60));
  leases.end_by(id, Instant() + seconds(90));
  EXPECT_EQ(leases.find(id)->ends(), Instant() + seconds(60)) << "never later";
  leases.end_by(id, Instant() + seconds(30));
  EXPECT_EQ(leases.find(id)->ends(), Instant() + seconds(30));
}

TEST_F(LeasesTest, AnExcuseOnlyGivesTime) {
  Lease early = lease("a", {1}), late = lease("b", {1});
  early.deadline = Instant() + seconds(1);
  late.deadline = Instant() + seconds(20);
  const LeaseId first = leases.add(std::move(early)), second = leases.add(std::move(late));
  leases.excuse(Instant() + seconds(10));
  EXPECT_EQ(leases.find(first)->deadline, Instant() + seconds(10));
  EXPECT_EQ(leases.find(second)->deadline, Instant() + seconds(20));
}

TEST_F(LeasesTest, ACopyWhoseLeaseHasEndedWasNone) {
  const LeaseId original = leases.add(lease("a", {1}));
  const LeaseId copy = leases.add(lease("b", {1}));
  leases.note_copy(original, copy);
  EXPECT_TRUE(leases.is_copied(*leases.find(original)));
  ASSERT_TRUE(leases.end(copy));
  EXPECT_FALSE(leases.is_copied(*leases.find(original)));
}

}  // namespace
}  // namespace muster::roles::coordinator
