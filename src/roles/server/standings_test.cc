#include "roles/server/standings.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};

pb::ReportCharge charge_of(const std::string& machine, uint32_t item, uint64_t agreed = 0) {
  pb::ReportCharge report;
  report.mutable_key()->set_job("j");
  report.mutable_charge()->set_machine(machine);
  report.mutable_charge()->set_job("j");
  report.mutable_charge()->set_item(item);
  report.mutable_charge()->set_agreed(agreed);
  report.mutable_charge()->set_difference("-7, others -5");
  return report;
}

pb::Pardon pardon_of(const std::string& machine) {
  pb::Pardon pardon;
  pardon.set_machine(machine);
  return pardon;
}

class StandingsTest : public testing::Test {
 protected:
  // The outcome of the oldest write that was asked for.
  std::optional<Standings::Settled> settle(Outcome outcome = Outcome::kDone) {
    const Commit write = effects_.commits.front();
    effects_.commits.erase(effects_.commits.begin());
    rows_.push_back(std::get<SaveMachine>(write.changes.at(0)).row);
    auto settled = standings_.settle(kStart, {write.id, outcome, ""}, effects_);
    standings_.check();
    return settled;
  }
  // The charge, written at once.
  std::optional<Standings::Settled> charge(uint32_t item, uint64_t agreed = 0) {
    standings_.add_charge("coord", charge_of("m1", item, agreed), effects_);
    return settle();
  }
  size_t answers() { return std::exchange(effects_.send, {}).size(); }

  WriteIds ids_;
  Standings standings_{3, ids_};
  Effects effects_;
  std::vector<pb::MachineRow> rows_;  // As written.
};

TEST_F(StandingsTest, AChargeIsAnsweredWhenItIsWritten) {
  EXPECT_TRUE(standings_.is_news(charge_of("m1", 1).charge()));
  standings_.add_charge("coord", charge_of("m1", 1), effects_);
  EXPECT_FALSE(standings_.is_news(charge_of("m1", 1).charge())) << "it is on its way";
  EXPECT_EQ(answers(), 0u);
  EXPECT_EQ(standings_.writing(), 1u);
  EXPECT_TRUE(settle());
  ASSERT_EQ(effects_.send.size(), 1u);
  EXPECT_EQ(effects_.send[0].envelope.to().machine(), "coord");
  EXPECT_EQ(effects_.send[0].envelope.charge_noted().item(), 1u);
  EXPECT_EQ(answers(), 1u);
  standings_.add_charge("coord", charge_of("m1", 1), effects_);
  EXPECT_EQ(answers(), 1u) << "it is in the row already";
  EXPECT_TRUE(effects_.commits.empty());
}

TEST_F(StandingsTest, WhatCouldNotBeWrittenIsNotAnswered) {
  for (const Outcome outcome : {Outcome::kFailed, Outcome::kUnknown}) {
    standings_.add_charge("coord", charge_of("m1", 1), effects_);
    standings_.add_charge("coord", charge_of("m1", 2), effects_);
    const auto settled = settle(outcome);
    ASSERT_TRUE(settled);
    EXPECT_TRUE(settled->waited.empty()) << "it is reported again";
    EXPECT_EQ(answers(), 0u);
    EXPECT_TRUE(standings_.is_news(charge_of("m1", 1).charge()));
  }
}

TEST_F(StandingsTest, OneRowAtATimeAndABoundedNumberWaits) {
  standings_.add_charge("coord", charge_of("m1", 0), effects_);
  for (uint32_t item = 1; item <= Standings::kMostWaiting + 5; ++item) {
    standings_.add_charge("coord", charge_of("m1", item), effects_);
  }
  ASSERT_EQ(effects_.commits.size(), 1u);
  const auto settled = settle();
  ASSERT_TRUE(settled);
  ASSERT_EQ(settled->waited.size(), Standings::kMostWaiting);
  EXPECT_EQ(settled->waited[0].first, "coord");
  EXPECT_EQ(settled->waited[0].second.charge().item(), 1u);
}

