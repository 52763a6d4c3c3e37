#include "roles/server/storage_view.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(1000)};

// A pool whose machines are "a", "b", ...; what is written is told to be done, unless a test says
// otherwise.
class StorageViewTest : public testing::Test {
 protected:
  explicit StorageViewTest(uint32_t wanted = 2, pb::View before = {})
      : view_(std::move(before), wanted, kStart, {nodes_, loans_, standings_}, ids_) {}

  void join(const std::string& machine, const std::string& store = "s",
            pb::RoleFlag flag = pb::ROLE_FLAG_AUTO) {
    pb::Hello hello;
    hello.set_role_flag(flag);
    hello.set_store_id(store);
    nodes_.join(now_, machine, hello);
    view_.note_back(machine);
    loans_.join(machine, true);
  }
  void leave(const std::string& machine) {
    nodes_.leave(machine);
    loans_.leave(now_, machine);
    view_.note_gone(machine, now_);
  }
  // A step in which something may have changed, and what it had written; returns whom it chose to
  // retire.
  std::string step(Outcome outcome = Outcome::kDone) {
    view_.note_change();
    return step_of_a_heartbeat(outcome);
  }
  std::string step_of_a_heartbeat(Outcome outcome = Outcome::kDone) {
    std::string retires = view_.keep(now_, effects_);
    settle(outcome);
    return retires;
  }
  void settle(Outcome outcome = Outcome::kDone) {
    for (const Commit& write : std::exchange(effects_.commits, {})) {
      ++writes_;
      const auto written = view_.settle(now_, {write.id, outcome, ""}, effects_);
      EXPECT_EQ(written, outcome == Outcome::kDone ? StorageView::Written::kNewView
                                                   : StorageView::Written::kNotYet);
    }
    view_.check();
  }
  void copied(const std::string& machine) {
    pb::CaughtUp copied;
    copied.set_view(view_.view().number());
    view_.on_caught_up(now_, machine, copied, effects_);
    settle();
  }
  // "3: a b + c": number, members, joiners.
  std::string text() const {
    std::string out = std::to_string(view_.view().number()) + ":";
    for (const auto& member : view_.view().members()) out += " " + member.machine();
    if (!view_.view().joiners().empty()) out += " +";
    for (const auto& joiner : view_.view().joiners()) out += " " + joiner.machine();
    return out;
  }
  // "2: a b", a pool at rest.
  void fill() {
    for (const char* machine : {"a", "b"}) {
      join(machine);
      step();
      copied(machine);
    }
  }

  Instant now_ = kStart;
  WriteIds ids_;
  Nodes nodes_{1};
  Loans loans_;
  Standings standings_{3, ids_};
  StorageView view_;
  Effects effects_;
  int writes_ = 0;
};

TEST_F(StorageViewTest, IsFilledOneJoinerAtATime) {
  for (const char* machine : {"b", "a", "c"}) join(machine);
  step();
  EXPECT_EQ(text(), "1: + b") << "in the order they joined";
  step();
  EXPECT_EQ(text(), "1: + b");
  EXPECT_EQ(view_.describe("b"), "joining storage");
  copied("b");
  EXPECT_EQ(text(), "2: b");
  step();
  EXPECT_EQ(text(), "3: b + a");
  copied("a");
  EXPECT_EQ(text(), "4: b a");
  EXPECT_EQ(view_.view().members(1).since(), 3u) << "the view with which it came";
  step();
  EXPECT_EQ(text(), "4: b a") << "there are as many as are wanted";
  EXPECT_EQ(view_.describe("a"), "storage");
  EXPECT_EQ(view_.describe("c"), "");
}

TEST_F(StorageViewTest, PrefersStorageOnlyMachinesAndThoseThatDidTheirDuty) {
  join("a");
  join("b", "s", pb::ROLE_FLAG_STORAGE);
  join("c", "s", pb::ROLE_FLAG_STORAGE);
  standings_.note_lapse(now_, "b", "has fed nothing", effects_);
  now_ += seconds(120);
  step();
  EXPECT_EQ(text(), "1: + c");
  copied("c");
  step();
  EXPECT_EQ(text(), "3: c + a") << "b is there again, and has lapsed once";
}

TEST_F(StorageViewTest, WhoCannotStoreIsNotChosen) {
  join("a", "s", pb::ROLE_FLAG_COMPUTE);
  join("b", "");
  join("c");
  pb::StoreState problem;
  problem.set_problem("no space");
  nodes_.note_store("c", problem);
  join("d");
  standings_.banish("d", "spoke for others", effects_);
  effects_.commits.clear();
  nodes_.join(now_, "e", nodes_.find("c")->hello);
  loans_.join("e", false);
  step();
  EXPECT_EQ(text(), "0:") << "e has not said yet what it works for";
  loans_.set_known("e");
  step();
  EXPECT_EQ(text(), "1: + e");
}

