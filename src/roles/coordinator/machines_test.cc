#include "roles/coordinator/machines.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

using Names = std::vector<std::string>;

const Error kNoModel{Code::kNotFound, "the model is not here"};
const Error kFruitless{Code::kFailed, "takes leases and answers none"};

class MachinesTest : public ::testing::Test {
 protected:
  ~MachinesTest() override { machines.check(); }

  static pb::Lend lend(const Names& names, uint64_t revision = 1) {
    pb::Lend lend;
    lend.set_revision(revision);
    for (const std::string& name : names) {
      lend.add_loans()->set_machine(name);
      lend.mutable_loans()->rbegin()->set_owner(name + "'s owner");
    }
    return lend;
  }
  Names arrive(const Names& names) { return machines.arrive(now, lend(names), effects); }
  void ready(const std::string& name) { machines.on_ready(name, "A"); }
  // How many are asked to have the model ready.
  size_t asked() {
    Effects sent;
    machines.send_due(now, {}, sent);
    return sent.send.size();
  }
  // Machines that wait on in silence, second by second; those that took too long.
  Names wait(int64_t count) {
    Names names;
    for (int64_t i = 0; i < count; ++i) {
      now += seconds(1);
      for (const std::string& name : machines.overdue(now)) names.push_back(name);
      (void)asked();
    }
    return names;
  }

  Instant now = Instant() + seconds(100);
  Effects effects;
  Machines machines{3};
};

TEST_F(MachinesTest, TakesInWhoArrivesAndRemembersWhoLeft) {
  EXPECT_EQ(arrive({"b", "a"}), (Names{"b", "a"}));
  EXPECT_EQ(arrive({"a", "c"}), (Names{"c"}));
  EXPECT_EQ(machines.leaving(lend({"a", "c"})), (Names{"b"}));
  ready("b");
  machines.leave("b");
  EXPECT_EQ(machines.find("b"), nullptr);
  EXPECT_EQ(*machines.owner("b"), "b's owner");
  EXPECT_EQ(*machines.class_of("b"), "A");
  EXPECT_EQ(machines.class_of("a"), nullptr);
  EXPECT_EQ(machines.owner("d"), nullptr);
}

TEST_F(MachinesTest, HearsTheLatestOfALine) {
  EXPECT_FALSE(machines.has_heard());
  EXPECT_TRUE(machines.hear(lend({}, 5)));
  EXPECT_FALSE(machines.hear(lend({}, 4)));
  machines.on_line(now, false);
  machines.on_line(now, true);
  EXPECT_TRUE(machines.hear(lend({}, 1))) << "another server counts from another number";
}

TEST_F(MachinesTest, AsksUntilTheModelIsReady) {
  arrive({"a"});
  EXPECT_EQ(asked(), 1u);
  EXPECT_EQ(asked(), 0u);
  now += kRepeatEvery;
  EXPECT_EQ(asked(), 1u);
  ready("a");
  now += kRepeatEvery;
  EXPECT_EQ(asked(), 0u);
  EXPECT_TRUE(machines.may_work("a"));
  machines.ask_again("a");
  EXPECT_FALSE(machines.may_work("a"));
  EXPECT_EQ(asked(), 1u);
}

TEST_F(MachinesTest, TwoMinutesAtOneStepIsTooLong) {
  arrive({"a", "b"});
  for (int i = 0; i < 13; ++i) {
    machines.on_preparing(now, "a", "fetching " + std::to_string(i));
    machines.on_preparing(now, "b", "loading");
    const Names late = wait(10);
    EXPECT_EQ(late, i == 12 ? Names{"b"} : Names{}) << i;
  }
  EXPECT_EQ(machines.loading_long(now), 1u) << "a; b begins anew";
}

TEST_F(MachinesTest, HalfAnHourInAllIsTooLongWhateverItSays) {
  arrive({"a"});
  Names late;
  for (int i = 0; i < 185 && late.empty(); ++i) {
    machines.on_preparing(now, "a", "fetching " + std::to_string(i));
    late = wait(10);
  }
  EXPECT_EQ(late, Names{"a"});
  EXPECT_GE(now - Instant(), seconds(1800));
}

TEST_F(MachinesTest, AShortAbsenceIsNoExcuseALongOneIs) {
  arrive({"a"});
  EXPECT_EQ(wait(100), Names{});
  machines.leave("a");
  now += seconds(5);
  arrive({"a"});
  EXPECT_EQ(wait(20), Names{"a"});
  EXPECT_EQ(wait(100), Names{});
  machines.leave("a");
  now += seconds(20);
  arrive({"a"});
  EXPECT_EQ(wait(100), Names{});
}

