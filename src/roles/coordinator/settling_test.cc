#include "roles/coordinator/settling.h"

#include "roles/coordinator/situation_stage.h"
#include "wire/no_keys.h"

namespace muster::roles::coordinator {
namespace {

// Two items. Answers come as records; what is settled is put to the store "s".
class SettlingTest : public SituationStage {
 protected:
  explicit SettlingTest(const StageSetting& its = {.items = 2}) : SituationStage(its) {
    pb::PoolState state;
    state.mutable_view()->set_number(1);
    state.mutable_view()->add_members()->set_machine("s");
    journal.set_view(now, state);
    journal.seal(1);
    (void)puts();
  }

  static pb::Answer answer_of(const Item& item, double loglikelihood) {
    pb::Answer answer;
    answer.set_item(item.index());
    answer.set_request_digest(item.requests.digest());
    answer.set_numeric_class("A");
    pb::Response& response = *answer.add_responses();
    response.set_loglikelihood(loglikelihood);
    response.set_margin(1);
    response.set_tokens(4);
    return answer;
  }
  // As the machine says it, of the owner by which its name begins.
  bool take(const std::string& machine, const pb::Answer& answer) {
    OpenedRecord opened{sha256(machine + std::to_string(answer.item())), machine, {}};
    *opened.record.mutable_answer() = answer;
    return settling.take_answer(now, opened, machine.substr(0, 1), effects);
  }
  bool answers(const std::string& machine, uint32_t index, double loglikelihood = -3) {
    return take(machine, answer_of(items[index], loglikelihood));
  }
  // While it has a lease.
  void answers_in_time(const std::string& machine, uint32_t index, double loglikelihood = -3) {
    const LeaseId id = hold(machine, {index});
    EXPECT_TRUE(answers(machine, index, loglikelihood));
    if (leases.find(id) != nullptr) leasing.close(id);
  }
  // What another coordinator settled under `epoch`.
  void settled_before(uint64_t epoch, uint32_t index, double loglikelihood,
                      const std::string& its_class = "A", int responses = 1) {
    OpenedRecord opened;
    opened.record.set_epoch(epoch);
    pb::Settled& settled = *opened.record.mutable_settled();
    settled.set_item(index);
    settled.set_numeric_class(its_class);
    for (int i = 0; i < responses; ++i) settled.add_responses()->set_loglikelihood(loglikelihood);
    for (const char* vote : {"v1", "v2"}) settled.add_votes(vote);
    settling.take_settled(opened);
  }
  // The values of what is put to the store now, by item.
  std::map<uint32_t, double> puts() {
    Effects put;
    now += seconds(2);
    journal.put_due(now, put);
    std::map<uint32_t, double> values;
    for (const Send& send : put.send) {
      for (const pb::SignedRecord& record : send.envelope.put().records()) {
        pb::Record body;
        EXPECT_TRUE(body.ParseFromString(record.body()));
        if (!body.has_settled()) continue;
        values[body.settled().item()] = body.settled().responses(0).loglikelihood();
      }
    }
    return values;
  }

