// A job's verdicts: what the votes on an item come to, whose votes those are, and what becomes of
// an item that nobody can vote on.
#include <algorithm>
#include <cmath>

#include "base/probe.h"
#include "roles/coordinator/allocation.h"
#include "roles/coordinator/job.h"
#include "roles/coordinator/voters.h"
#include "roles/coordinator/waiting.h"
#include "wire/lease_id.h"
#include "wire/record.h"
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

// ---- Answers.

void Job::on_answer(Instant now, const OpenedRecord& opened, const std::string& owner,
                    Effects& effects) {
  const pb::Answer& answer = opened.record.answer();
  if (answer.item() >= items_.size()) return;
  const Item& item = items_[answer.item()];
  const bool fits = answer.request_digest() == item.requests.digest() &&
                    answer.responses_size() == item.requests.requests_size() && is_finite(answer);
  if (!fits) {
    effects.warn("an answer of " + short_id(opened.machine) +
                 " does not fit its requests; dropped");
    report_.note_event(now, opened.machine,
                       "an answer to item " + std::to_string(answer.item()) +
                           " does not fit its requests; it does not count");
    return;
  }
  const bool was_disputed = item.votes.disputed();
  const bool has_lease = leases_.holders(item.index()).contains(opened.machine);
  Vote vote{opened.machine,
            owner,
            opened.digest,
            answer.numeric_class(),
            {answer.responses().begin(), answer.responses().end()},
            answer.model_digest(),
            // What was there when this coordinator came was in time, for all that it can know.
            phase_ == Phase::kRunning && !has_lease};
  if (vote.is_late) MUSTER_PROBE("an answer comes when its machine's turn is over");
  if (item.is_settled()) judge(now, item, vote, effects);
  if (items_.vote(item.index(), std::move(vote)) != ItemVotes::Added::kNew) return;
  owners_.on_vote(now);
  machines_.on_served(opened.machine);
  recount(item);
  if (item.votes.disputed() && !was_disputed && !item.is_settled()) {
    effects.warn("item " + std::to_string(answer.item()) + ": the answer of " +
                 short_id(opened.machine) + " does not agree; another machine is asked");
  }
  if (phase_ == Phase::kRunning) settle_if_agreed(now, item, redundancy(), effects);
  leasing_.close_answered(now, opened.machine);
}

// What another coordinator of this run settled before; of an item the highest epoch counts.
void Job::on_settled(const OpenedRecord& opened) {
  const pb::Settled& settled = opened.record.settled();
  const uint64_t epoch = opened.record.epoch();
  const bool believed = epoch < key_.epoch() && settled.item() < items_.size() &&
                        settled.responses_size() == items_[settled.item()].requests.requests_size();
  if (!believed || phase_ == Phase::kRunning) return;
  Adopted& best = adopted_[settled.item()];
  if (epoch > best.epoch) best = {epoch, settled};
}

// The value and the votes stay as they are; the record is this epoch's.
void Job::adopt(Instant now, const Adopted& adopted, Effects& effects) {
  MUSTER_PROBE("a settled item is adopted");
  const pb::Settled& settled = adopted.settled;
  settle(settled, static_cast<size_t>(std::max(1, settled.votes_size())));
  const Item& item = items_[settled.item()];
  for (const Vote& vote : item.votes.all()) judge(now, item, vote, effects);
}

void Job::settle(const pb::Settled& settled, size_t votes) {
  items_.settle(settled.item(), value_of(settled), votes);
  journal_.write(settled);
}

void Job::settle_if_agreed(Instant now, const Item& item, size_t enough, Effects& effects) {
  if (item.is_settled()) return;
  const auto agreeing = item.votes.settled_by(enough, items_.rules_of(item));
  if (!agreeing) return;
  const Vote& value = *agreeing->front();
  pb::Settled settled;
  settled.set_item(item.index());
  for (const Vote* vote : *agreeing) settled.add_votes(std::string(vote->digest.view()));
  settled.mutable_responses()->Add(value.responses.begin(), value.responses.end());
  settled.set_numeric_class(value.numeric_class);
  settled.set_model_digest(value.model_digest);
  settle(settled, ItemVotes::count(*agreeing, items_.rules_of(item)));
  for (const Vote& vote : item.votes.all()) judge(now, item, vote, effects);
  leasing_.stop_settled(item, effects);
}

// Everything else is settled, and every check has come out well: what trusted machines said alone
// stands.
void Job::settle_provisional(Instant now, Effects& effects) {
  if (items_.provisional() == 0) return;
  if (items_.settled() + items_.provisional() < items_.size()) return;
  for (const Item& item : items_) {
    if (item.provisional) settle_if_agreed(now, item, 1, effects);
  }
}

// ---- Whose votes count.

void Job::recount(const Item& item) {
  const bool by_machine = owners_are_exhausted(situation(), item);
  if (by_machine) MUSTER_PROBE("every owner has voted: votes of machines count");
  items_.recount(item.index(), by_machine);
}