TEST_F(StandingsTest, ThreeStrikesAreQuarantineUnlessTheyWereMadeGood) {
  struct Case {
    const char* name;
    std::vector<uint64_t> agreed;  // Before each charge.
    bool quarantined;
  };
  for (const Case& c : {Case{"three", {0, 0, 0}, true}, Case{"two", {0, 0}, false},
                        Case{"made good", {0, 0, Standings::kForgivenBy}, false},
                        Case{"almost made good", {0, 0, Standings::kForgivenBy - 1}, true},
                        Case{"three more", {0, 0, Standings::kForgivenBy, 0, 0}, true}}) {
    WriteIds ids;
    Standings standings(3, ids);
    uint32_t item = 0;
    bool last = false;
    for (const uint64_t agreed : c.agreed) {
      Effects effects;
      standings.add_charge("coord", charge_of("m1", item++, agreed), effects);
      last = standings.settle(kStart, {effects.commits.at(0).id}, effects)->is_quarantined;
    }
    EXPECT_EQ(standings.is_quarantined("m1"), c.quarantined) << c.name;
    EXPECT_EQ(last, c.quarantined) << c.name << ": told when it happens";
  }
}

TEST_F(StandingsTest, WithoutALimitNobodyIsQuarantined) {
  Standings standings(0, ids_);
  for (uint32_t item = 0; item < 5; ++item) {
    standings.add_charge("coord", charge_of("m1", item), effects_);
    const auto settled = standings.settle(kStart, {effects_.commits.back().id}, effects_);
    ASSERT_TRUE(settled);
    EXPECT_FALSE(settled->is_quarantined);
  }
}

TEST_F(StandingsTest, KeepTheLatestCharges) {
  for (uint32_t item = 0; item < Standings::kMostCharges + 2; ++item) charge(item);
  EXPECT_EQ(rows_.back().charges_size(), Standings::kMostCharges);
  EXPECT_EQ(rows_.back().charges(0).item(), 2u);
}

TEST_F(StandingsTest, TalliesAddUpUntilACharge) {
  std::vector<pb::Tally> tallies(1);
  tallies[0].set_machine("m1");
  tallies[0].set_agreed(30);
  for (int i = 0; i < 2; ++i) {
    standings_.add_tallies(tallies, effects_);
    settle();
  }
  EXPECT_EQ(standings_.agreed("m1"), 60u);
  tallies[0].set_charged(true);
  standings_.add_tallies(tallies, effects_);
  standings_.add_tallies(tallies, effects_);
  EXPECT_EQ(effects_.commits.size(), 1u) << "not precious: one that meets a write is lost";
  settle();
  EXPECT_EQ(standings_.agreed("m1"), 30u);
}

TEST_F(StandingsTest, APardonForgivesAllAndIsAnsweredWhenWritten) {
  for (uint32_t item = 0; item < 3; ++item) charge(item);
  standings_.note_lapse(kStart, "m1", "has fed nothing", effects_);
  ASSERT_TRUE(standings_.is_quarantined("m1"));
  EXPECT_EQ(standings_.quarantined(9), std::vector<std::string>{"m1"});
  answers();
  standings_.pardon("c", pardon_of("m"), effects_);
  EXPECT_EQ(answers(), 0u);
  const auto settled = settle();
  ASSERT_TRUE(settled);
  EXPECT_TRUE(settled->is_pardoned);
  ASSERT_EQ(effects_.send.size(), 1u);
  EXPECT_EQ(effects_.send[0].envelope.pardon_reply().machine(), "m1");
  EXPECT_FALSE(standings_.is_quarantined("m1"));
  EXPECT_FALSE(standings_.has_lapsed(kStart, "m1"));
  EXPECT_EQ(rows_.back().charges_size(), 0);
  EXPECT_EQ(standings_.explain("m1"), "");
}

