#include "roles/coordinator/standings.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

pb::JobKey key() {
  pb::JobKey key;
  key.set_job("job");
  key.set_run(2);
  key.set_epoch(3);
  return key;
}

class StandingsTest : public ::testing::Test {
 protected:
  ~StandingsTest() override { standings.check(); }

  void agree_on(uint32_t items, const std::string& machine) {
    for (uint32_t i = 0; i < items; ++i) standings.on_agreed(next_item++, machine, true);
  }
  pb::ChargeNoted noted(uint32_t item, const std::string& machine) {
    pb::ChargeNoted noted;
    noted.set_item(item);
    noted.set_machine(machine);
    return noted;
  }

  Standings standings{key()};
  uint32_t next_item = 0;
};

TEST_F(StandingsTest, TrustsAfterSoManyItemsHereAndBefore) {
  agree_on(Standings::kTrustedAt - 1, "a");
  EXPECT_FALSE(standings.is_trusted("a"));
  EXPECT_TRUE(standings.set_before("a", 1));
  EXPECT_TRUE(standings.is_trusted("a"));
  EXPECT_FALSE(standings.set_before("a", 2)) << "it was trusted already";
  EXPECT_TRUE(standings.set_before("a", 0));
  EXPECT_FALSE(standings.is_trusted("b"));
}

TEST_F(StandingsTest, AnAnswerThatCouldHaveBeenCopiedIsJudgedAndCountsForNothing) {
  standings.set_before("a", Standings::kTrustedAt - 1);
  standings.on_agreed(0, "a", false);
  EXPECT_TRUE(standings.has_judged(0, "a"));
  EXPECT_FALSE(standings.has_judged(0, "b"));
  EXPECT_FALSE(standings.has_judged(1, "a"));
  EXPECT_FALSE(standings.is_trusted("a"));
  EXPECT_TRUE(standings.tallies(9).empty());
}

TEST_F(StandingsTest, AChargeTakesAwayWhatSpokeForAMachine) {
  standings.set_before("a", 100);
  agree_on(150, "a");
  standings.charge(Instant(), 7, "a", "item 7, request 2");
  EXPECT_FALSE(standings.is_trusted("a"));
  agree_on(Standings::kTrustedAt, "a");
  EXPECT_TRUE(standings.is_trusted("a")) << "earned anew";
  const auto tallies = standings.tallies(9);
  ASSERT_EQ(tallies.size(), 1u);
  EXPECT_EQ(tallies[0].agreed(), Standings::kTrustedAt);
  EXPECT_TRUE(tallies[0].charged());
}

TEST_F(StandingsTest, SaysAChargeUntilItIsNoted) {
  standings.set_before("a", 100);
  agree_on(1, "a");
  standings.charge(Instant(), 7, "a", "item 7, request 2");
  Effects effects;
  standings.send_due(Instant(), effects);
  ASSERT_EQ(effects.send.size(), 1u);
  const pb::ReportCharge& said = effects.send[0].envelope.report_charge();
  EXPECT_EQ(said.key().epoch(), 3u);
  EXPECT_EQ(said.charge().run(), 2u);
  EXPECT_EQ(said.charge().item(), 7u);
  EXPECT_EQ(said.charge().agreed(), 101u) << "what it had when it was charged";
  EXPECT_EQ(said.charge().difference(), "item 7, request 2");
  standings.send_due(Instant(), effects);
  EXPECT_EQ(effects.send.size(), 1u) << "not due yet";
  standings.on_noted(noted(8, "a"));
  standings.send_due(Instant() + kRepeatEvery, effects);
  EXPECT_EQ(effects.send.size(), 2u) << "another's charge was noted";
  standings.on_noted(noted(7, "a"));
  EXPECT_FALSE(standings.has_open_charges());
}

TEST_F(StandingsTest, WhoIsQuarantinedIsNotTrustedAndIsNewOnce) {
  standings.set_before("a", Standings::kTrustedAt);
  EXPECT_EQ(standings.set_quarantined({"b", "a"}), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(standings.is_trusted("a"));
  EXPECT_EQ(standings.set_quarantined({"a", "c"}), (std::vector<std::string>{"c"}));
  EXPECT_FALSE(standings.is_quarantined("b"));
  standings.set_quarantined({});
  EXPECT_TRUE(standings.is_trusted("a")) << "pardoned";
}

TEST_F(StandingsTest, TalliesAreBounded) {
  agree_on(1, "a");
  agree_on(1, "b");
  EXPECT_EQ(standings.tallies(1).size(), 1u);
}

}  // namespace
}  // namespace muster::roles::coordinator
