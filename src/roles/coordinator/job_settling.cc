// A job's verdicts: what the votes on an item come to.
#include <algorithm>
#include <cmath>

#include "base/probe.h"
#include "roles/coordinator/job.h"
#include "roles/record.h"

namespace muster::roles::coordinator {
namespace {

constexpr int kMostAttempts = 3;  // At having the model ready.

bool is_finite(const pb::Answer& answer) {
  return std::all_of(answer.responses().begin(), answer.responses().end(), [](const auto& r) {
    return std::isfinite(r.loglikelihood()) && std::isfinite(r.margin());
  });
}

// Some coordinator had the run under the record's epoch, as far as the server remembers.
bool is_of_known_epoch(const pb::Record& record, const Assignments& assignments) {
  return std::any_of(assignments.begin(), assignments.end(), [&](const pb::Assignment& assignment) {
    return assignment.epoch() == record.epoch();
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

// What a store fed. Answers count with the terms that asked for them; whatever no honest store
// would keep is held against it.
void Job::on_record(Instant now, const std::string& member, const pb::SignedRecord& record,
                    Effects& effects) {
  const Digest digest = record_digest(record);
  if (feeds_.knows(digest)) return feeds_.on_genuine(now, member, digest);
  const auto opened = open_record(record, digest, keys_);
  if (!opened) return feeds_.on_nonsense(member, "what nobody signed");
  if (!same_run(opened->record, key_)) return feeds_.on_nonsense(member, "records of another run");
  // Who answers for the record.
  const Grants::Asked asked =
      opened->record.has_answer() ? grants_.who_asked(*opened) : Grants::Asked{opened->machine, ""};
  if (!had_run(row_.assignments(), opened->record.epoch(), asked.coordinator)) {
    // The row remembers the last epochs only, and a restored server has given some of them anew:
    // what was done for a coordinator of the pool is no store's invention, though nobody counts it.
    if (coordinators_.contains(asked.coordinator)) return feeds_.on_leftover(member, digest);
    if (!is_of_known_epoch(opened->record, row_.assignments())) return;
    MUSTER_PROBE("a store feeds what nobody asked for");
    return feeds_.on_nonsense(member, "what nobody asked for");
  }
  feeds_.on_genuine(now, member, digest);
  if (opened->record.has_answer()) on_answer(now, *opened, asked.owner, effects);
  if (opened->record.has_settled()) on_settled(*opened);
}

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
    report_.happened(now, opened.machine,
                     "an answer to item " + std::to_string(answer.item()) +
                         " does not fit its requests; it does not count");
    return;
  }
  const bool was_disputed = item.votes.disputed();
  Vote vote{opened.machine,
            owner,
            opened.digest,
            answer.numeric_class(),
            {answer.responses().begin(), answer.responses().end()},
            answer.model_digest(),
            // What was there when this coordinator came was in time, for all that it can know.
            phase_ == Phase::kRunning && !holders(item).contains(opened.machine)};
  if (vote.is_late) MUSTER_PROBE("an answer comes when its machine's turn is over");
  if (item.is_settled()) judge(now, item, vote, effects);
  if (items_.vote(item.index(), std::move(vote)) != ItemVotes::Added::kNew) return;
  owners_.on_vote(now);
  barren_.clear();
  machines_.on_served(opened.machine);
  work_changed_ = true;
  recount(item);
  if (item.votes.disputed() && !was_disputed && !item.is_settled()) {
    effects.warn("item " + std::to_string(answer.item()) + ": the answer of " +
                 short_id(opened.machine) + " does not agree; another machine is asked");
  }
  if (phase_ == Phase::kRunning) {
    settle_if_agreed(now, item, row_.request().redundancy(), effects);
  }
  close_lease_if_answered(now, opened.machine);
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
  pb::Record record;
  record.set_job(key_.job());
  record.set_run(key_.run());
  record.set_epoch(key_.epoch());
  *record.mutable_settled() = settled;
  outbox_.add(sign_record(record, keys_), settled.item());
}

void Job::settle_if_agreed(Instant now, const Item& item, size_t votes_enough, Effects& effects) {
  if (item.is_settled()) return;
  const auto agreeing = item.votes.settled_by(votes_enough, items_.rules_of(item));
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
  stop_settled(now, item, effects);
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

// Nothing of this job can run: no lease is open, nobody is preparing, nobody may take anything,
// here or at work elsewhere.
bool Job::is_stuck(Instant now) const {
  if (!leases_.empty() || machines_.others_may_come(now)) return false;
  const bool cannot_begin = open_objection() != nullptr || nobody_has_the_model() != nullptr;
  if (!class_asked_.empty() || (items_.rules().classes.empty() && !cannot_begin)) return false;
  for (const auto& [name, machine] : machines_.lent()) {
    if (machines_.may_serve(name) && is_useful(name)) return false;
  }
  return items_.settled() < items_.size();
}

// Every machine that was ever asked says that the model is not there, or cannot run it for whatever
// reason that another attempt does not mend, or has answered nothing.
const Error* Job::nobody_has_the_model() const {
  if (!items_.answered_classes().empty()) return nullptr;  // Somebody has answered something.
  const Error *missing = nullptr, *cannot = nullptr;
  bool has_hope = false;
  for (const auto& [name, entry] : machines_.backoffs().all()) {
    if (entry.why.code == Code::kNotFound) missing = &entry.why;
    // Nor has whoever says that it has it, and answers nothing.
    const bool is_final = entry.why.code == Code::kNotFound || entry.why.code == Code::kFailed;
    has_hope |= !is_final && (entry.why.code == Code::kUnavailable || entry.times < kMostAttempts);
    if (entry.times >= kMostAttempts) cannot = &entry.why;
  }
  if (has_hope) return nullptr;
  return missing != nullptr ? missing : cannot;
}

void Job::fail_disputed(const Item& item, Effects& effects) {
  std::set<std::string> machines;
  for (const Vote& vote : item.votes.all()) machines.insert(vote.machine);
  give_up({Code::kFailed, items_.name_of(item) + ": the answers of " + short_ids(machines) +
                              " do not agree, and no further machine can vote"},
          effects);
}

// A pool too small does not hang: what has agreeing votes settles on those it has.
void Job::settle_what_waited(Instant now, Effects& effects) {
  if (!is_stuck(now)) {
    stuck_since_.reset();
    return;
  }
  if (!stuck_since_) stuck_since_ = now;
  const Instant due = *stuck_since_ + milliseconds(row_.request().quorum_wait_ms());
  effects.wake_by(due);
  if (now < due) return;
  stuck_since_ = now;  // What has no answer yet waits on.
  if (const Error* objection = open_objection()) return give_up(*objection, effects);
  if (const Error* missing = nobody_has_the_model()) {
    return give_up(
        missing->in(missing->code == Code::kNotFound ? "no machine of this pool has the model"
                                                     : "no machine of this pool can run the model"),
        effects);
  }
  for (const Item& item : items_) {
    if (item.is_settled()) continue;
    items_.accept_late(item.index());
    settle_if_agreed(now, item, row_.request().redundancy(), effects);
    if (item.is_settled()) continue;
    if (item.votes.disputed()) count_by_machine(now, item, effects);
    if (item.is_settled()) continue;
    // The reference class is outvoted: what most say gives the values from here on.
    if (item.votes.outvotes_candidates() && items_.rules().classes.size() < Items::kMostClasses) {
      MUSTER_PROBE("a reference class is outvoted");
      return ask_for_class(now, item.votes.leading_class(items_.rules_of(item)), effects);
    }
    if (item.votes.disputed() && !item.is_settled()) return fail_disputed(item, effects);
    settle_if_agreed(now, item, 1, effects);
  }
}

}  // namespace muster::roles::coordinator