TEST_F(StandingsTest, OneThatIsRemovedIsLetInNoMoreOnceThatIsWritten) {
  standings_.remove("c", "m1", 1000, effects_);
  EXPECT_EQ(answers(), 0u);
  EXPECT_TRUE(standings_.may_be_here("m1")) << "it is not written yet";
  standings_.remove("c", "m1", 1000, effects_);
  EXPECT_EQ(effects_.send.at(0).envelope.remove_machine_reply().failure().code(), "try later");
  answers();
  EXPECT_FALSE(settle(Outcome::kFailed)->is_removed);
  EXPECT_TRUE(effects_.send.at(0).envelope.remove_machine_reply().has_failure());
  answers();
  standings_.remove("c", "m1", 1000, effects_);
  EXPECT_TRUE(settle()->is_removed);
  EXPECT_EQ(effects_.send.at(0).envelope.remove_machine_reply().machine(), "m1");
  EXPECT_EQ(standings_.may_be_here("m1").error().code, Code::kPermission);
  EXPECT_TRUE(standings_.may_be_here("m2"));
  answers();
  standings_.remove("c", "m1", 2000, effects_);
  EXPECT_EQ(answers(), 1u) << "it is so already";
  Standings next(3, ids_);
  next.restore(rows_.back());
  EXPECT_FALSE(next.may_be_here("m1"));
  EXPECT_FALSE(charge(1)->is_removed) << "not by this row";
  EXPECT_FALSE(standings_.may_be_here("m1"));
  answers();
  standings_.pardon("c", pardon_of("m1"), effects_);
  EXPECT_TRUE(settle()->is_pardoned);
  EXPECT_TRUE(standings_.may_be_here("m1"));
}

TEST_F(StandingsTest, APardonNamesOneMachine) {
  charge(1);
  standings_.add_charge("coord", charge_of("m2", 1), effects_);
  settle();
  answers();
  for (const char* name : {"m", "", "x"}) {
    standings_.pardon("c", pardon_of(name), effects_);
    ASSERT_EQ(effects_.send.size(), 1u) << name;
    EXPECT_TRUE(effects_.send[0].envelope.pardon_reply().has_failure()) << name;
    answers();
  }
  standings_.add_charge("coord", charge_of("m2", 2), effects_);
  standings_.pardon("c", pardon_of("m2"), effects_);
  ASSERT_EQ(effects_.send.size(), 1u);
  EXPECT_EQ(effects_.send[0].envelope.pardon_reply().failure().code(), "try later");
}

TEST_F(StandingsTest, TenRefusalsInAMinuteAreTooMuch) {
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(standings_.is_too_much(kStart, "m1", 1));
  EXPECT_FALSE(standings_.is_too_much(kStart + seconds(61), "m1", 1)) << "the first are forgotten";
  EXPECT_FALSE(standings_.is_too_much(kStart + seconds(62), "m1", 8));
  EXPECT_TRUE(standings_.is_too_much(kStart + seconds(63), "m1", 1));
  EXPECT_FALSE(standings_.is_too_much(kStart + seconds(64), "m1", 1)) << "counted anew";
  EXPECT_TRUE(standings_.is_too_much(kStart, "m2", 1'000'000)) << "all at once";
}

TEST_F(StandingsTest, WhoIsBanishedIsSoAtOnceAndInTheRowLater) {
  standings_.add_charge("coord", charge_of("m1", 1), effects_);
  standings_.banish("m1", "spoke for others", effects_);
  EXPECT_TRUE(standings_.is_banished("m1"));
  EXPECT_TRUE(standings_.is_quarantined("m1"));
  EXPECT_TRUE(standings_.has_lapsed(kStart, "m1"));
  EXPECT_FALSE(standings_.is_out(kStart, "m1"));
  EXPECT_TRUE(standings_.quarantined(9).empty()) << "no row says so yet";
  ASSERT_EQ(effects_.commits.size(), 1u) << "another row is on its way";
  settle();
  ASSERT_EQ(effects_.commits.size(), 1u);
  const auto settled = settle();
  EXPECT_TRUE(rows_.back().misbehaved());
  ASSERT_TRUE(settled);
  EXPECT_TRUE(settled->is_quarantined);
}

