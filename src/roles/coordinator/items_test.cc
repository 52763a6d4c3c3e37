// What is derived of the items is always what they are: after each call it is counted anew.
#include "roles/coordinator/items.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace muster::roles::coordinator {
namespace {

using Indices = Items::Indices;

std::vector<pb::Response> answer(double loglikelihood) {
  pb::Response out;
  out.set_loglikelihood(loglikelihood);
  out.set_margin(1);
  out.set_tokens(4);
  return {out};
}

Vote vote(const std::string& machine, double loglikelihood, const std::string& its_class = "A") {
  return {machine, machine + "'s owner", sha256(machine), its_class, answer(loglikelihood)};
}

class ItemsTest : public ::testing::Test {
 protected:
  ItemsTest() {
    items.set_classes({"A"});
    freeze(3, "some text");
  }
  ~ItemsTest() override { items.check(); }

  void freeze(int64_t count, const std::string& text) {
    auto tasks = std::make_shared<FrozenTasks>();
    tasks->push_back({.task = "task"});
    for (int64_t i = 0; i < count; ++i) {
      eval::Item& item = tasks->back().items.emplace_back();
      item.doc_id = 10 + i;
      item.requests.push_back({text, " yes"});
      item.requests.push_back({text, " no"});
    }
    Rng rng(1);
    items.freeze(tasks, rng);
  }
  ItemVotes::Added add(uint32_t index, const Vote& vote) {
    const auto added = items.vote(index, vote);
    items.check();
    return added;
  }