TEST_F(MachinesTest, WhoCannotIsAskedLaterThoughItBeLentBefore) {
  arrive({"a"});
  ready("a");
  machines.give_back(now, "a", kNoModel, effects);
  EXPECT_FALSE(machines.may_work("a"));
  EXPECT_EQ(machines.find("a")->unable, kNoModel.message);
  EXPECT_EQ(asked(), 0u);
  machines.leave("a");
  now += seconds(9);
  arrive({"a"});
  EXPECT_EQ(asked(), 0u) << "back before its time";
  EXPECT_EQ(machines.find("a")->unable, kNoModel.message);
  now += seconds(1);
  EXPECT_EQ(asked(), 1u);
  ready("a");
  EXPECT_TRUE(machines.has_claim("a"));
}

TEST_F(MachinesTest, WhoAnsweredNoneIsBelievedWhenItHasAnsweredOne) {
  arrive({"a"});
  machines.give_back(now, "a", kFruitless, effects);
  now += seconds(30);
  EXPECT_EQ(asked(), 1u);
  ready("a");
  EXPECT_FALSE(machines.has_claim("a"));
  machines.on_served("a");
  EXPECT_TRUE(machines.has_claim("a"));
}

TEST_F(MachinesTest, ThreeLeasesInARowThatCameToNothingAreTooMany) {
  arrive({"a", "b", "c"});
  EXPECT_FALSE(machines.note_fruitless("a"));
  EXPECT_FALSE(machines.has_claim("a"));
  machines.on_served("a");
  EXPECT_TRUE(machines.has_claim("a"));
  EXPECT_FALSE(machines.note_fruitless("a"));
  EXPECT_FALSE(machines.note_fruitless("a"));
  EXPECT_TRUE(machines.note_fruitless("a"));
  machines.note_hopeless("b");
  EXPECT_TRUE(machines.note_fruitless("b"));
  machines.give_back(now, "c", kNoModel, effects);
  EXPECT_TRUE(machines.note_fruitless("c")) << "it was given back before";
}

TEST_F(MachinesTest, WhereThreeInARowAnswerNoneItIsNotTheMachines) {
  EXPECT_FALSE(machines.note_barren("a"));
  EXPECT_FALSE(machines.note_barren("b"));
  machines.on_served("c");
  EXPECT_FALSE(machines.note_barren("a")) << "somebody has answered since";
  EXPECT_FALSE(machines.note_barren("b"));
  EXPECT_FALSE(machines.note_barren("b")) << "the same machine";
  EXPECT_TRUE(machines.note_barren("c"));
}

TEST_F(MachinesTest, PausesLongerAfterEachFailureAndNotAllAtOnce) {
  arrive({"a", "b"});
  Duration last{};
  for (int i = 0; i < 8; ++i) {
    machines.back_off(now, "a");
    const Duration pause = machines.find("a")->not_before - now;
    EXPECT_TRUE(pause > last || pause >= seconds(30)) << i;
    EXPECT_LE(pause, milliseconds(37'500));
    last = pause;
  }
  machines.forget_failures("a");
  machines.back_off(now, "a");
  machines.back_off(now, "b");
  EXPECT_LT(machines.find("a")->not_before - now, seconds(3));
  EXPECT_NE(machines.find("a")->not_before, machines.find("b")->not_before);
}

TEST_F(MachinesTest, ALeaseHasFiveTimesTheTimeItShouldTake) {
  arrive({"a", "b"});
  const auto time = [&](const std::string& name, size_t bytes) {
    return machines.latest_end(now, name, bytes) - now;
  };
  EXPECT_EQ(time("a", 1), seconds(600)) << "nobody was measured";
  machines.note_speed("a", 100, seconds(1));
  EXPECT_EQ(time("a", 2000), seconds(100));
  EXPECT_EQ(time("a", 1), seconds(60)) << "the least";
  EXPECT_EQ(time("a", 1 << 20), seconds(600)) << "the most";
  EXPECT_EQ(time("b", 1000), seconds(200)) << "four times as slow as the slowest";
  machines.note_speed("a", 50, Duration());
  EXPECT_EQ(time("a", 2000), seconds(100)) << "no time, no speed";
}

TEST_F(MachinesTest, OthersMayComeWhileTheyAreBusyOrOnTheirWayBack) {
  EXPECT_FALSE(machines.others_may_come(now));
  pb::Lend said = lend({});
  said.set_elsewhere(1);
  machines.hear(said);
  EXPECT_TRUE(machines.others_may_come(now));
  EXPECT_FALSE(machines.may_return(now));
  machines.hear(lend({}));
  machines.on_line(now, false);
  EXPECT_TRUE(machines.may_return(now));
  machines.on_line(now, true);
  EXPECT_TRUE(machines.may_return(now));
  EXPECT_FALSE(machines.may_return(now + kServerGrace));
}

TEST_F(MachinesTest, WhoRetiresGetsNoMoreLeases) {
  arrive({"a"});
  ready("a");
  pb::Lend said = lend({"a"}, 2);
  said.add_retiring("a");
  machines.hear(said);
  EXPECT_FALSE(machines.may_work("a"));
}

}  // namespace
}  // namespace muster::roles::coordinator