TEST_F(StorageViewTest, AMemberIsWaitedForAndThenLeaves) {
  fill();
  leave("a");
  step();
  now_ += kSilence - milliseconds(1);
  step();
  EXPECT_EQ(text(), "4: a b");
  EXPECT_EQ(effects_.wake_at, kStart + kSilence);
  now_ += milliseconds(1);
  step();
  EXPECT_EQ(text(), "5: b");
}

TEST_F(StorageViewTest, AMemberThatComesBackInTimeStays) {
  fill();
  leave("a");
  now_ += seconds(5);
  join("a");
  now_ += seconds(5);
  step();
  EXPECT_EQ(text(), "4: a b");
  leave("a");
  join("a", "another store");
  step();
  EXPECT_EQ(text(), "5: b") << "that is not the same member";
}

TEST_F(StorageViewTest, WhatWasNotHeardInAPauseWasNotSilence) {
  fill();
  leave("a");
  now_ += seconds(60);
  view_.excuse(now_);
  step();
  EXPECT_EQ(text(), "4: a b");
  now_ += kSilence - kHeartbeatEvery;
  step();
  EXPECT_EQ(text(), "5: b");
}

TEST_F(StorageViewTest, AViewThatMayBeThereIsWrittenUntilItIs) {
  join("a");
  step(Outcome::kUnknown);
  EXPECT_EQ(text(), "0:") << "nothing is said before it is known";
  leave("a");
  join("b");
  step();
  EXPECT_EQ(writes_, 1);
  now_ += kRepeatEvery;
  step(Outcome::kFailed);
  now_ += kRepeatEvery;
  step();
  EXPECT_EQ(text(), "1: + a") << "b cannot have its number";
  EXPECT_EQ(writes_, 3);
}

TEST_F(StorageViewTest, AViewThatWasNotWrittenIsThoughtOverAgain) {
  join("a");
  step(Outcome::kFailed);
  leave("a");
  join("b");
  step();
  EXPECT_EQ(writes_, 1);
  now_ += kRepeatEvery;
  step();
  EXPECT_EQ(text(), "1: + b");
}

TEST_F(StorageViewTest, OneChangeIsWrittenAtATime) {
  join("a");
  (void)view_.keep(now_, effects_);
  (void)view_.keep(now_, effects_);
  EXPECT_EQ(effects_.commits.size(), 1u);
  EXPECT_EQ(view_.writing(), 1u);
  settle();
  pb::CaughtUp old;
  old.set_view(0);
  view_.on_caught_up(now_, "a", old, effects_);
  EXPECT_TRUE(effects_.commits.empty()) << "a copy of what an earlier view had";
  EXPECT_EQ(view_.settle(now_, {99, Outcome::kDone, ""}, effects_),
            StorageView::Written::kNotAView);
}

TEST_F(StorageViewTest, AJoinerThatDoesNotCopyMakesRoom) {
  fill();
  leave("a");
  now_ += kSilence;
  join("c");
  step();
  step();
  ASSERT_EQ(text(), "6: b + c");
  join("d");
  now_ += StorageView::kCopyWait - milliseconds(1);
  step();
  EXPECT_EQ(text(), "6: b + c");
  now_ += milliseconds(1);
  step();
  EXPECT_EQ(text(), "7: b");
  step();
  EXPECT_EQ(text(), "8: b + d") << "c has lapsed";
}

TEST_F(StorageViewTest, AMemberThatTwoJoinersBlameLeaves) {
  fill();
  leave("a");
  now_ += kSilence;
  join("c");
  join("d");
  step();
  step();
  ASSERT_EQ(text(), "6: b + c");
  view_.on_silent_source(now_, "c", "b", effects_);
  view_.on_silent_source(now_, "c", "b", effects_);
  view_.on_silent_source(now_, "d", "b", effects_);  // Is no joiner.
  step();
  EXPECT_EQ(text(), "6: b + c");
  standings_.note_lapse(now_, "c", "has not copied", effects_);
  step();
  step();
  ASSERT_EQ(text(), "8: b + d");
  view_.on_silent_source(now_, "d", "b", effects_);
  step();
  EXPECT_EQ(text(), "9: + d");
}

TEST_F(StorageViewTest, WithNoneIdleALentMachineRetires) {
  fill();
  leave("a");
  now_ += kSilence;
  join("c");
  join("d");
  for (const char* machine : {"c", "d"}) loans_.lend(machine, "j");
  step();
  ASSERT_EQ(text(), "5: b");
  EXPECT_EQ(step(), "");
  now_ += StorageView::kIdleWait;
  EXPECT_EQ(step(), "c");
  EXPECT_EQ(step(), "") << "told once";
  EXPECT_EQ(view_.retiring(), "c");
  loans_.take_back("c");
  step();
  EXPECT_EQ(text(), "6: b + c");
  step();
  EXPECT_EQ(view_.retiring(), "");
}

