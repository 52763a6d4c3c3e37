#include "roles/coordinator/voters.h"

#include "roles/coordinator/situation_stage.h"
#include "wire/lease_id.h"

namespace muster::roles::coordinator {
namespace {

using Names = std::set<std::string>;

class VotersTest : public SituationStage {
 protected:
  using SituationStage::SituationStage;

  bool may_vote(const std::string& machine) {
    return coordinator::may_vote(situation(), machine, item);
  }
  bool may_be_drawn(const std::string& machine) {
    return coordinator::may_be_drawn(situation(), machine, item);
  }
  bool are_exhausted() {
    look_at_owners();
    return owners_are_exhausted(situation(), item);
  }
  // Whoever is drawn at some time: by so many seeds, everybody who may be.
  Names drawn() {
    Names names;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      Rng rng(seed);
      names.insert(draw_voter(situation(), item, rng));
    }
    return names;
  }

  const Item& item = items[0];
};

// ---- Who may vote.

TEST_F(VotersTest, EachMachineVotesOnceAndOnlyWhereItIsNotBarred) {
  ready({"a1", "b1", "c1", "d1", "e1", "f1"});
  vote(0, "a1");
  hold("b1", {0});
  exclude(0, "c1");
  items.fail(0, "d1", 1, "crashed");
  (void)items.distrust(0, "e1");
  vote(1, "f1");
  hold("f1", {1});
  EXPECT_FALSE(may_vote("a1")) << "it has";
  EXPECT_FALSE(may_vote("b1")) << "it is at it";
  EXPECT_FALSE(may_vote("c1")) << "it is excluded";
  EXPECT_TRUE(may_vote("d1")) << "it has failed once";
  EXPECT_FALSE(may_vote("e1")) << "its vote does not count any more";
  EXPECT_TRUE(may_vote("f1")) << "that was another item";
}

TEST_F(VotersTest, TheLastVoteIsKeptForAMachineThatCanGiveTheValue) {
  ready({"a1"});
  ready({"b1", "b2"}, "B");
  arrive({"c1"});
  EXPECT_TRUE(may_vote("b1")) << "two votes are wanted";
  vote(0, "b2");
  EXPECT_FALSE(may_vote("b1"));
  EXPECT_TRUE(may_vote("a1"));
  EXPECT_TRUE(may_vote("c1")) << "nobody knows yet of which class it will be";
  vote(0, "a1", -5);
  EXPECT_TRUE(may_vote("b1")) << "there is an answer that may be the value";
}

TEST_F(VotersTest, AnotherMachineOfAnOwnerWhoHasVotedSaysNothingNewUnlessVotesDiffer) {
  ready({"a1", "a2", "b1", "c1"});
  vote(0, "a1");
  EXPECT_TRUE(may_vote("a2")) << "votes need not be of distinct owners";
  set_distinct_owners();
  EXPECT_FALSE(may_vote("a2"));
  EXPECT_TRUE(may_vote("b1"));
  items.recount(0, true);
  EXPECT_TRUE(may_vote("a2")) << "every owner has voted: those of machines count";
  items.recount(0, false);
  vote(0, "c1", -5);
  EXPECT_TRUE(may_vote("a2")) << "they do not agree";
}

TEST_F(VotersTest, AnOwnerIsBroughtByWhoeverIsFirstOfHisAtTheItem) {
  ready({"a1", "a2", "b1", "b2", "c1"});
  vote(0, "a1");
  hold("b1", {0});
  hold("c1", {1});
  const auto brings = [&](const std::string& machine) {
    return brings_an_owner(situation(), machine, item);
  };
  EXPECT_FALSE(brings("a2")) << "a has answered";
  EXPECT_FALSE(brings("b2")) << "b is asked to";
  EXPECT_TRUE(brings("c1")) << "it is at another item";
  EXPECT_TRUE(brings("d1")) << "nobody knows whose it is";
}

// ---- Who is drawn.

TEST_F(VotersTest, MayBeDrawnThoughTheyAreAtWorkButNotIfTheyCannotWork) {
  ready({"a1", "b1", "c1", "d1", "e1"});
  arrive({"f1"});
  hold("b1", {1});
  give_back("c1");
  hear(0, "d1");
  vote(0, "e1");
  EXPECT_TRUE(may_be_drawn("a1"));
  EXPECT_TRUE(may_be_drawn("b1")) << "when it is free";
  EXPECT_FALSE(may_be_drawn("c1")) << "it has no model";
  EXPECT_FALSE(may_be_drawn("d1")) << "it retires";
  EXPECT_FALSE(may_be_drawn("e1")) << "it has voted";
  EXPECT_FALSE(may_be_drawn("f1")) << "it is not ready";
  EXPECT_FALSE(may_be_drawn("g1")) << "it was never here";
  EXPECT_EQ(drawn(), (Names{"a1", "b1"}));
}

TEST_F(VotersTest, ADrawIsAmongOwnersWhoHaveNotVotedWhileThereIsOne) {
  ready({"a1", "a2", "a3", "b1", "b2", "c1"});
  vote(0, "a1", -3);
  vote(0, "c1", -5);
  EXPECT_EQ(drawn(), (Names{"a2", "a3", "b1", "b2"})) << "owners count for nothing";
  set_distinct_owners();
  EXPECT_EQ(drawn(), (Names{"b1", "b2"}));
  exclude(0, "b2");
  EXPECT_EQ(drawn(), (Names{"b1"})) << "one is enough";
  hold("b1", {0});
  EXPECT_EQ(drawn(), (Names{"a2", "a3"})) << "there is none any more";
}

TEST_F(VotersTest, AnOwnerWhoIsAskedIsNotNew) {
  ready({"a1", "a2", "b1", "b2", "c1"});
  vote(0, "a1", -3);
  vote(0, "c1", -5);
  hold("b1", {0});
  set_distinct_owners();
  EXPECT_EQ(drawn(), (Names{"a2", "b2"}));
}

TEST_F(VotersTest, WhereNobodyMayNobodyIsDrawn) {
  ready({"a1", "b1"});
  vote(0, "a1", -3);
  vote(0, "b1", -5);
  EXPECT_EQ(drawn(), Names{""});
}

// ---- Whether anybody is left.

TEST_F(VotersTest, OwnersAreExhaustedWhenEachWhoCouldHasVoted) {
  ready({"a1", "b1"});
  votes(0, {"a1", "b1"});
  EXPECT_FALSE(are_exhausted()) << "votes need not be of distinct owners";
  set_distinct_owners();
  EXPECT_TRUE(are_exhausted());
  ready({"c1"});
  EXPECT_FALSE(are_exhausted());
  give_back("c1");
  EXPECT_TRUE(are_exhausted());
}

TEST_F(VotersTest, OwnersAreNotExhaustedWhereNobodyHasVoted) {
  set_distinct_owners();
  EXPECT_FALSE(are_exhausted());
}

TEST_F(VotersTest, OwnersAreNotExhaustedWhileNobodyKnowsWhoWillBeBack) {
  ready({"a1"});
  vote(0, "a1");
  set_distinct_owners();
  EXPECT_TRUE(are_exhausted());
  machines.on_line(now, false);
  EXPECT_FALSE(are_exhausted());
}

TEST_F(VotersTest, AnOwnerAllOfWhoseMachinesAreBarredIsNotWaitedFor) {
  ready({"a1", "b1", "b2"});
  vote(0, "a1");
  set_distinct_owners();
  exclude(0, "b1");
  EXPECT_FALSE(are_exhausted()) << "b2 may yet vote";
  exclude(0, "b2");
  EXPECT_TRUE(are_exhausted());
  owners.set_others({"b"});
  EXPECT_FALSE(are_exhausted()) << "a machine of his may come that has not tried";
}

TEST_F(VotersTest, OwnersWhoDisagreeAreNotExhaustedWhileAnotherMayJoinTheLeadingAnswer) {
  ready({"a1", "b1", "b2"});
  vote(0, "a1", -3);
  vote(0, "b1", -5);
  set_distinct_owners();
  EXPECT_FALSE(are_exhausted()) << "b2 may say what a1 did";
  give_back("b2");
  EXPECT_TRUE(are_exhausted());
}

TEST_F(VotersTest, WhoeverIsBehindTheLeadingAnswerAlreadyBringsNobody) {
  ready({"a1", "a2", "a3", "b1"});
  votes(0, {"a1", "a2"}, -3);
  vote(0, "b1", -5);
  set_distinct_owners();
  EXPECT_TRUE(are_exhausted()) << "a3 is another machine of a";
  ready({"b2"});
  EXPECT_FALSE(are_exhausted());
}

TEST_F(VotersTest, OwnersWhoAgreeAreExhaustedThoughOneWhoSitsOnTheItemMightJoin) {
  ready({"a1", "b1", "c1"});
  hold("c1", {0});
  votes(0, {"a1", "b1"});
  set_distinct_owners();
  EXPECT_FALSE(are_exhausted());
  now += Owners::kPatience;
  EXPECT_TRUE(are_exhausted());
  vote(0, "d1", -5);
  EXPECT_FALSE(are_exhausted()) << "they do not agree: c1 may yet be heard";
}

TEST_F(VotersTest, OfAFullItemOnlyWhoIsAtItMayJoin) {
  ready({"a1", "a2", "a3", "b1", "b2", "b3"});
  votes(0, {"a1", "a2", "a3"}, -3);
  votes(0, {"b1", "b2"}, -5);
  set_distinct_owners();
  EXPECT_TRUE(are_exhausted()) << "nobody else is asked after five";
  hold("b3", {0});
  EXPECT_FALSE(are_exhausted());
}

TEST_F(VotersTest, NobodyIsLeftForAnItemThatAllHaveFailedOn) {
  const auto has_nobody = [&] { return coordinator::has_nobody(situation(), item); };
  EXPECT_TRUE(has_nobody()) << "none is lent";
  ready({"a1", "b1"});
  EXPECT_FALSE(has_nobody());
  exclude(0, "a1");
  EXPECT_FALSE(has_nobody());
  give_back("b1");
  EXPECT_TRUE(has_nobody());
  const LeaseId late = hold("a1", {0});
  EXPECT_FALSE(has_nobody()) << "it is at it";
  (void)leases.end(late);
  vote(0, "c1");
  EXPECT_FALSE(has_nobody()) << "there is an answer";
}

// ---- How many are enough.

class AdaptiveVotersTest : public VotersTest {
 protected:
  AdaptiveVotersTest() : VotersTest({.redundancy = 3, .items = 100, .adaptive = true}) {}

