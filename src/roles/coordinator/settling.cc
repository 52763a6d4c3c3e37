#include "roles/coordinator/settling.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/probe.h"
#include "roles/coordinator/voters.h"
#include "wire/short_id.h"

namespace muster::roles::coordinator {
namespace {

bool is_finite(const pb::Answer& answer) {
  return std::all_of(answer.responses().begin(), answer.responses().end(), [](const auto& r) {
    return std::isfinite(r.loglikelihood()) && std::isfinite(r.margin());
  });
}

// Of no machine.
Vote value_of(const pb::Settled& settled) {
  Vote value;
  value.numeric_class = settled.numeric_class();
  value.model_digest = settled.model_digest();
  value.responses = {settled.responses().begin(), settled.responses().end()};
  return value;
}

}  // namespace

bool Settling::take_answer(Instant now, const OpenedRecord& opened, const std::string& owner,
                           Effects& effects) {
  const pb::Answer& answer = opened.record.answer();
  if (answer.item() >= parts_.items.size()) return true;
  const Item& item = parts_.items[answer.item()];
  const bool fits = answer.request_digest() == item.requests.digest() &&
                    answer.responses_size() == item.requests.requests_size() && is_finite(answer);
  if (!fits) {
    effects.warn("an answer of " + short_id(opened.machine) + " does not fit its requests; dropped",
                 {.job = key_.job(), .machine = opened.machine});
    return false;
  }
  const bool was_disputed = item.votes.disputed();
  const bool has_lease = parts_.leases.holders(item.index()).contains(opened.machine);
  Vote vote{opened.machine,
            owner,
            opened.digest,
            answer.numeric_class(),
            {answer.responses().begin(), answer.responses().end()},
            answer.model_digest(),
            // What was there when this coordinator came was in time, for all that it can know.
            running_ && !has_lease};
  if (vote.is_late) MUSTER_PROBE("an answer comes when its machine's turn is over");
  if (item.is_settled()) judge(now, item, vote, effects);
  if (parts_.items.vote(item.index(), std::move(vote)) != ItemVotes::Added::kNew) return true;
  parts_.owners.on_vote(now);
  parts_.machines.on_served(opened.machine);
  recount(item);
  if (item.votes.disputed() && !was_disputed && !item.is_settled()) {
    effects.warn("item " + std::to_string(answer.item()) + ": the answer of " +
                     short_id(opened.machine) + " does not agree; another machine is asked",
                 {.job = key_.job(), .machine = opened.machine});
  }
  if (running_) settle_if_agreed(now, item, redundancy_, effects);
  parts_.leasing.close_answered(now, opened.machine);
  return true;
}

void Settling::take_settled(const OpenedRecord& opened) {
  const pb::Settled& settled = opened.record.settled();
  const uint64_t epoch = opened.record.epoch();
  const bool believed =
      epoch < key_.epoch() && settled.item() < parts_.items.size() &&
      settled.responses_size() == parts_.items[settled.item()].requests.requests_size();
  if (!believed || running_) return;
  Adopted& best = adopted_[settled.item()];
  if (epoch > best.epoch) best = {epoch, settled};
}

// The value and the votes stay as they are; the record is this epoch's.
void Settling::adopt(Instant now, const Adopted& adopted, Effects& effects) {
  MUSTER_PROBE("a settled item is adopted");
  const pb::Settled& settled = adopted.settled;
  settle(settled, static_cast<size_t>(std::max(1, settled.votes_size())));
  const Item& item = parts_.items[settled.item()];
  for (const Vote& vote : item.votes.all()) judge(now, item, vote, effects);
}

void Settling::settle(const pb::Settled& settled, size_t votes) {
  parts_.items.settle(settled.item(), value_of(settled), votes);
  parts_.journal.write(settled);
}

void Settling::settle_if_agreed(Instant now, const Item& item, size_t enough, Effects& effects) {
  if (item.is_settled()) return;
  const auto agreeing = item.votes.settled_by(enough, parts_.items.rules_of(item));
  if (!agreeing) return;
  const Vote& value = *agreeing->front();
  pb::Settled settled;
  settled.set_item(item.index());
  for (const Vote* vote : *agreeing) settled.add_votes(std::string(vote->digest.view()));
  settled.mutable_responses()->Add(value.responses.begin(), value.responses.end());
  settled.set_numeric_class(value.numeric_class);
  settled.set_model_digest(value.model_digest);
  settle(settled, ItemVotes::count(*agreeing, parts_.items.rules_of(item)));
  effects.count(Count::What::kItemSettled, parts_.items.tasks()[item.task].task);
  for (const Vote& vote : item.votes.all()) judge(now, item, vote, effects);
  parts_.leasing.stop_settled(item, effects);
}

// Everything else is settled, and every check has come out well: what trusted machines said alone
// stands.
void Settling::settle_provisional(Instant now, Effects& effects) {
  if (parts_.items.provisional() == 0) return;
  if (parts_.items.settled() + parts_.items.provisional() < parts_.items.size()) return;
  for (const Item& item : parts_.items) {
    if (item.provisional) settle_if_agreed(now, item, 1, effects);
  }
}

const std::string* Settling::unknown_class() const {
  for (const auto& [item, adopted] : adopted_) {
    const std::string& its_class = adopted.settled.numeric_class();
    if (!parts_.items.rules().may_give(its_class)) return &its_class;
  }
  return nullptr;
}

void Settling::begin(Instant now, Effects& effects) {
  running_ = true;
  parts_.owners.on_vote(now);
  for (const auto& [item, adopted] : std::exchange(adopted_, {})) adopt(now, adopted, effects);
  watch_owners(now, effects);
  for (const Item& item : parts_.items) settle_if_agreed(now, item, redundancy_, effects);
}

// ---- Whose votes count.

void Settling::recount(const Item& item) {
  const bool by_machine = owners_are_exhausted(situation(), item);
  if (by_machine) MUSTER_PROBE("every owner has voted: votes of machines count");
  parts_.items.recount(item.index(), by_machine);
}

void Settling::recount_and_settle(Instant now, const Item& item, Effects& effects) {
  recount(item);
  if (running_) settle_if_agreed(now, item, redundancy_, effects);
}

void Settling::recount_all(Instant now, Effects& effects) {
  for (const Item& item : parts_.items) recount_and_settle(now, item, effects);
}

void Settling::look_again_at_disputes() {
  for (uint32_t i : parts_.items.wanting()) {
    if (parts_.items[i].votes.disputed()) parts_.items.leave_alone(i);
  }
}

void Settling::watch_owners(Instant now, Effects& effects) {
  if (!running_) return;
  for (uint32_t i : parts_.items.take_left_alone()) {
    if (parts_.items[i].is_settled()) continue;
    recount(parts_.items[i]);
    settle_if_agreed(now, parts_.items[i], redundancy_, effects);
  }
  const bool wants_votes = !parts_.items.wanting().empty();
  if (!parts_.owners.look(now, parts_.machines, parts_.leases, wants_votes, effects)) return;
  parts_.items.set_distinct_owners(parts_.owners.must_be_distinct(parts_.items));
  recount_all(now, effects);
}

// A vote on an item that is settled, whenever it came: it agrees with the value, or its machine was
// outvoted. Where one vote was enough there is nobody to be outvoted by.
void Settling::judge(Instant now, const Item& item, const Vote& vote, Effects& effects) {
  if (item.votes_at_settling < 2 || parts_.standings.has_judged(item.index(), vote.machine)) return;
  const bool was_trusted = parts_.standings.is_trusted(vote.machine);
  agree(item.value, vote) ? credit(item, vote) : charge(now, item, vote, effects);
  // Its votes elsewhere are worth something else now.
  if (parts_.standings.is_trusted(vote.machine) != was_trusted) refresh_votes_of(vote.machine);
}

void Settling::credit(const Item& item, const Vote& vote) {
  // Whoever stores answers could have copied them; an answer before all others is its own.
  const bool earns_trust = item.is_first(vote.machine) || !parts_.journal.was_store(vote.machine);
  if (!earns_trust) MUSTER_PROBE("an answer that could have been copied earns no trust");
  parts_.standings.on_agreed(item.index(), vote.machine, earns_trust);
}

void Settling::charge(Instant now, const Item& item, const Vote& vote, Effects& effects) {
  MUSTER_PROBE("a machine is charged");
  const std::string where = parts_.items.name_of(item) + ", " + difference(vote, item.value);
  effects.warn(short_id(vote.machine) + " was outvoted: " + where,
               {.job = key_.job(), .machine = vote.machine});
  effects.count(Count::What::kVoteDisagreed);
  parts_.standings.charge(now, item.index(), vote.machine, where);
}

void Settling::hear_standings(Instant now, const pb::Lend& lend, Effects& effects) {
  for (const pb::Loan& loan : lend.loans()) {
    if (parts_.standings.set_before(loan.machine(), loan.agreed()))
      refresh_votes_of(loan.machine());
  }
  const auto& named = lend.quarantined();
  for (const std::string& machine :
       parts_.standings.set_quarantined({named.begin(), named.end()})) {
    MUSTER_PROBE("a machine is quarantined during a job");
    for (const Item& item : parts_.items) {
      const bool had_voted = !item.is_settled() && parts_.items.distrust(item.index(), machine);
      if (had_voted) recount_and_settle(now, item, effects);
    }
  }
}

void Settling::refresh_votes_of(const std::string& machine) {
  if (!adaptive_) return;
  parts_.items.refresh_votes_of(machine);
}

// ---- Where nobody can vote.

Settling::Impasse Settling::settle_whatever_agrees(Instant now, Effects& effects) {
  for (const Item& item : parts_.items) {
    if (item.is_settled()) continue;
    parts_.items.accept_late(item.index());
    settle_if_agreed(now, item, redundancy_, effects);
    if (item.is_settled()) continue;
    if (item.votes.disputed()) count_by_machine(now, item, effects);
    if (item.is_settled()) continue;
    // The reference class is outvoted: what most say gives the values from here on.
    const VotingRules& rules = parts_.items.rules_of(item);
    if (item.votes.outvotes_candidates() && rules.classes.size() < Items::kMostClasses) {
      MUSTER_PROBE("a reference class is outvoted");
      return {item.votes.leading_class(rules), std::nullopt};
    }
    if (item.votes.disputed()) return {std::nullopt, dispute_on(item)};
    settle_if_agreed(now, item, 1, effects);
  }
  return {};
}

// No owner has a vote to add: then those of machines decide.
void Settling::count_by_machine(Instant now, const Item& item, Effects& effects) {
  parts_.items.recount(item.index(), true);
  settle_if_agreed(now, item, redundancy_, effects);
}

Error Settling::dispute_on(const Item& item) const {
  std::set<std::string> machines;
  for (const Vote& vote : item.votes.all()) machines.insert(vote.machine);
  return {Code::kFailed, parts_.items.name_of(item) + ": the answers of " + short_ids(machines) +
                             " do not agree, and no further machine can vote"};
}

Situation Settling::situation() const {
  return {parts_.items, parts_.leases, parts_.machines, parts_.owners, parts_.standings, adaptive_};
}

}  // namespace muster::roles::coordinator
