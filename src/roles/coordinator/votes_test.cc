// Votes agree bit for bit within a class and within tolerance across classes, ties included; the
// value is of a reference class; the verdict does not depend on who came first.
#include "roles/coordinator/votes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::roles::coordinator {
namespace {

const VotingRules kRules{.classes = {"A"}};

std::vector<pb::Response> response(double loglikelihood, bool greedy = false, double margin = 1,
                                   uint32_t tokens = 4) {
  pb::Response out;
  out.set_loglikelihood(loglikelihood);
  out.set_is_greedy(greedy);
  out.set_margin(margin);
  out.set_tokens(tokens);
  return {out};
}

Vote vote(const std::string& machine, double loglikelihood, const std::string& its_class = "A") {
  return {machine, machine, sha256(machine), its_class, response(loglikelihood)};
}

struct Case {
  const char* name;
  std::vector<pb::Response> a, b;
  bool across_classes, within_a_class;
};

TEST(Votes, AgreeWithinToleranceAcrossClassesAndBitForBitWithinOne) {
  const Case cases[] = {
      {"equal", response(-3), response(-3), true, true},
      {"just inside 1e-4 x (1 + 4)", response(-3), response(-3.00049), true, false},
      {"just outside", response(-3), response(-3.00051), false, false},
      {"another flag", response(-3, true), response(-3, false), false, false},
      {"another flag, but tied", response(-3, true, 1e-5), response(-3, false, 1e-4), true, false},
      {"another flag, tied by one's word", response(-3, true, 0), response(-3, false, 1), false,
       false},
      {"another number of tokens", response(-3, false, 1, 4), response(-3, false, 1, 5), false,
       false},
      {"another number of requests", response(-3), {}, false, false},
  };
  for (const Case& c : cases) {
    Vote a = vote("a", 0), b = vote("b", 0);
    a.responses = c.a;
    b.responses = c.b;
    EXPECT_EQ(agree(a, b), c.within_a_class) << c.name;
    a.numeric_class = b.numeric_class = "approximate";
    EXPECT_EQ(agree(a, b), c.across_classes) << c.name;
    b.numeric_class = "B";
    EXPECT_EQ(agree(a, b), c.across_classes) << c.name;
    EXPECT_EQ(agree(b, a), c.across_classes) << c.name;
  }
}

TEST(Votes, OfOtherBytesOfTheModelDoNotAgree) {
  Vote a = vote("a", -3), b = vote("b", -3);
  a.model_digest = std::string(64, 'a');
  EXPECT_TRUE(agree(a, b)) << "one of a version that does not say";
  b.model_digest = a.model_digest;
  EXPECT_TRUE(agree(a, b));
  b.model_digest = std::string(64, 'b');
  EXPECT_FALSE(agree(a, b));
  EXPECT_FALSE(agree(b, a));
  EXPECT_EQ(difference(a, b),
            "it loaded other bytes of the model: SHA-256 aaaaaaaaaaaa, others bbbbbbbbbbbb");
  ItemVotes votes;
  votes.add(a, kRules);
  votes.add(b, kRules);
  EXPECT_TRUE(votes.disputed());
  EXPECT_EQ(votes.wanted(2), 1u);
}

std::vector<std::string> settled_by(const std::vector<Vote>& votes, size_t enough,
                                    const VotingRules& rules) {
  ItemVotes item;
  for (const Vote& v : votes) EXPECT_EQ(item.add(v, rules), ItemVotes::Added::kNew);
  std::vector<std::string> machines;
  const auto candidate = item.settled_by(enough, rules);
  if (!candidate) return machines;
  for (const Vote* v : *candidate) machines.push_back(v->machine);
  return machines;
}

TEST(Votes, TheVerdictDoesNotDependOnTheOrder) {
  std::vector<Vote> votes = {vote("a", -1), vote("b", -9), vote("c", -1), vote("d", -9),
                             vote("e", -1)};
  const auto by_machine = [](auto& x, auto& y) { return x.machine < y.machine; };
  std::sort(votes.begin(), votes.end(), by_machine);
  const auto first = settled_by(votes, 3, kRules);
  EXPECT_EQ(first.size(), 3u);
  do {
    EXPECT_EQ(settled_by(votes, 3, kRules), first);
  } while (std::next_permutation(votes.begin(), votes.end(), by_machine));
}

TEST(Votes, TheValueIsOfTheEarliestReferenceClassThatHasEnough) {
  const VotingRules both{.classes = {"A", "B"}};
  const std::vector<Vote> votes = {vote("a", -1.0001, "A"), vote("b", -1, "B"), vote("c", -1, "C")};
  EXPECT_EQ(settled_by(votes, 2, kRules).front(), "a");
  EXPECT_EQ(settled_by(votes, 2, both).front(), "a");
  EXPECT_EQ(settled_by({vote("b", -1, "B"), vote("c", -1, "C")}, 2, both).front(), "b");
  const std::vector<Vote> outvoted = {vote("a", -7, "A"), vote("b", -1, "B"), vote("c", -1, "C")};
  EXPECT_EQ(settled_by(outvoted, 2, both).front(), "b");
  EXPECT_TRUE(settled_by(outvoted, 2, kRules).empty());
}

TEST(Votes, OtherClassesOnlyVote) {
  ItemVotes item;
  EXPECT_EQ(item.wanted(2), 2u);
  for (const char* name : {"b", "c", "d"}) item.add(vote(name, -1, "B"), kRules);
  EXPECT_TRUE(item.lacks_candidate());
  EXPECT_EQ(item.wanted(2), 1u);
  EXPECT_FALSE(item.settled_by(1, kRules));
  item.add(vote("a", -1, "A"), kRules);
  EXPECT_EQ(item.wanted(2), 0u);
  EXPECT_EQ(item.settled_by(2, kRules)->size(), 4u);
}

TEST(Votes, OneMachineHasOneVoteAndTenAreTheMost) {
  ItemVotes item;
  EXPECT_EQ(item.add(vote("a", -1), kRules), ItemVotes::Added::kNew);
  EXPECT_EQ(item.add(vote("a", -2), kRules), ItemVotes::Added::kRepeat);
  for (const char* name : {"b", "c", "d", "e", "f", "g", "h", "i", "j"})
    EXPECT_EQ(item.add(vote(name, -1), kRules), ItemVotes::Added::kNew);
  EXPECT_EQ(item.add(vote("k", -1), kRules), ItemVotes::Added::kTooMany);
  EXPECT_FALSE(item.disputed());
}

TEST(Votes, OneMoreIsTakenWhenNoneOfTenCanGiveTheValue) {
  ItemVotes item;
  for (const char* name : {"b", "c", "d", "e", "f", "g", "h", "i", "j", "k"})
    item.add(vote(name, -1, "B"), kRules);
  EXPECT_EQ(item.add(vote("l", -1, "B"), kRules), ItemVotes::Added::kTooMany);
  EXPECT_EQ(item.add(vote("a", -1, "A"), kRules), ItemVotes::Added::kNew);
}

TEST(Votes, ALateVoteStepsInForOneThatIsDistrusted) {
  ItemVotes item;
  item.add(vote("liar", -9), kRules);
  for (const char* name : {"b", "c", "d", "e", "late"}) item.add(vote(name, -1), kRules);
  EXPECT_TRUE(item.distrust("liar", kRules));
  EXPECT_EQ(item.settled_by(5, kRules)->size(), 5u);
}

TEST(Votes, WhoIsDistrustedHasNoVoteAndIsNotAskedAgain) {
  ItemVotes item;
  item.add(vote("a", -1), kRules);
  item.add(vote("b", -9), kRules);
  EXPECT_TRUE(item.disputed());
  EXPECT_TRUE(item.distrust("b", kRules));
  EXPECT_FALSE(item.disputed());
  EXPECT_TRUE(item.has("b"));
  EXPECT_EQ(item.size(), 1u);
  EXPECT_EQ(item.add(vote("b", -1), kRules), ItemVotes::Added::kRepeat);
}

TEST(Votes, TheLeadingAnswersHaveTheMostMachinesBehindThem) {
  ItemVotes votes;
  EXPECT_TRUE(votes.leading_owners().empty());
  votes.add(vote("a", -1), kRules);
  votes.add(vote("b", -2), kRules);
  EXPECT_EQ(votes.leading_owners(), (std::set<std::set<std::string>>{{"a"}, {"b"}}));
  votes.add(vote("c", -2), kRules);
  EXPECT_EQ(votes.leading_owners(), (std::set<std::set<std::string>>{{"b", "c"}}));
}

TEST(Votes, ADifferenceNamesTheRequestAndBothValues) {
  Vote odd = vote("a", -7.5), others = vote("b", -5.25);
  others.responses = response(-5.25, true);
  EXPECT_EQ(difference(odd, others), "request 0: log-likelihood -7.5, others -5.25 greedy");
}

TEST(Votes, ALateOneSettlesNothingUntilNobodyElseCanVote) {
  ItemVotes votes;
  Vote late = vote("a", -3);
  late.is_late = true;
  votes.add(vote("b", -3), kRules);
  votes.add(late, kRules);
  EXPECT_FALSE(votes.settled_by(2, kRules));
  EXPECT_EQ(votes.wanted(2), 1u);
  votes.add(vote("c", -5), kRules);
  EXPECT_TRUE(votes.disputed()) << "it is an answer all the same";
  votes.accept_late(kRules);
  ASSERT_TRUE(votes.settled_by(2, kRules));
  EXPECT_EQ(votes.settled_by(2, kRules)->size(), 2u);
}

TEST(Votes, TellWhenTheReferenceIsOutvoted) {
  ItemVotes votes;
  votes.add(vote("a", -3, "A"), kRules);
  votes.add(vote("b", -5, "B"), kRules);
  EXPECT_FALSE(votes.outvotes_candidates());
  votes.add(vote("c", -5, "B"), kRules);
  EXPECT_TRUE(votes.outvotes_candidates());
  EXPECT_EQ(votes.leading_class(kRules), "B");
}

}  // namespace
}  // namespace muster::roles::coordinator