  size_t enough(const Item& item) { return votes_enough(situation(), item, 3); }
};

TEST_F(AdaptiveVotersTest, OneTrustedAnswerThatMayBeTheValueIsEnough) {
  ASSERT_FALSE(item.is_check);
  ready({"a1", "c1"});
  ready({"b1"}, "B");
  trust("b1");
  vote(0, "a1");
  EXPECT_EQ(enough(item), 3u) << "it is not trusted";
  vote(0, "b1");
  EXPECT_EQ(enough(item), 3u) << "of a class that gives no values";
  trust("a1");
  EXPECT_EQ(enough(item), 1u);
  const Situation others{items, leases, machines, owners, standings, false};
  EXPECT_EQ(votes_enough(others, item, 3), 3u) << "--redundancy 3";
  vote(0, "c1", -5);
  EXPECT_EQ(enough(item), 3u) << "another says otherwise";
}

TEST_F(AdaptiveVotersTest, ACheckGetsAllVotesWhoeverAnswers) {
  ready({"a1"});
  trust("a1");
  size_t checks = 0;
  for (const Item& each : items) {
    vote(each.index(), "a1");
    EXPECT_EQ(enough(each), each.is_check ? 3u : 1u);
    checks += each.is_check ? 1 : 0;
  }
  EXPECT_GT(checks, 0u);
}

}  // namespace
}  // namespace muster::roles::coordinator
