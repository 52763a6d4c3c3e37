// What becomes of a job that cannot go on: nobody can vote on an item, attempts fail, or machines
// say that it cannot work.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"
#include "roles/coordinator/voters.h"
#include "roles/coordinator/waiting.h"
#include "wire/lease_id.h"
#include "wire/short_id.h"

namespace muster::roles::coordinator {

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
  const Settling::Impasse impasse = settling_.settle_whatever_agrees(now, effects);
  if (impasse.dispute) return give_up(*impasse.dispute, effects);
  if (impasse.leading_class) classes_.ask_for(now, *impasse.leading_class, effects);
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
  effects.warn(where + " failed on " + short_id(name) + ": " + failed.message(),
               {.job = key_.job(), .machine = name, .lease = name_of(to_lease_id(failed.lease()))});
  report_.note_event(now, name, where + " failed: " + failed.message());
  const Item& item = items_[failed.item()];
  const int weight = failed.users_fault() ? Item::kExcludedAt : alone ? 1 : 0;
  items_.fail(item.index(), name, weight, failed.message());
  settling_.recount(item);
  if (failed.users_fault()) {
    return object(name, failed.item(), {Code::kUnsupported, where + ": " + failed.message()},
                  effects);
  }
  if (item.failures.at(name) != Item::kExcludedAt) return;
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
