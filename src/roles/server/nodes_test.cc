#include "roles/server/nodes.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};
constexpr uint64_t kEpoch = 3, kBefore = kEpoch << 32;

pb::Hello hello_of(pb::RoleFlag flag = pb::ROLE_FLAG_AUTO) {
  pb::Hello hello;
  hello.set_role_flag(flag);
  return hello;
}

class NodesTest : public testing::Test {
 protected:
  void join(const std::string& machine, Instant now = kStart) {
    nodes_.join(now, machine, hello_of());
    tell(now);
  }
  // The end of a step.
  void tell(Instant now) {
    for (const std::string& machine : nodes_.take_stale()) {
      if (!nodes_.contains(machine)) continue;
      nodes_.send_state(now, machine, {}, Nodes::Told::kNews, effects_);
    }
    nodes_.check();
  }
  // What is sent and to be done, in order: "m beat", "m state 7" (after kBefore), "m silent".
  std::vector<std::string> watch(Instant now) {
    std::vector<std::string> out = said();
    while (const auto due = nodes_.watch(now, effects_)) {
      for (auto& line : said()) out.push_back(line);
      if (due->second == Nodes::Due::kIsSilent) {
        out.push_back(due->first + " silent");
        nodes_.leave(due->first);
      } else {
        nodes_.send_state(now, due->first, {}, Nodes::Told::kAgain, effects_);
      }
    }
    for (auto& line : said()) out.push_back(line);
    nodes_.check();
    return out;
  }
  std::vector<std::string> said() {
    std::vector<std::string> out;
    for (const Send& send : std::exchange(effects_.send, {})) {
      const auto& envelope = send.envelope;
      out.push_back(envelope.to().machine() +
                    (envelope.has_heartbeat()
                         ? " beat"
                         : " state " + std::to_string(envelope.pool_state().revision() - kBefore)));
    }
    return out;
  }

  using Lines = std::vector<std::string>;
  Nodes nodes_{kEpoch};
  Effects effects_;
};

TEST_F(NodesTest, AreToldAtOnceAndUntilTheyHaveSeen) {
  join("a");
  EXPECT_EQ(said(), Lines{"a state 1"});
  EXPECT_EQ(watch(kStart + seconds(1)), Lines{});
  nodes_.hear(kStart + seconds(1), "a");
  EXPECT_EQ(watch(kStart + seconds(2)), (Lines{"a beat", "a state 2"}));
  EXPECT_EQ(nodes_.unseen(), 1u);
  nodes_.see("a", kBefore + 1);
  EXPECT_EQ(nodes_.unseen(), 0u) << "a repeat says no more";
  EXPECT_EQ(watch(kStart + seconds(4)), Lines{"a beat"});
}

TEST_F(NodesTest, ToldAnewTheyHaveNotSeenIt) {
  join("a");
  nodes_.see("a", kBefore + 1);
  nodes_.mark_stale("a");
  tell(kStart + seconds(1));
  said();
  nodes_.see("a", kBefore + 1);
  EXPECT_EQ(nodes_.unseen(), 1u) << "that was the state before";
  EXPECT_EQ(watch(kStart + seconds(3)), (Lines{"a beat", "a state 3"}));
  nodes_.see("a", kBefore + 3);
  nodes_.see("a", kBefore + 1);
  EXPECT_EQ(nodes_.unseen(), 0u) << "and that came late";
}

TEST_F(NodesTest, AreSilentAfterEightSecondsWithoutAnyWord) {
  join("a");
  join("b");
  for (const char* machine : {"a", "b"}) nodes_.see(machine, kBefore + 9);
  said();
  EXPECT_EQ(watch(kStart + seconds(2)), (Lines{"a beat", "b beat"}));
  EXPECT_TRUE(nodes_.hear(kStart + seconds(5), "b"));
  watch(kStart + kSilence - milliseconds(1));
  EXPECT_EQ(watch(kStart + kSilence), Lines{"a silent"});
  EXPECT_FALSE(nodes_.contains("a"));
  EXPECT_FALSE(nodes_.hear(kStart + kSilence, "a"));
  nodes_.wake(effects_);
  EXPECT_LE(*effects_.wake_at, kStart + seconds(5) + kSilence);
}

TEST_F(NodesTest, WhatWasNotHeardInAPauseWasNotSilence) {
  join("a");
  nodes_.see("a", kBefore + 1);
  nodes_.excuse(kStart + seconds(60));
  watch(kStart + seconds(60));
  EXPECT_EQ(watch(kStart + seconds(60) + kSilence), Lines{"a silent"});
}

TEST_F(NodesTest, KnowCoordinatorsAndTheOrderOfJoining) {
  nodes_.join(kStart, "b", hello_of(pb::ROLE_FLAG_COORDINATOR));
  nodes_.join(kStart, "a", hello_of());
  nodes_.check();
  EXPECT_EQ(nodes_.coordinators(), std::set<std::string>{"b"});
  EXPECT_LT(nodes_.find("b")->order, nodes_.find("a")->order);
  EXPECT_TRUE(nodes_.leave("b"));
  EXPECT_FALSE(nodes_.leave("b"));
  EXPECT_TRUE(nodes_.coordinators().empty());
  tell(kStart);
  EXPECT_EQ(said(), Lines{"a state 1"}) << "who has left is not told";
}

TEST_F(NodesTest, AStoresWordOvertakenByALaterOneIsOld) {
  join("a");
  struct Case {
    uint64_t number;
    const char* problem;
    bool is_news;
    const char* after;
  };
  for (const Case& c : {Case{2, "no space", true, "no space"}, Case{1, "", false, "no space"},
                        Case{3, "no space", false, "no space"}, Case{4, "", true, ""}}) {
    pb::StoreState state;
    state.set_number(c.number);
    state.set_problem(c.problem);
    EXPECT_EQ(nodes_.note_store("a", state), c.is_news) << c.number;
    EXPECT_EQ(nodes_.find("a")->store_problem, c.after) << c.number;
  }
}

TEST_F(NodesTest, AllAreStaleAtOnce) {
  join("a");
  join("b");
  said();
  nodes_.mark_all_stale();
  nodes_.mark_stale("a");
  tell(kStart);
  EXPECT_EQ(said(), (Lines{"a state 3", "b state 4"}));
}

}  // namespace
}  // namespace muster::roles::server