  NoKeys keys;
  Rng rng{1};
  Journal journal{key, keys};
  Leasing leasing{key, keys, items, leases, machines, rng};
  Settling settling{key,
                    setting.redundancy,
                    setting.adaptive,
                    {items, leases, machines, owners, standings, journal, leasing}};
};

using Values = std::map<uint32_t, double>;

TEST_F(SettlingTest, AnItemSettlesWithVotesThatAgreeAndItsValueIsWritten) {
  ready({"a1", "b1", "c1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  EXPECT_FALSE(items[0].is_settled());
  answers_in_time("b1", 0, -9);
  EXPECT_FALSE(items[0].is_settled()) << "they do not agree";
  answers_in_time("c1", 0, -9);
  ASSERT_TRUE(items[0].is_settled());
  EXPECT_EQ(puts(), (Values{{0, -9}}));
  EXPECT_TRUE(leases.empty());
  EXPECT_TRUE(standings.has_judged(0, "b1"));
  EXPECT_TRUE(standings.has_open_charges()) << "a1 was outvoted";
  ASSERT_EQ(effects.counts.size(), 2u);
  EXPECT_EQ(effects.counts[0].what, Count::What::kItemSettled);
  EXPECT_EQ(effects.counts[0].of, items.tasks()[0].task);
  EXPECT_EQ(effects.counts[1].what, Count::What::kVoteDisagreed);
}

TEST_F(SettlingTest, WhoWorksOnASettledItemIsToldToStop) {
  ready({"a1", "b1", "c1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  const LeaseId id = hold("c1", {0});
  answers_in_time("b1", 0);
  EXPECT_EQ(leases.find(id), nullptr);
}

TEST_F(SettlingTest, AnAnswerThatDoesNotFitItsRequestsCountsForNothing) {
  ready({"a1"});
  settling.begin(now, effects);
  pb::Answer other = answer_of(items[0], -3);
  other.set_request_digest("another");
  EXPECT_FALSE(take("a1", other));
  pb::Answer longer = answer_of(items[0], -3);
  longer.add_responses();
  EXPECT_FALSE(take("a1", longer));
  EXPECT_FALSE(answers("a1", 0, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(items[0].votes.size(), 0u);
  pb::Answer beyond = answer_of(items[0], -3);
  beyond.set_item(2);
  EXPECT_TRUE(take("a1", beyond)) << "nothing is said of an item that is not there";
}

TEST_F(SettlingTest, ALateAnswerSettlesNothingWhileOthersCanVote) {
  ready({"a1", "b1", "c1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  EXPECT_TRUE(answers("b1", 0)) << "its lease is over";
  EXPECT_FALSE(items[0].is_settled());
  answers_in_time("c1", 0);
  EXPECT_TRUE(items[0].is_settled());
}

TEST_F(SettlingTest, WhatWasReadSettlesWhenAllIsRead) {
  ready({"a1", "b1"});
  for (const char* machine : {"a1", "b1"}) EXPECT_TRUE(answers(machine, 0));
  EXPECT_FALSE(items[0].is_settled());
  settling.begin(now, effects);
  EXPECT_TRUE(items[0].is_settled()) << "it was in time, for all that can be known";
  settling.end();
  for (const char* machine : {"a1", "b1"}) answers_in_time(machine, 1);
  EXPECT_FALSE(items[1].is_settled()) << "the job is over";
}

TEST_F(SettlingTest, WhatWasSettledBeforeIsAdoptedAsItIs) {
  ready({"a1", "b1"});
  for (const char* machine : {"a1", "b1"}) EXPECT_TRUE(answers(machine, 0));
  settled_before(1, 0, -7);
  settled_before(2, 0, -8);
  settled_before(1, 0, -7);
  settled_before(key.epoch(), 1, -9);
  settled_before(1, 1, -9, "A", 2);
  settled_before(1, 2, -9);
  settling.begin(now, effects);
  EXPECT_EQ(puts(), (Values{{0, -8}})) << "the highest epoch before this one's, whatever votes say";
  EXPECT_FALSE(items[1].is_settled()) << "of this epoch, or with another number of answers";
  settled_before(1, 1, -9);
  EXPECT_FALSE(items[1].is_settled()) << "that comes late";
  EXPECT_TRUE(standings.has_judged(0, "a1"));
}

TEST_F(SettlingTest, TheClassOfWhatIsAdoptedMustBeKnown) {
  EXPECT_EQ(settling.unknown_class(), nullptr);
  settled_before(1, 0, -7);
  EXPECT_EQ(settling.unknown_class(), nullptr);
  settled_before(1, 1, -7, "B");
  ASSERT_NE(settling.unknown_class(), nullptr);
  EXPECT_EQ(*settling.unknown_class(), "B");
  items.set_classes({"A", "B"});
  EXPECT_EQ(settling.unknown_class(), nullptr);
}

TEST_F(SettlingTest, WhoIsQuarantinedHasNoVote) {
  ready({"a1", "b1", "c1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  pb::Lend lend;
  lend.add_quarantined("a1");
  settling.hear_standings(now, lend, effects);
  answers_in_time("b1", 0);
  EXPECT_FALSE(items[0].is_settled());
  answers_in_time("c1", 0);
  EXPECT_TRUE(items[0].is_settled());
}

TEST_F(SettlingTest, VotesAreCountedAnewWhenTheRulesChange) {
  ready({"a1", "b1"}, "B");
  settling.begin(now, effects);
  pb::Answer answer = answer_of(items[0], -3);
  answer.set_numeric_class("B");
  for (const char* machine : {"a1", "b1"}) {
    hold(machine, {0});
    EXPECT_TRUE(take(machine, answer));
  }
  EXPECT_FALSE(items[0].is_settled()) << "no class that gives the values";
  items.set_classes({"A", "B"});
  settling.recount_all(now, effects);
  EXPECT_TRUE(items[0].is_settled());
}

// ---- Where nobody can vote.

TEST_F(SettlingTest, WhatHasAgreeingVotesSettlesOnThoseItHas) {
  ready({"a1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  const auto impasse = settling.settle_whatever_agrees(now, effects);
  EXPECT_TRUE(items[0].is_settled());
  EXPECT_FALSE(items[1].is_settled()) << "it has no answer";
  EXPECT_FALSE(impasse.leading_class);
  EXPECT_FALSE(impasse.dispute);
  EXPECT_FALSE(standings.has_judged(0, "a1")) << "by one vote nobody is judged";
}

TEST_F(SettlingTest, LateAnswersCountWhereNobodyElseCanVote) {
  ready({"a1", "b1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  EXPECT_TRUE(answers("b1", 0));
  EXPECT_FALSE(settling.settle_whatever_agrees(now, effects).dispute);
  EXPECT_TRUE(items[0].is_settled());
  EXPECT_TRUE(standings.has_judged(0, "b1")) << "it is a vote, and not one alone";
}

TEST_F(SettlingTest, ADisputeThatNobodyCanEndIsNamed) {
  ready({"a1", "b1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  answers_in_time("b1", 0, -9);
  const auto impasse = settling.settle_whatever_agrees(now, effects);
  ASSERT_TRUE(impasse.dispute);
  EXPECT_EQ(impasse.dispute->message,
            "task item 10: the answers of a1, b1 do not agree, and no further machine can vote");
  EXPECT_FALSE(items[0].is_settled());
}

TEST_F(SettlingTest, VotesOfMachinesDecideWhereNoOwnerHasOneToAdd) {
  owners.set_many(true);
  ready({"a1", "a2", "b1", "d1"});
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  answers_in_time("a2", 0);
  answers_in_time("b1", 0, -9);
  EXPECT_FALSE(items[0].is_settled()) << "d has a vote to add";
  EXPECT_FALSE(settling.settle_whatever_agrees(now, effects).dispute);
  ASSERT_TRUE(items[0].is_settled());
  EXPECT_EQ(puts(), (Values{{0, -3}}));
}

TEST_F(SettlingTest, AReferenceClassThatIsOutvotedGivesWayToTheOneThatLeads) {
  ready({"a1"});
  ready({"b1", "c1"}, "B");
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  pb::Answer other = answer_of(items[0], -9);
  other.set_numeric_class("B");
  for (const char* machine : {"b1", "c1"}) {
    hold(machine, {0});
    EXPECT_TRUE(take(machine, other));
  }
  EXPECT_FALSE(items[0].is_settled());
  const auto impasse = settling.settle_whatever_agrees(now, effects);
  EXPECT_EQ(impasse.leading_class, "B");
  EXPECT_FALSE(impasse.dispute);
}

// ---- Trusted machines.

class AdaptiveSettlingTest : public SettlingTest {
 protected:
  AdaptiveSettlingTest() : SettlingTest({.items = 2, .adaptive = true}) {}
};

TEST_F(AdaptiveSettlingTest, WhatATrustedMachineSaidAloneStandsAtTheEnd) {
  ready({"a1", "b1"});
  trust("a1");
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  ASSERT_TRUE(items[0].provisional);
  settling.settle_provisional(now, effects);
  EXPECT_FALSE(items[0].is_settled()) << "the other may yet show that it lies";
  EXPECT_TRUE(puts().empty()) << "what is not written is not mistaken for settled";
  settle(1);
  settling.settle_provisional(now, effects);
  EXPECT_TRUE(items[0].is_settled());
}

TEST_F(AdaptiveSettlingTest, WhoComesToBeTrustedIsSoWhereHeHasVotedAlready) {
  ready({"a1", "b1"});
  standings.set_before("a1", Standings::kTrustedAt - 1);
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  EXPECT_EQ(items[0].needed, 1u);
  for (const char* machine : {"a1", "b1"}) answers_in_time(machine, 1);
  ASSERT_TRUE(items[1].is_settled());
  EXPECT_EQ(items[0].needed, 0u);
  EXPECT_TRUE(items[0].provisional);
}

TEST_F(AdaptiveSettlingTest, WhoIsOutvotedIsTrustedNoMore) {
  ready({"a1", "b1", "c1"});
  trust("a1");
  settling.begin(now, effects);
  answers_in_time("a1", 0);
  EXPECT_TRUE(items[0].provisional);
  answers_in_time("b1", 1, -9);
  answers_in_time("c1", 1, -9);
  ASSERT_TRUE(items[1].is_settled());
  EXPECT_TRUE(answers("a1", 1));
  EXPECT_TRUE(standings.has_open_charges());
  EXPECT_FALSE(items[0].provisional) << "its item wants votes again";
}

}  // namespace
}  // namespace muster::roles::coordinator
