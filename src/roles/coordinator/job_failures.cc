// Attempts that failed: the engine crashed, or gave no number. Never an answer. And who says that
// none can succeed.
#include <algorithm>

#include "base/probe.h"
#include "base/rng.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {}  // namespace

// Believed of a lease of whoever says so, and of an item in it.
void Job::on_lease_failed(Instant now, const std::string& name, const pb::LeaseFailed& failed,
                          Effects& effects) {
  const LeaseId id = to_lease_id(failed.lease());
  const Lease* lease = leases_.find(id);
  if (lease == nullptr) return;
  if (lease->machine != name) return refusals_.note(name, "the failure of another's lease");
  const auto& items = lease->items;
  if (std::find(items.begin(), items.end(), failed.item()) == items.end()) return;
  // In a list it is not known whose fault it was: only an attempt on the item alone bars.
  const bool alone = items.size() == 1;
  close_lease(now, id, false);
  note_failure(now, name, failed, alone, effects);
  // What fails elsewhere too says nothing against the machine.
  if (items_[failed.item()].failures.size() > 1) machines_.forget_failures(name);
  machines_.back_off(now, name);
  work_changed_ = true;
}

void Job::note_failure(Instant now, const std::string& name, const pb::LeaseFailed& failed,
                       bool alone, Effects& effects) {
  const std::string where = "item " + std::to_string(failed.item());
  effects.warn(where + " failed on " + short_id(name) + ": " + failed.message());
  report_.happened(now, name, where + " failed: " + failed.message());
  const Item& item = items_[failed.item()];
  const int weight = failed.users_fault() ? Item::kBarredAt : alone ? 1 : 0;
  items_.fail(item.index(), name, weight, failed.message());
  recount(item);
  if (failed.users_fault()) {
    return object(name, failed.item(), {Code::kUnsupported, where + ": " + failed.message()},
                  effects);
  }
  if (item.failures.at(name) != Item::kBarredAt) return;
  report_.happened(now, name, "barred from " + where + " after two failures on it alone");
  items_.watch_barred(now, failed.item());
}

// Without an answer, and no machine that is lent now may try it; another may yet come.
bool Job::has_nobody(const Item& item) const {
  const auto& lent = machines_.lent();
  return item.votes.size() == 0 && holders(item).empty() &&
         std::all_of(lent.begin(), lent.end(), [&](const auto& entry) {
           return item.bars(entry.first) || !entry.second.unable.empty();
         });
}

// An item that nobody can try any more; null: none.
const Item* Job::crashes_all() const {
  for (const auto& [index, since] : items_.barred_since()) {
    if (has_nobody(items_[index])) return &items_[index];
  }
  return nullptr;
}

// An item that every machine fails on fails the job: nobody has come to try it for the quorum wait.
void Job::fail_what_crashes_all(Instant now, Effects& effects) {
  for (const auto& [index, since] : items_.barred_since()) {
    const Item& item = items_[index];
    if (machines_.others_may_come(now) || !class_asked_.empty() || !has_nobody(item)) {
      items_.note_hope(now, index);
      continue;
    }
    const Instant due = since + milliseconds(row_.request().quorum_wait_ms());
    effects.wake_by(due);
    if (now < due) continue;
    MUSTER_PROBE("an item fails on every machine");
    return give_up({Code::kFailed, describe_barred(item) + ", and no further machine can try"},
                   effects);
  }
}

std::string Job::describe_barred(const Item& item) const {
  return items_.name_of(item) + " failed twice on each of " + short_ids(item.barred()) + " (" +
         item.last_failure + ")";
}

// As many say so as an item wants votes, but two are enough; of distinct owners like votes.
void Job::object(const std::string& machine, Objections::Subject subject, const Error& error,
                 Effects& effects) {
  objections_.add(subject, machine, error);
  const size_t voices = objections_.voices(subject, [this](const std::string& name) {
    const std::string* owner = machines_.owner(name);
    return items_.rules().distinct_owners && owner != nullptr ? *owner : name;
  });
  const bool is_confirmed = voices >= std::min<size_t>(2, row_.request().redundancy());
  if (!is_refuted(subject) && is_confirmed) return give_up(error, effects);
  MUSTER_PROBE("one machine says that the job cannot work");
}

// Somebody could.
bool Job::is_refuted(Objections::Subject subject) const {
  if (subject == Objections::kModel) return machines_.any_was_ready();
  const Item& item = items_[static_cast<size_t>(subject)];
  return item.votes.size() > 0 || item.is_settled();
}

const Error* Job::open_objection() const {
  return objections_.open([this](Objections::Subject subject) { return is_refuted(subject); });
}

}  // namespace muster::roles::coordinator