TEST_F(StandingsTest, WhoIsBanishedStaysSoWhateverTheDatabaseDoes) {
  for (const Outcome outcome : {Outcome::kFailed, Outcome::kUnknown}) {
    const std::string machine = outcome == Outcome::kFailed ? "m1" : "m2";
    standings_.banish(machine, "spoke for others", effects_);
    settle(outcome);
    effects_.wake_at.reset();
    standings_.keep(kStart, effects_);
    EXPECT_TRUE(effects_.commits.empty());
    EXPECT_EQ(effects_.wake_at, kStart + kRepeatEvery);
    standings_.keep(kStart + kRepeatEvery, effects_);
    ASSERT_EQ(effects_.commits.size(), 1u);
    settle();
    EXPECT_EQ(rows_.back().machine(), machine);
    EXPECT_TRUE(rows_.back().misbehaved());
    standings_.keep(kStart + seconds(9), effects_);
    EXPECT_TRUE(effects_.commits.empty()) << "once";
  }
}

TEST_F(StandingsTest, WhoIsQuarantinedAlreadyIsBanishedByHisRowToo) {
  for (uint32_t item = 0; item < 3; ++item) charge(item);
  standings_.add_charge("coord", charge_of("m1", 9), effects_);
  standings_.banish("m1", "spoke for others", effects_);
  settle();
  ASSERT_EQ(effects_.commits.size(), 1u);
  settle();
  EXPECT_TRUE(rows_.back().misbehaved());
}

TEST_F(StandingsTest, APardonForgivesWhatNoRowSaysYet) {
  standings_.banish("m1", "spoke for others", effects_);
  settle(Outcome::kFailed);
  standings_.pardon("c", pardon_of("m1"), effects_);
  const auto settled = settle();
  ASSERT_TRUE(settled);
  EXPECT_TRUE(settled->is_pardoned);
  EXPECT_FALSE(standings_.is_banished("m1"));
  EXPECT_EQ(answers(), 1u);
}

TEST_F(StandingsTest, APardonIsOfWhatWasSeenBefore) {
  for (uint32_t item = 0; item < 3; ++item) charge(item);
  answers();
  standings_.pardon("c", pardon_of("m1"), effects_);
  standings_.banish("m1", "spoke for others", effects_);
  const auto settled = settle();
  ASSERT_TRUE(settled);
  EXPECT_FALSE(settled->is_pardoned);
  EXPECT_EQ(answers(), 1u);
  EXPECT_TRUE(standings_.is_banished("m1"));
  settle();
  EXPECT_TRUE(rows_.back().misbehaved());
  standings_.pardon("c", pardon_of("m1"), effects_);
  settle(Outcome::kFailed);
  ASSERT_EQ(effects_.send.size(), 1u);
  EXPECT_TRUE(effects_.send[0].envelope.pardon_reply().has_failure()) << "it is not pardoned";
  EXPECT_TRUE(standings_.is_banished("m1"));
}

TEST_F(StandingsTest, RefusalsAreCountedAndWrittenNowAndThen) {
  standings_.note_refusal(kStart, "m1", "a lie", 2, effects_);
  settle();
  EXPECT_EQ(rows_.back().refused(), 2u);
  standings_.note_refusal(kStart + seconds(9), "m1", "a lie", 3, effects_);
  EXPECT_TRUE(effects_.commits.empty());
  EXPECT_EQ(effects_.notes.size(), 1u) << "the same is said once";
  standings_.note_refusal(kStart + seconds(10), "m1", "another", 1, effects_);
  settle();
  EXPECT_EQ(rows_.back().refused(), 6u);
  EXPECT_EQ(rows_.back().refusal(), "another");
  EXPECT_EQ(standings_.explain_refusals("m1"), "; refused: 6 messages, the last: another");
  EXPECT_FALSE(standings_.is_quarantined("m1")) << "held against nobody";
}