void Job::recount_and_settle(Instant now, const Item& item, Effects& effects) {
  recount(item);
  if (phase_ == Phase::kRunning) settle_if_agreed(now, item, redundancy(), effects);
}

// The rules have changed.
void Job::recount_all(Instant now, Effects& effects) {
  for (const Item& item : items_) recount_and_settle(now, item, effects);
}

// Whoever could still vote on an item may be gone.
void Job::look_again_at_disputes() {
  for (uint32_t i : items_.wanting()) {
    if (items_[i].votes.disputed()) items_.leave_alone(i);
  }
}

// One machine of another owner that cannot work, or is wrong, neither holds the others up nor
// outvotes them.
void Job::watch_owners(Instant now, Effects& effects) {
  if (phase_ < Phase::kRunning) return;
  for (uint32_t i : items_.take_left_alone()) {
    if (items_[i].is_settled()) continue;
    recount(items_[i]);
    settle_if_agreed(now, items_[i], redundancy(), effects);
  }
  const bool wants_votes = !items_.wanting().empty();
  if (!owners_.look(now, machines_, leases_, wants_votes, effects)) return;
  items_.set_distinct_owners(owners_.must_be_distinct(items_));
  recount_all(now, effects);
}

void Job::on_class_committed(Instant now, const pb::ClassCommitted& committed, Effects& effects) {
  auto classes = classes_.on_committed(now, committed, items_.rules(), effects);
  if (!classes) return;
  items_.set_classes(std::move(*classes));
  recount_all(now, effects);
}

// A vote on an item that is settled, whenever it came: it agrees with the value, or its machine was
// outvoted. Where one vote was enough there is nobody to be outvoted by.
void Job::judge(Instant now, const Item& item, const Vote& vote, Effects& effects) {
  if (item.votes_at_settling < 2 || standings_.has_judged(item.index(), vote.machine)) return;
  if (!agree(item.value, vote)) return charge(now, item, vote, effects);
  // Whoever stores answers could have copied them; an answer before all others is its own.
  const bool earns_trust = item.is_first(vote.machine) || !journal_.was_store(vote.machine);
  if (!earns_trust) MUSTER_PROBE("an answer that could have been copied earns no trust");
  standings_.on_agreed(item.index(), vote.machine, earns_trust);
}

void Job::charge(Instant now, const Item& item, const Vote& vote, Effects& effects) {
  MUSTER_PROBE("a machine is charged");
  const std::string where = items_.name_of(item) + ", " + difference(vote, item.value);
  effects.warn(short_id(vote.machine) + " was outvoted: " + where);
  const bool was_trusted = standings_.is_trusted(vote.machine);
  standings_.charge(now, item.index(), vote.machine, where);
  if (was_trusted) refresh_votes_of(vote.machine);
}

// The server says how machines stood before this job, and whose votes do not count at all.
void Job::on_standings(Instant now, const pb::Lend& lend, Effects& effects) {
  for (const pb::Loan& loan : lend.loans()) {
    if (standings_.set_before(loan.machine(), loan.agreed())) refresh_votes_of(loan.machine());
  }
  const auto& named = lend.quarantined();
  for (const std::string& machine : standings_.set_quarantined({named.begin(), named.end()})) {
    MUSTER_PROBE("a machine is quarantined during a job");
    for (const Item& item : items_) {
      const bool had_voted = !item.is_settled() && items_.distrust(item.index(), machine);
      if (had_voted) recount_and_settle(now, item, effects);
    }
  }
}

void Job::refresh_votes_of(const std::string& machine) {
  if (!row_.request().adaptive()) return;
  items_.refresh_votes_of(machine);
}

// ---- Where nobody can vote.

// Nothing of this job can run.
bool Job::is_stuck(Instant now) const {
  if (!coordinator::is_stuck(situation(), now) || classes_.is_asking()) return false;
  // Without a class nothing has begun, unless it cannot.
  return !items_.rules().classes.empty() || open_objection() != nullptr ||
         nobody_has_the_model(situation()) != nullptr;
}

// A pool too small does not hang: what has agreeing votes settles on those it has.
void Job::settle_what_waited(Instant now, Effects& effects) {
  if (!is_stuck(now)) {
    stuck_since_.reset();
    return;
  }
  if (!stuck_since_) stuck_since_ = now;
  const Instant due = *stuck_since_ + quorum_wait();
  effects.wake_by(due);
  if (now < due) return;
  stuck_since_ = now;  // What has no answer yet waits on.
  if (const Error* objection = open_objection()) return give_up(*objection, effects);
  if (const Error* missing = nobody_has_the_model(situation())) {
    return give_up(
        missing->in(missing->code == Code::kNotFound ? "no machine of this pool has the model"
                                                     : "no machine of this pool can run the model"),
        effects);
  }
  settle_whatever_agrees(now, effects);
}

