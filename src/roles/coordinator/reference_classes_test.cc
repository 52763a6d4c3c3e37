#include "roles/coordinator/reference_classes.h"

#include "roles/coordinator/situation_stage.h"
#include "wire/lease_id.h"
#include "wire/run_key.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kQuorumWait = seconds(30);
constexpr Duration kClassWait = seconds(2);

// Each call is a step of a job: time passes between them only where a test says so.
class ReferenceClassesTest : public SituationStage {
 protected:
  explicit ReferenceClassesTest(const StageSetting& its = {}) : SituationStage(its) {}
  // The class that is asked for in this step; empty: none is.
  std::string keep(bool changed = true) {
    Effects step;
    classes.keep(now, situation(), changed, kQuorumWait, step);
    wake_at = step.wake_at;
    for (const Note& note : step.notes) warnings.push_back(note.text);
    return asked(step);
  }
  std::string wait(Duration time) {
    now += time;
    return keep(false);
  }
  static std::string asked(const Effects& step) {
    EXPECT_LE(step.send.size(), 1u);
    return step.send.empty() ? "" : step.send[0].envelope.commit_class().numeric_class();
  }
  using Classes = std::optional<std::vector<std::string>>;
  // The server says what the row has now.
  Classes commit(const std::vector<std::string>& known) {
    pb::ClassCommitted committed;
    committed.mutable_numeric_classes()->Add(known.begin(), known.end());
    effects = {};
    return classes.on_committed(now, committed, items.rules(), effects);
  }

  ReferenceClasses classes{key};
  std::optional<Instant> wake_at;
  std::vector<std::string> warnings;
};

// ---- The first.

class NoClassYetTest : public ReferenceClassesTest {
 protected:
  NoClassYetTest() { set_classes({}); }
};