  size_t enough = 2;
  Items items{2, [this](const Item&) { return enough; }};
};

TEST_F(ItemsTest, WantVotesUntilSoManyAgree) {
  EXPECT_EQ(items.wanting(), (Indices{0, 1, 2}));
  EXPECT_EQ(items.votes_wanted(), 6u);
  EXPECT_EQ(add(1, vote("a", -3)), ItemVotes::Added::kNew);
  EXPECT_EQ(add(1, vote("a", -3)), ItemVotes::Added::kRepeat);
  EXPECT_EQ(items[1].needed, 1u);
  add(1, vote("b", -3));
  EXPECT_EQ(items.wanting(), (Indices{0, 2}));
  EXPECT_EQ(items.settled(), 0u) << "whoever asks for it settles it";
  items.settle(1, vote("", -3), 2);
  EXPECT_EQ(items.settled(), 1u);
  EXPECT_EQ(items.acknowledged(), 0u);
  items.acknowledge(1);
  items.acknowledge(1);
  EXPECT_EQ(items.acknowledged(), 1u);
}

TEST_F(ItemsTest, DrawTheNextVoterWhereAnswersDifferOrAnAttemptFailed) {
  add(0, vote("a", -3));
  EXPECT_EQ(items.by_lot(), Indices{});
  add(0, vote("b", -4));
  items.fail(2, "c", 0, "out of memory");
  EXPECT_EQ(items.by_lot(), (Indices{0, 2}));
  items.choose(0, "d", Instant() + seconds(30));
  EXPECT_EQ(items[0].chosen, "d");
  items.settle(0, vote("", -3), 2);
  EXPECT_EQ(items.by_lot(), Indices{2});
}

TEST_F(ItemsTest, KnowWhichHaveBeenTriedWithoutAnAnswerThatGivesAValue) {
  add(0, vote("a", -3, "B"));
  items.fail(1, "a", 1, "crashed");
  EXPECT_EQ(items.tried_without_candidate(), (Indices{0, 1}));
  add(0, vote("b", -3));
  EXPECT_EQ(items.tried_without_candidate(), Indices{1});
}

TEST_F(ItemsTest, KnowWhereTheReferenceClassIsOutvoted) {
  add(0, vote("a", -3));
  add(0, vote("b", -5, "B"));
  EXPECT_EQ(items.outvoted(), Indices{});
  add(0, vote("c", -5, "B"));
  EXPECT_EQ(items.outvoted(), Indices{0});
  items.set_classes({"A", "B"});
  items.recount(0, false);
  EXPECT_EQ(items.outvoted(), Indices{});
  EXPECT_EQ(items.wanting(), (Indices{1, 2})) << "two of a class that may give the value now";
}

TEST_F(ItemsTest, ExcludeAMachineAfterTwoFailuresOnOneAlone) {
  items.fail(0, "a", 0, "in a list");
  items.fail(0, "a", 1, "alone");
  EXPECT_FALSE(items[0].excludes("a"));
  items.fail(0, "a", 1, "alone again");
  EXPECT_TRUE(items[0].excludes("a"));
  EXPECT_EQ(items[0].excluded(), (std::set<std::string>{"a"}));
  EXPECT_EQ(items[0].last_failure, "alone again");
  items.watch_excluded(Instant() + seconds(1), 0);
  items.watch_excluded(Instant() + seconds(2), 0);
  EXPECT_EQ(items.excluded_since().at(0), Instant() + seconds(1));
  items.note_hope(Instant() + seconds(3), 0);
  EXPECT_EQ(items.excluded_since().at(0), Instant() + seconds(3));
}

TEST_F(ItemsTest, AreProvisionalWhileATrustedAnswerIsEnough) {
  add(0, vote("a", -3));
  EXPECT_EQ(items.provisional(), 0u);
  enough = 1;
  items.refresh_votes_of("a");
  EXPECT_TRUE(items[0].provisional);
  EXPECT_EQ(items.wanting(), (Indices{1, 2}));
  enough = 2;
  items.refresh_votes_of("b");
  EXPECT_TRUE(items[0].provisional) << "b has not voted on it";
  items.refresh_votes_of("a");
  EXPECT_EQ(items.provisional(), 0u);
  EXPECT_EQ(items.wanting(), (Indices{0, 1, 2}));
}

TEST_F(ItemsTest, AVoteThatIsDistrustedIsWantedAgain) {
  add(0, vote("a", -3));
  EXPECT_TRUE(items.distrust(0, "a"));
  EXPECT_FALSE(items.distrust(1, "a")) << "it had not voted";
  EXPECT_EQ(items[0].needed, 2u);
  EXPECT_EQ(add(0, vote("a", -3)), ItemVotes::Added::kRepeat);
}

TEST_F(ItemsTest, ALateVoteCountsWhenItIsAccepted) {
  Vote late = vote("a", -3);
  late.is_late = true;
  add(0, late);
  EXPECT_EQ(items[0].needed, 2u);
  items.accept_late(0);
  EXPECT_EQ(items[0].needed, 1u);
}

TEST_F(ItemsTest, VotesOfOneOwnerCountOnceOrEach) {
  items.set_distinct_owners(true);
  Vote other = vote("b", -3);
  other.owner = "a's owner";
  add(0, vote("a", -3));
  add(0, other);
  EXPECT_EQ(items[0].needed, 1u);
  items.recount(0, true);
  EXPECT_EQ(items[0].needed, 0u);
  EXPECT_FALSE(items.rules_of(items[0]).distinct_owners);
  items.recount(0, false);
  EXPECT_EQ(items[0].needed, 1u);
}

TEST_F(ItemsTest, RememberWhoWasFirst) {
  EXPECT_TRUE(items[0].is_first("a"));
  add(0, vote("a", -3));
  add(0, vote("b", -3));
  EXPECT_TRUE(items[0].is_first("a"));
  EXPECT_FALSE(items[0].is_first("b"));
}

TEST_F(ItemsTest, AreNamedAsAPersonKnowsThem) {
  EXPECT_EQ(items.name_of(items[2]), "task item 12");
}

TEST(Items, AnItemThatNoGrantHasRoomForIsTooLarge) {
  Items items(2, [](const Item&) { return 2; });
  auto tasks = std::make_shared<FrozenTasks>();
  tasks->push_back({.task = "task"});
  eval::Item& item = tasks->back().items.emplace_back();
  item.doc_id = 7;
  item.requests.push_back({std::string(300 << 10, 'x'), " yes"});
  Rng rng(1);
  items.freeze(tasks, rng);
  EXPECT_EQ(items.too_large(), "task item 7 asks for 300 KiB of text; an item may have 256 KiB");
}

}  // namespace
}  // namespace muster::roles::coordinator
