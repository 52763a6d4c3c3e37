// Votes agree within tolerance, ties included, and the verdict does not depend on who came first.
#include "roles/coordinator/votes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::roles::coordinator {
namespace {

std::vector<pb::Response> response(double loglikelihood, bool greedy = false, double margin = 1,
                                   uint32_t tokens = 4) {
  pb::Response out;
  out.set_loglikelihood(loglikelihood);
  out.set_is_greedy(greedy);
  out.set_margin(margin);
  out.set_tokens(tokens);
  return {out};
}

Vote vote(const std::string& machine, double loglikelihood) {
  return {machine, machine, sha256(machine), "class", response(loglikelihood)};
}

struct Case {
  const char* name;
  std::vector<pb::Response> a, b;
  bool agree;
};

TEST(Votes, AgreeWithinTolerance) {
  const Case cases[] = {
      {"equal", response(-3), response(-3), true},
      {"just inside 1e-4 x (1 + 4)", response(-3), response(-3.00049), true},
      {"just outside", response(-3), response(-3.00051), false},
      {"another flag", response(-3, true), response(-3, false), false},
      {"another flag, but tied", response(-3, true, 1e-5), response(-3, false, 1), true},
      {"another number of tokens", response(-3, false, 1, 4), response(-3, false, 1, 5), false},
      {"another number of requests", response(-3), {}, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(agree(c.a, c.b), c.agree) << c.name;
    EXPECT_EQ(agree(c.b, c.a), c.agree) << c.name;
  }
}

TEST(Votes, TheVerdictDoesNotDependOnTheOrder) {
  std::vector<Vote> votes = {vote("a", -1), vote("b", -9), vote("c", -1), vote("d", -9),
                             vote("e", -1)};
  std::vector<std::string> first;
  std::sort(votes.begin(), votes.end(), [](auto& x, auto& y) { return x.machine < y.machine; });
  do {
    ItemVotes item;
    for (const Vote& v : votes) EXPECT_EQ(item.add(v), ItemVotes::Added::kNew);
    std::vector<std::string> agreeing;
    for (const Vote* v : item.agreeing()) agreeing.push_back(v->machine);
    if (first.empty()) first = agreeing;
    EXPECT_EQ(agreeing, first);
    EXPECT_EQ(agreeing.size(), 3u);
    EXPECT_TRUE(item.disputed());
  } while (std::next_permutation(votes.begin(), votes.end(),
                                 [](auto& x, auto& y) { return x.machine < y.machine; }));
}

TEST(Votes, OneMachineHasOneVoteAndFiveAreTheMost) {
  ItemVotes item;
  EXPECT_EQ(item.add(vote("a", -1)), ItemVotes::Added::kNew);
  EXPECT_EQ(item.add(vote("a", -2)), ItemVotes::Added::kRepeat);
  for (const char* name : {"b", "c", "d", "e"})
    EXPECT_EQ(item.add(vote(name, -1)), ItemVotes::Added::kNew);
  EXPECT_EQ(item.add(vote("f", -1)), ItemVotes::Added::kTooMany);
  EXPECT_FALSE(item.disputed());
}

}  // namespace
}  // namespace muster::roles::coordinator