void Job::settle_whatever_agrees(Instant now, Effects& effects) {
  for (const Item& item : items_) {
    if (item.is_settled()) continue;
    items_.accept_late(item.index());
    settle_if_agreed(now, item, redundancy(), effects);
    if (item.is_settled()) continue;
    if (item.votes.disputed()) count_by_machine(now, item, effects);
    if (item.is_settled()) continue;
    // The reference class is outvoted: what most say gives the values from here on.
    const VotingRules& rules = items_.rules_of(item);
    if (item.votes.outvotes_candidates() && rules.classes.size() < Items::kMostClasses) {
      MUSTER_PROBE("a reference class is outvoted");
      return classes_.ask_for(now, item.votes.leading_class(rules), effects);
    }
    if (item.votes.disputed()) return fail_disputed(item, effects);
    settle_if_agreed(now, item, 1, effects);
  }
}

// No owner has a vote to add: then those of machines decide.
void Job::count_by_machine(Instant now, const Item& item, Effects& effects) {
  items_.recount(item.index(), true);
  settle_if_agreed(now, item, redundancy(), effects);
}

void Job::fail_disputed(const Item& item, Effects& effects) {
  std::set<std::string> machines;
  for (const Vote& vote : item.votes.all()) machines.insert(vote.machine);
  give_up({Code::kFailed, items_.name_of(item) + ": the answers of " + short_ids(machines) +
                              " do not agree, and no further machine can vote"},
          effects);
}

// ---- Attempts that failed: the engine crashed, or gave no number. Never an answer.

// Believed of a lease of whoever says so, and of an item in it.
void Job::on_lease_failed(Instant now, const std::string& name, const pb::LeaseFailed& failed,
                          Effects& effects) {
  const LeaseId id = to_lease_id(failed.lease());
  const Lease* lease = leases_.find(id);
  if (lease == nullptr) return;
  if (lease->machine != name) return refusals_.note(name, "the failure of another's lease");
  const auto& items = lease->items;
  if (std::find(items.begin(), items.end(), failed.item()) == items.end()) return;
  // In a list it is not known whose fault it was: only an attempt on the item alone excludes.
  const bool alone = items.size() == 1;
  leasing_.close(id);
  note_failure(now, name, failed, alone, effects);
  // What fails elsewhere too says nothing against the machine.
  if (items_[failed.item()].failures.size() > 1) machines_.forget_failures(name);
  machines_.back_off(now, name);
}

void Job::note_failure(Instant now, const std::string& name, const pb::LeaseFailed& failed,
                       bool alone, Effects& effects) {
  const std::string where = "item " + std::to_string(failed.item());
  effects.warn(where + " failed on " + short_id(name) + ": " + failed.message());
  report_.note_event(now, name, where + " failed: " + failed.message());
  const Item& item = items_[failed.item()];
  const int weight = failed.users_fault() ? Item::kBarredAt : alone ? 1 : 0;
  items_.fail(item.index(), name, weight, failed.message());
  recount(item);
  if (failed.users_fault()) {
    return object(name, failed.item(), {Code::kUnsupported, where + ": " + failed.message()},
                  effects);
  }
  if (item.failures.at(name) != Item::kBarredAt) return;
  report_.note_event(now, name, "excluded from " + where + " after two failures on it alone");
  items_.watch_excluded(now, failed.item());
}

// An item that every machine fails on fails the job: nobody has come to try it for the quorum wait.
void Job::fail_what_crashes_all(Instant now, Effects& effects) {
  for (const auto& [index, since] : items_.excluded_since()) {
    const Item& item = items_[index];
    const bool may_be_tried =
        machines_.others_may_come(now) || classes_.is_asking() || !has_nobody(situation(), item);
    if (may_be_tried) {
      items_.note_hope(now, index);
      continue;
    }
    const Instant due = since + quorum_wait();
    effects.wake_by(due);
    if (now < due) continue;
    MUSTER_PROBE("an item fails on every machine");
    return give_up(
        {Code::kFailed, describe_excluded(items_, item) + ", and no further machine can try"},
        effects);
  }
}

// As many say so as an item wants votes, but two are enough; of distinct owners like votes.
void Job::object(const std::string& machine, Objections::Subject subject, const Error& error,
                 Effects& effects) {
  objections_.add(subject, machine, error);
  const size_t voices = objections_.voices(subject, [this](const std::string& name) {
    const std::string* owner = machines_.owner(name);
    return items_.rules().distinct_owners && owner != nullptr ? *owner : name;
  });
  const bool is_confirmed = voices >= std::min<size_t>(2, redundancy());
  if (!is_refuted(subject) && is_confirmed) return give_up(error, effects);
  MUSTER_PROBE("one machine says that the job cannot work");
}

// Somebody could.
bool Job::is_refuted(Objections::Subject subject) const {
  if (subject == Objections::kModel) return machines_.any_was_ready();
  const Item& item = items_[static_cast<uint32_t>(subject)];
  return item.votes.size() > 0 || item.is_settled();
}

const Error* Job::open_objection() const {
  return objections_.open([this](Objections::Subject subject) { return is_refuted(subject); });
}

}  // namespace muster::roles::coordinator
