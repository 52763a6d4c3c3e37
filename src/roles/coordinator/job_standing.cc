// Whose answers a job believes: who agreed with others, who was outvoted, who may answer alone.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {

constexpr uint64_t kTrustedAt = 200;  // Items in a row on which a machine agreed with others.

}  // namespace

std::string Job::name_of(const Item& item) const {
  return (*tasks_)[item.task].task + " item " + std::to_string(item.item->doc_id);
}

// A vote on an item that is settled, whenever it came: it agrees with the value, or its machine was
// outvoted. Where one vote was enough there is nobody to be outvoted by.
void Job::judge(Instant now, Item& item, const Vote& vote, Effects& effects) {
  if (item.votes_at_settling < 2) return;
  if (!judged_.emplace(item.requests.item(), vote.machine).second) return;
  if (agree(item.value, vote)) {
    standings_[vote.machine].agreed += earns_trust(item, vote) ? 1 : 0;
    return;
  }
  charge(now, item, vote, effects);
}

// Whoever stores answers could have copied them; an answer before all others is its own.
bool Job::earns_trust(const Item& item, const Vote& vote) const {
  if (item.first == vote.machine || !feeds_.was_member(vote.machine)) return true;
  MUSTER_PROBE("an answer that could have been copied earns no trust");
  return false;
}

void Job::charge(Instant now, const Item& item, const Vote& vote, Effects& effects) {
  MUSTER_PROBE("a machine is charged");
  Standing& standing = standings_[vote.machine];
  pb::Charge charge;
  charge.set_job(key_.job());
  charge.set_run(key_.run());
  charge.set_item(item.requests.item());
  charge.set_machine(vote.machine);
  charge.set_agreed(standing.in_a_row());
  charge.set_difference(name_of(item) + ", " + difference(vote, item.value));
  effects.warn(short_id(vote.machine) + " was outvoted: " + charge.difference());
  charges_[{item.requests.item(), vote.machine}] = std::move(charge);
  charges_due_ = now;
  const bool was_trusted = is_trusted(vote.machine);
  standing.charged = true;
  standing.agreed = 0;
  if (was_trusted) refresh_votes_of(vote.machine);
}

void Job::on_charge_noted(const pb::ChargeNoted& noted) {
  charges_.erase({noted.item(), noted.machine()});
}

void Job::repeat_charges(Instant now, Effects& effects) {
  if (charges_.empty()) return;
  if (charges_due_ <= now) {
    for (const auto& [where, charge] : charges_) {
      pb::Envelope say = envelope_to_server();
      *say.mutable_report_charge()->mutable_key() = key_;
      *say.mutable_report_charge()->mutable_charge() = charge;
      effects.send.push_back({std::move(say)});
    }
    charges_due_ = now + kRepeatEvery;
  }
  effects.wake_by(charges_due_);
}

// The server says how machines stood before this job, and whose votes do not count at all.
void Job::on_standings(Instant now, const pb::Lend& lend, Effects& effects) {
  for (const pb::Loan& loan : lend.loans()) {
    Standing& standing = standings_[loan.machine()];
    const bool was_trusted = is_trusted(loan.machine());
    standing.before = loan.agreed();
    if (is_trusted(loan.machine()) != was_trusted) refresh_votes_of(loan.machine());
  }
  const auto before = std::exchange(
      quarantined_, std::set<std::string>(lend.quarantined().begin(), lend.quarantined().end()));
  for (const std::string& machine : quarantined_) {
    if (before.contains(machine)) continue;
    MUSTER_PROBE("a machine is quarantined during a job");
    for (Item& item : items_) {
      if (item.votes_at_settling > 0 || !item.votes.distrust(machine, rules_of(item))) continue;
      recount(item);
      if (phase_ == Phase::kRunning) {
        settle_if_agreed(now, item, row_.request().redundancy(), effects);
      }
    }
  }
}

void Job::refresh_votes_of(const std::string& machine) {
  if (!row_.request().adaptive()) return;
  for (Item& item : items_) {
    if (!item.votes.has(machine)) continue;
    if (item.provisional) MUSTER_PROBE("a provisional item is looked at again");
    refresh_needed(item);
  }
  work_changed_ = true;
}

bool Job::is_trusted(const std::string& machine) const {
  auto standing = standings_.find(machine);
  return standing != standings_.end() && standing->second.in_a_row() >= kTrustedAt &&
         !quarantined_.contains(machine);
}

bool Job::has_trusted_answer(const Item& item) const {
  return std::any_of(item.votes.all().begin(), item.votes.all().end(), [this](const Vote& vote) {
    return is_trusted(vote.machine) && rules_.may_give(vote.numeric_class);
  });
}

// How many agreeing votes are enough for now.
size_t Job::votes_enough(const Item& item) const {
  const bool alone = row_.request().adaptive() && !item.is_check && !item.votes.disputed() &&
                     has_trusted_answer(item);
  return alone ? 1 : row_.request().redundancy();
}

}  // namespace muster::roles::coordinator