TEST_F(NoClassYetTest, IsTheOneThatTwoMachinesAreReadyWithAfterAWhile) {
  arrive({"c1"});
  ready({"a1", "b1"});
  EXPECT_EQ(keep(), "") << "others may be ready too";
  EXPECT_EQ(wake_at, now + kClassWait);
  EXPECT_EQ(wait(kClassWait - milliseconds(1)), "");
  EXPECT_EQ(wait(milliseconds(1)), "A");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(NoClassYetTest, IsThereAtOnceWhenAllThatMayComeAreReady) {
  ready({"a1"});
  arrive({"b1"});
  give_back("b1");  // It cannot.
  EXPECT_EQ(keep(), "A");
}

TEST_F(NoClassYetTest, IsNotChosenByOneMachineThatIsReadyBeforeAllOthers) {
  ready({"a1"});
  ready({"c1"}, "C");
  arrive({"b1"});
  measure("a1", 10);
  EXPECT_EQ(keep(), "");
  EXPECT_EQ(wake_at, now + kQuorumWait);
  EXPECT_EQ(wait(kQuorumWait - milliseconds(1)), "");
  EXPECT_EQ(wait(milliseconds(1)), "A") << "no other is in sight";
}

TEST_F(NoClassYetTest, WaitsForMachinesThatAreAtWorkElsewhere) {
  ready({"a1"});
  hear(1);
  EXPECT_EQ(keep(), "");
  hear(0);
  EXPECT_EQ(keep(), "A");
}

TEST_F(NoClassYetTest, WaitsAnewWhenNobodyIsReadyAnyMore) {
  arrive({"c1"});
  ready({"a1", "b1"});
  EXPECT_EQ(keep(), "");
  machines.ask_again("a1");
  machines.ask_again("b1");
  standings.set_quarantined({"a1", "b1"});
  EXPECT_EQ(wait(seconds(1)), "");
  machines.on_ready("a1", "A");
  machines.on_ready("b1", "A");
  EXPECT_EQ(wait(seconds(1)), "");
  EXPECT_EQ(wait(kClassWait), "A");
}

TEST_F(NoClassYetTest, IsTheOneWithTheMostSpeed) {
  ready({"a1"}, "A");
  ready({"b1", "b2"}, "B");
  measure("a1", 100);
  measure("b1", 30);
  measure("b2", 30);
  EXPECT_EQ(keep(), "A");
}

TEST_F(NoClassYetTest, AddsUpTheSpeedOfItsMachines) {
  ready({"a1"}, "A");
  ready({"b1", "b2"}, "B");
  measure("a1", 50);
  measure("b1", 30);
  measure("b2", 30);
  EXPECT_EQ(keep(), "B");
}

TEST_F(NoClassYetTest, CountsAMachineThatWasNotMeasuredForLittle) {
  ready({"a1"}, "A");
  ready({"b1", "b2"}, "B");
  EXPECT_EQ(keep(), "B");
  (void)commit({});
  measure("a1", 3);
  EXPECT_EQ(keep(), "A");
}

TEST_F(NoClassYetTest, IsNotOfAMachineThatTakesLeasesAndAnswersNone) {
  ready({"a1", "a2"}, "A");
  ready({"b1"}, "B");
  (void)machines.note_fruitless("a1");
  (void)machines.note_fruitless("a2");
  EXPECT_EQ(keep(), "B");
}

// ---- Asking.

TEST_F(ReferenceClassesTest, AreAskedForUntilTheServerHasCommittedThem) {
  Effects step;
  classes.ask_for(now, "B", step);
  EXPECT_TRUE(classes.is_asking());
  ASSERT_EQ(step.send.size(), 1u);
  EXPECT_EQ(step.send[0].envelope.to().role(), pb::ROLE_SERVER);
  EXPECT_TRUE(same_key(step.send[0].envelope.commit_class().key(), key));
  EXPECT_EQ(step.wake_at, now + kRepeatEvery);
  EXPECT_EQ(keep(), "") << "not due";
  EXPECT_EQ(wait(kRepeatEvery), "B");
  ready({"c1", "c2"}, "C");
  EXPECT_EQ(wait(kQuorumWait), "B") << "nothing else meanwhile";
  EXPECT_EQ(commit({"A", "B"}), (Classes{{"A", "B"}}));
  EXPECT_FALSE(classes.is_asking());
}

TEST_F(ReferenceClassesTest, AreInsistedOnWheneverDue) {
  Effects first, early, due;
  classes.insist(now, "B", first);
  EXPECT_EQ(asked(first), "B");
  classes.insist(now, "B", early);
  EXPECT_EQ(asked(early), "");
  classes.insist(now + kRepeatEvery, "B", due);
  EXPECT_EQ(asked(due), "B");
}

TEST_F(ReferenceClassesTest, AreNoNewsWhenTheyAreKnownHere) {
  EXPECT_EQ(commit({"A"}), std::nullopt);
  EXPECT_EQ(commit({"A", "C"}), (Classes{{"A", "C"}})) << "whoever asked for it";
}

TEST_F(ReferenceClassesTest, AreSaidAgainOneByOneToAServerOnAnOlderDatabase) {
  set_classes({"A", "B", "C"});
  classes.say_again(now, items.rules());
  EXPECT_EQ(keep(), "A");
  EXPECT_EQ(commit({"A"}), std::nullopt);
  EXPECT_EQ(asked(effects), "B");
  EXPECT_EQ(commit({"A", "B"}), std::nullopt);
  EXPECT_EQ(asked(effects), "C");
  EXPECT_EQ(commit({"A", "B", "C"}), std::nullopt);
  EXPECT_EQ(asked(effects), "");
  EXPECT_FALSE(classes.is_asking());
}

TEST_F(ReferenceClassesTest, AreNotSaidAgainWhereTheServerKnowsThem) {
  set_classes({"A", "B", "C"});
  classes.say_again(now, items.rules());
  (void)keep();
  (void)commit({"A", "B"});
  EXPECT_EQ(asked(effects), "C") << "it has B";
}

TEST_F(ReferenceClassesTest, AreEachSaidOnceThoughTheServerHasNoRoom) {
  set_classes({"A", "B"});
  classes.say_again(now, items.rules());
  (void)keep();
  (void)commit({"X", "Y"});
  EXPECT_EQ(asked(effects), "B");
  (void)commit({"X", "Y"});
  EXPECT_EQ(asked(effects), "");
  EXPECT_FALSE(classes.is_asking());
}

TEST_F(ReferenceClassesTest, AreNotSaidAgainWhileAnotherIsOnItsWayNorWhereThereIsNone) {
  Effects step;
  classes.ask_for(now, "B", step);
  classes.say_again(now, items.rules());
  EXPECT_EQ(wait(kRepeatEvery), "B");
  ReferenceClasses fresh(key);
  fresh.say_again(now, {});
  EXPECT_FALSE(fresh.is_asking());
}

// ---- Another, since the class "A" is lost.

class LostTest : public ReferenceClassesTest {
 protected:
  // Whether it is lost, so that the class of b1 is asked for at the end of the quorum wait.
  bool is_lost(bool changed = true) {
    EXPECT_EQ(keep(changed), "");
    EXPECT_EQ(classes.is_lost(), wake_at == now + kQuorumWait);
    return classes.is_lost();
  }
};

TEST_F(LostTest, WhenNoMachineOfItHasBeenThereForTheQuorumWait) {
  ready({"b1"}, "B");
  EXPECT_TRUE(is_lost());
  EXPECT_EQ(wait(kQuorumWait - milliseconds(1)), "");
  EXPECT_EQ(wait(milliseconds(1)), "B");
  EXPECT_EQ(
      warnings,
      (std::vector<std::string>{
          "class A does not give all values any more; B gives the values from here on, too"}));
  EXPECT_EQ(commit({"A", "B"}), (Classes{{"A", "B"}}));
  EXPECT_FALSE(classes.is_lost());
}

TEST_F(LostTest, AndWaitsAnewWhenOneWasThereMeanwhile) {
  ready({"b1"}, "B");
  EXPECT_TRUE(is_lost());
  ready({"a1"});
  EXPECT_EQ(wait(seconds(10)), "");
  EXPECT_FALSE(classes.is_lost());
  machines.leave("a1");
  EXPECT_TRUE(is_lost());
  EXPECT_EQ(wait(kQuorumWait - milliseconds(1)), "");
  EXPECT_EQ(wait(milliseconds(1)), "B");
}

TEST_F(LostTest, IsLookedForOnlyWhenSomethingHasChanged) {
  ready({"b1"}, "B");
  EXPECT_FALSE(is_lost(false));
  EXPECT_TRUE(is_lost(true));
}

class LostOfManyTest : public ReferenceClassesTest {
 protected:
  LostOfManyTest() : ReferenceClassesTest({.items = 1000}) {}
};

TEST_F(LostOfManyTest, IsNotLookedForAtEachOfManyChanges) {
  ready({"a1"});
  ready({"b1"}, "B");
  (void)keep();
  machines.leave("a1");
  now += milliseconds(9);
  (void)keep();
  EXPECT_FALSE(classes.is_lost()) << "10 ms from look to look";
  EXPECT_EQ(wake_at, now + milliseconds(1));
  (void)wait(milliseconds(1));
  EXPECT_TRUE(classes.is_lost()) << "the change is not forgotten";
}

TEST_F(LostTest, NotWhileAMachineIsThereWhoseClassNobodyKnows) {
  ready({"b1"}, "B");
  arrive({"c1"});
  EXPECT_FALSE(is_lost());
  machines.on_ready("c1", "B");
  EXPECT_TRUE(is_lost());
}

TEST_F(LostTest, ThoughAMachineOfItTakesLeasesAndAnswersNone) {
  ready({"a1"});
  ready({"b1"}, "B");
  EXPECT_FALSE(is_lost());
  (void)machines.note_fruitless("a1");
  EXPECT_TRUE(is_lost());
}

TEST_F(LostTest, NotWhileOthersMayComeThoughNotForEver) {
  ready({"b1"}, "B");
  hear(1);
  EXPECT_FALSE(is_lost());
  now += seconds(60) - milliseconds(1);
  EXPECT_FALSE(is_lost());
  now += milliseconds(1);
  EXPECT_TRUE(is_lost()) << "nobody has voted for a minute";
}

TEST_F(LostTest, NotWhenEveryItemHasAnAnswerOfIt) {
  for (const Item& item : items) vote(item.index(), "a1");
  ready({"b1"}, "B");
  EXPECT_FALSE(is_lost()) << "the others only vote";
}

TEST_F(LostTest, NotWhenNothingIsWanted) {
  for (const Item& item : items) settle(item.index());
  ready({"b1"}, "B");
  EXPECT_FALSE(is_lost());
}

TEST_F(LostTest, ForOneItemThatNoMachineOfItMayAnswer) {
  ready({"a1"});
  ready({"b1"}, "B");
  vote(0, "b1");
  EXPECT_FALSE(is_lost());
  exclude(0, "a1");
  EXPECT_TRUE(is_lost()) << "though it may answer others";
  const LeaseId lease = hold("a1", {0});
  EXPECT_FALSE(is_lost()) << "it is at it";
  (void)leases.end(lease);
  measure("a1", 1000);
  EXPECT_TRUE(is_lost());
  EXPECT_EQ(wait(kQuorumWait), "B") << "the fastest of those that are not on the list";
}

TEST_F(LostTest, WhereMostVotesAgreeOnWhatItDoesNotSay) {
  ready({"a1"});
  ready({"b1", "c1"}, "B");
  for (uint32_t i : {1, 2, 3}) settle(i);
  vote(0, "a1", -3);
  vote(0, "b1", -5);
  EXPECT_FALSE(is_lost());
  vote(0, "c1", -5);
  EXPECT_TRUE(is_lost());
  ready({"a2"});
  EXPECT_FALSE(is_lost()) << "one more of it may yet say the same";
}

TEST_F(LostTest, ThenTheAnswersThatThereAreChooseWhenNobodyIsThere) {
  ready({"b1", "b2"}, "B");
  ready({"c1"}, "C");
  vote(0, "c1");
  vote(1, "c1");
  vote(2, "b1");
  vote(3, "a1", -3);
  vote(3, "b1", -5);
  vote(3, "b2", -7);  // It has an answer of A: who else has voted there is no matter.
  for (const char* name : {"b1", "b2", "c1"}) machines.leave(name);
  EXPECT_TRUE(is_lost());
  EXPECT_EQ(wait(kQuorumWait), "C");
}

TEST_F(LostTest, ThenTheMachinesThatWereThereChooseWhenNobodyHasAnswered) {
  ready({"b1"}, "B");
  ready({"c1", "c2"}, "C");
  for (const char* name : {"b1", "c1", "c2"}) machines.leave(name);
  standings.set_quarantined({"c1", "c2"});
  EXPECT_TRUE(is_lost());
  EXPECT_EQ(wait(kQuorumWait), "B") << "two of C that do not count";
}

// ---- Another, since the class "A" is lonely.

class LonelyTest : public LostTest {};

TEST_F(LonelyTest, WhenOneMachineOfItAloneCouldWhileTwoOfAnotherWait) {
  ready({"a1"});
  ready({"b1"}, "B");
  EXPECT_FALSE(is_lost());
  ready({"c1"}, "C");
  EXPECT_FALSE(is_lost()) << "one of each";
  ready({"b2"}, "B");
  EXPECT_TRUE(is_lost());
  EXPECT_EQ(wait(kQuorumWait), "B");
}

TEST_F(LonelyTest, ThoughOthersMayCome) {
  ready({"a1"});
  ready({"b1", "b2"}, "B");
  hear(1);
  EXPECT_TRUE(is_lost());
}

TEST_F(LonelyTest, NotWhenTwoAreThere) {
  ready({"a1", "a2"});
  ready({"b1", "b2"}, "B");
  EXPECT_FALSE(is_lost());
  machines.ask_again("a2");
  EXPECT_TRUE(is_lost()) << "one of them is not ready";
}

TEST_F(LonelyTest, NotWhenThoseThatWaitTakeLeasesAndAnswerNone) {
  ready({"a1"});
  ready({"b1", "b2"}, "B");
  (void)machines.note_fruitless("b2");
  EXPECT_FALSE(is_lost());
}

TEST_F(LonelyTest, NotWhenEveryItemHasAnAnswerOfIt) {
  ready({"a1"});
  ready({"b1", "b2"}, "B");
  for (const Item& item : items) vote(item.index(), "a1");
  EXPECT_FALSE(is_lost());
}

}  // namespace
}  // namespace muster::roles::coordinator