TEST_F(StandingsTest, AStoreThatLapsesIsOutTwiceAsLongEachTime) {
  Instant now = kStart;
  for (const Duration out : {seconds(60), seconds(120), seconds(240)}) {
    standings_.note_lapse(now, "m1", "has fed nothing", effects_);
    standings_.note_lapse(now + seconds(1), "m1", "again", effects_);  // It is out already.
    EXPECT_TRUE(standings_.is_out(now + out - seconds(1), "m1"));
    EXPECT_FALSE(standings_.is_out(now + out, "m1"));
    now += out;
  }
  EXPECT_EQ(standings_.lapses("m1"), 3);
  EXPECT_EQ(standings_.explain("m1"), "; as a storage node it has fed nothing");
  EXPECT_EQ(standings_.lapses("m2"), 0);
  standings_.note_lapse(now, "m1", "has fed nothing", effects_);
  standings_.end_lapse(now, "m1");
  EXPECT_FALSE(standings_.has_lapsed(now, "m1"));
}

TEST_F(StandingsTest, AStoreThatCannotBeWrittenIsTakenAgainTheFirstTime) {
  standings_.note_store_problem(kStart, "m1", "no space");
  EXPECT_FALSE(standings_.is_out(kStart, "m1"));
  standings_.note_store_problem(kStart, "m1", "no space");
  EXPECT_TRUE(standings_.is_out(kStart + seconds(59), "m1"));
  EXPECT_FALSE(standings_.is_out(kStart + seconds(60), "m1"));
}

TEST_F(StandingsTest, AreWhatTheServerBeforeHadWritten) {
  pb::MachineRow row;
  row.set_machine("m1");
  row.set_misbehaved(true);
  row.set_quarantined(true);
  row.set_refused(10);
  row.set_refusal("spoke for others");
  standings_.restore(row);
  standings_.check();
  EXPECT_TRUE(standings_.is_banished("m1"));
  EXPECT_EQ(standings_.named("m"), std::vector<std::string>{"m1"});
  pb::Machine described;
  described.set_machine("m1");
  standings_.describe(described);
  EXPECT_TRUE(described.quarantined());
  EXPECT_EQ(described.reason(), "refused: spoke for others");
}

TEST_F(StandingsTest, WhoIsDrainedIsRemovedOnceItHoldsNothing) {
  standings_.drain("c", "m1", 1000, effects_);
  EXPECT_TRUE(standings_.draining().empty()) << "nobody knows of it before it is there";
  EXPECT_FALSE(settle(Outcome::kFailed)->is_drained);
  standings_.drain("c", "m1", 1000, effects_);
  EXPECT_TRUE(settle()->is_drained);
  EXPECT_TRUE(standings_.draining().contains("m1"));
  EXPECT_TRUE(standings_.may_be_here("m1"));
  standings_.end_drain(kStart, "m1", 2000, effects_);
  EXPECT_TRUE(effects_.commits.empty()) << "a row could not be written just now";
  standings_.end_drain(kStart + kRepeatEvery, "m1", 2000, effects_);
  EXPECT_FALSE(settle(Outcome::kFailed)->is_removed);
  standings_.end_drain(kStart + kRepeatEvery, "m1", 2000, effects_);
  EXPECT_TRUE(settle()->is_removed);
  EXPECT_TRUE(standings_.draining().empty());
  EXPECT_FALSE(standings_.may_be_here("m1"));
}

TEST_F(StandingsTest, ADrainIsRememberedAndPardoned) {
  pb::MachineRow row;
  row.set_machine("m1");
  row.set_drained_at_ms(1000);
  standings_.restore(row);
  EXPECT_TRUE(standings_.draining().contains("m1"));
  standings_.drain("c", "m1", 2000, effects_);
  EXPECT_TRUE(effects_.commits.empty()) << "it is";
  pb::Pardon pardon;
  pardon.set_machine("m1");
  standings_.pardon("c", pardon, effects_);
  EXPECT_TRUE(settle()->is_pardoned);
  EXPECT_TRUE(standings_.draining().empty());
}

}  // namespace
}  // namespace muster::roles::server