TEST_F(StorageViewTest, WithoutAnyStoreWhoeverIsThereBecomesOne) {
  join("a");
  loans_.lend("a", "j");
  step();
  EXPECT_EQ(text(), "1: + a") << "though it is lent";
  standings_.note_lapse(now_, "a", "has fed nothing", effects_);
  step();
  step();
  EXPECT_EQ(text(), "3: + a") << "though it has lapsed";
}

class AfterAStart : public StorageViewTest {
 protected:
  static pb::View before() {
    pb::View view;
    view.set_number(7);
    view.add_members()->set_machine("a");
    view.mutable_members(0)->set_store_id("s");
    return view;
  }
  AfterAStart() : StorageViewTest(1, before()) {}
};

TEST_F(AfterAStart, NobodyIsMissedForAWhile) {
  join("b");
  now_ = kStart - milliseconds(1);
  step();
  EXPECT_EQ(text(), "7: a");
  EXPECT_EQ(effects_.wake_at, kStart);
  now_ = kStart;
  step();
  EXPECT_EQ(text(), "8:");
  step();
  EXPECT_EQ(text(), "9: + b");
}

TEST_F(StorageViewTest, WhoIsLeavingGoesWhenAnotherHoldsItsCopy) {
  fill();
  join("c");
  nodes_.note_leaving("a");
  EXPECT_FALSE(view_.may_leave(now_, "a")) << "c can take its place";
  step();
  EXPECT_EQ(text(), "5: a b + c") << "one more than is wanted, beside the one that goes";
  EXPECT_FALSE(view_.may_leave(now_, "a"));
  step();
  EXPECT_EQ(text(), "5: a b + c");
  copied("c");
  EXPECT_EQ(text(), "6: a b c");
  step();
  EXPECT_EQ(text(), "7: b c");
  EXPECT_TRUE(view_.may_leave(now_, "a"));
  step();
  EXPECT_EQ(text(), "7: b c") << "and is not chosen again";
}

TEST_F(StorageViewTest, ManyHeartbeatsAreNotAsManySearches) {
  fill();
  leave("a");
  now_ += kSilence;
  step();
  EXPECT_EQ(text(), "5: b");
  step_of_a_heartbeat();
  nodes_.join(now_, "c", [] {
    pb::Hello hello;
    hello.set_role_flag(pb::ROLE_FLAG_AUTO);
    hello.set_store_id("s");
    return hello;
  }());
  loans_.join("c", true);
  step_of_a_heartbeat();
  EXPECT_EQ(text(), "5: b") << "nobody said that anything has changed";
  now_ += StorageView::kSearchEvery;
  step_of_a_heartbeat();
  EXPECT_EQ(text(), "6: b + c");
}

TEST_F(StorageViewTest, WhoComesBackWhileItIsReplacedStaysAndTheLatestIsOneTooMany) {
  fill();
  join("c");
  nodes_.note_leaving("a");
  step();
  leave("a");
  join("a");
  copied("c");
  EXPECT_EQ(text(), "6: a b c");
  step();
  EXPECT_EQ(text(), "7: a b");
  step();
  EXPECT_EQ(text(), "7: a b");
}

TEST_F(StorageViewTest, WhoIsLeavingWaitsForNobodyWhoIsNotThere) {
  fill();
  nodes_.note_leaving("a");
  EXPECT_TRUE(view_.may_leave(now_, "a"));
  step();
  EXPECT_EQ(text(), "4: a b") << "as long as it is there it holds a copy";
  nodes_.leave("a");
  loans_.leave(now_, "a");
  step();
  EXPECT_EQ(text(), "5: b") << "and is not waited for";
}

TEST_F(StorageViewTest, AJoinerThatIsLeavingMakesRoomAtOnce) {
  join("a");
  step();
  copied("a");
  join("b");
  step();
  EXPECT_EQ(text(), "3: a + b");
  nodes_.note_leaving("b");
  EXPECT_FALSE(view_.may_leave(now_, "b"));
  step();
  EXPECT_EQ(text(), "4: a");
  EXPECT_TRUE(view_.may_leave(now_, "b"));
}

TEST_F(StorageViewTest, AllThatAreLeavingGoWithoutEachOther) {
  fill();
  join("c");
  for (const char* machine : {"a", "b", "c"}) nodes_.note_leaving(machine);
  for (const char* machine : {"a", "b", "c"}) {
    EXPECT_TRUE(view_.may_leave(now_, machine)) << machine;
  }
  step();
  EXPECT_EQ(text(), "4: a b");
}

}  // namespace
}  // namespace muster::roles::server
