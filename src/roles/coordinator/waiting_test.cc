#include "roles/coordinator/waiting.h"

#include "roles/coordinator/situation_stage.h"

namespace muster::roles::coordinator {
namespace {

class WaitingTest : public SituationStage {
 protected:
  WaitingTest() : SituationStage({.items = 2}) {}

  bool is_stuck() { return coordinator::is_stuck(situation(), now); }
  std::string reason(bool class_is_lost = false) {
    return waiting_reason(situation(), class_is_lost, is_stuck());
  }
  // It has said so, so many times.
  void says(const std::string& name, Code code, const std::string& message, int times = 1) {
    arrive({name});
    for (int i = 0; i < times; ++i) machines.give_back(now, name, {code, message}, effects);
  }
  // What they all say; empty: there is hope.
  std::string verdict() {
    const Error* error = nobody_has_the_model(situation());
    return error == nullptr ? "" : error->message;
  }
};

// ---- Stuck.

TEST_F(WaitingTest, AJobIsStuckWhenNobodyHereOrElsewhereMayTakeAnything) {
  EXPECT_TRUE(is_stuck()) << "nobody is here";
  ready({"a1"});
  EXPECT_FALSE(is_stuck());
  for (uint32_t i : {0, 1}) vote(i, "a1");
  EXPECT_TRUE(is_stuck()) << "it has voted on all";
  arrive({"b1"});
  EXPECT_FALSE(is_stuck()) << "it may be ready some day";
  give_back("b1");
  EXPECT_TRUE(is_stuck());
  hear(1);
  EXPECT_FALSE(is_stuck()) << "another is at work elsewhere";
  hear(0);
  machines.on_line(now, false);
  EXPECT_FALSE(is_stuck()) << "nobody knows who will be back";
}

TEST_F(WaitingTest, AJobIsNotStuckWhileALeaseIsOpen) {
  ready({"a1"});
  for (uint32_t i : {0, 1}) vote(i, "a1");
  hold("b1", {0});
  EXPECT_FALSE(is_stuck());
}

TEST_F(WaitingTest, AJobIsNotStuckWhenAllIsSettled) {
  settle(0);
  EXPECT_TRUE(is_stuck());
  settle(1);
  EXPECT_FALSE(is_stuck());
}

// ---- Nobody has the model.

TEST_F(WaitingTest, NobodyHasTheModelWhenAllWhoWereAskedSaySo) {
  EXPECT_EQ(verdict(), "") << "nobody was asked";
  says("a1", Code::kNotFound, "not here");
  EXPECT_EQ(verdict(), "not here");
  says("b1", Code::kFailed, "answers none");
  EXPECT_EQ(verdict(), "not here") << "who says that it has it has not either";
  says("c1", Code::kUnavailable, "no network", 9);
  EXPECT_EQ(verdict(), "") << "another attempt may mend that, whenever";
}

TEST_F(WaitingTest, NobodyCanRunTheModelAfterThreeAttempts) {
  says("a1", Code::kDisk, "no room", 2);
  EXPECT_EQ(verdict(), "");
  says("a1", Code::kDisk, "no room");
  EXPECT_EQ(verdict(), "no room");
  says("b1", Code::kDisk, "no room either", 2);
  EXPECT_EQ(verdict(), "") << "it may yet";
  says("b1", Code::kDisk, "no room either");
  says("c1", Code::kNotFound, "not here");
  EXPECT_EQ(verdict(), "not here");
}

TEST_F(WaitingTest, WhoAnswersNoneIsNotBelievedToLackTheModelBeforeTheThirdTime) {
  says("a1", Code::kFailed, "answers none", 2);
  EXPECT_EQ(verdict(), "");
  says("a1", Code::kFailed, "answers none");
  EXPECT_EQ(verdict(), "answers none");
}

TEST_F(WaitingTest, SomebodyHadTheModelWhenThereIsAnAnswer) {
  says("a1", Code::kNotFound, "not here");
  vote(0, "b1");
  EXPECT_EQ(verdict(), "");
}

// ---- An item that crashes all.

TEST_F(WaitingTest, AnItemCrashesAllWhenEveryMachineIsExcludedFromIt) {
  ready({"a1", "b1"});
  exclude(1, "a1");
  items.watch_excluded(now, 1);
  EXPECT_EQ(crashes_all(situation()), nullptr) << "b1 has not tried";
  exclude(1, "b1");
  exclude(0, "a1");
  exclude(0, "b1");
  EXPECT_EQ(crashes_all(situation()), &items[1]) << "nobody watches the other";
  EXPECT_EQ(describe_excluded(items, items[1]),
            "task item 11 failed twice on each of a1, b1 (crashed)");
}

// ---- Each sentence that a person can be shown, and what goes before what.

TEST_F(WaitingTest, NothingIsWaitedForWhileSomebodyIsAtWork) {
  ready({"a1"});
  arrive({"b1"});
  machines.on_preparing(now, "b1", "loading");
  hold("a1", {0});
  EXPECT_EQ(reason(), "");
  give_back("b1");
  EXPECT_EQ(reason(), "");
}

TEST_F(WaitingTest, ForAnotherMachineWhereAnItemCrashesAll) {
  ready({"a1"});
  hold("a1", {1});
  exclude(0, "a1");
  items.watch_excluded(now, 0);
  EXPECT_EQ(reason(true),
            "task item 10 failed twice on each of a1 (crashed); waiting for another machine");
}

TEST_F(WaitingTest, ForAMachine) {
  EXPECT_EQ(reason(true), "no machine is free to compute");
  says("a1234567890", Code::kNotFound, "not here");
  machines.leave("a1234567890");
  EXPECT_EQ(reason(true), "machine a1234567: not here; it is asked again later");
}

TEST_F(WaitingTest, ForAMachineOfTheClassThatGivesTheValues) {
  set_classes({"A", "B"});
  ready({"c1"}, "C");
  hold("c1", {0});
  EXPECT_EQ(reason(true), "waiting for a machine of class B, which gives the values");
}

TEST_F(WaitingTest, ForTheModel) {
  arrive({"a1", "b1"});
  EXPECT_EQ(reason(), "machines are loading the model");
  machines.on_preparing(now, "a1", "fetching 12 of 98 MB");
  EXPECT_EQ(reason(), "machines are loading the model: fetching 12 of 98 MB");
  give_back("b1");
  EXPECT_EQ(reason(), "machine b1: no model") << "somebody might mend that";
}

TEST_F(WaitingTest, ForAPauseAfterAFailure) {
  ready({"a1"});
  machines.back_off(now, "a1");
  EXPECT_EQ(reason(), "machines pause after an attempt that failed");
  arrive({"b1"});
  EXPECT_EQ(reason(), "machines are loading the model");
}

TEST_F(WaitingTest, ForTheStorageNodes) {
  ready({"a1"});
  settle(0);
  EXPECT_NE(reason(), "waiting for the storage nodes to keep what is settled");
  settle(1);
  EXPECT_EQ(reason(), "waiting for the storage nodes to keep what is settled");
}

TEST_F(WaitingTest, ForMoreVoters) {
  ready({"a1"});
  for (uint32_t i : {0, 1}) vote(i, "a1");
  EXPECT_EQ(reason(), "too few machines can vote; waiting for another");
  arrive({"b1"});
  give_back("b1");
  EXPECT_EQ(reason(), "machine b1: no model") << "it could";
}

}  // namespace
}  // namespace muster::roles::coordinator
