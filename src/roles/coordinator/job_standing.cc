// Whose answers a job believes: who agreed with others, who was outvoted, who may answer alone.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
// A vote on an item that is settled, whenever it came: it agrees with the value, or its machine was
// outvoted. Where one vote was enough there is nobody to be outvoted by.
void Job::judge(Instant now, const Item& item, const Vote& vote, Effects& effects) {
  const uint32_t index = item.index();
  if (item.votes_at_settling < 2 || standings_.has_judged(index, vote.machine)) return;
  if (agree(item.value, vote)) {
    return standings_.on_agreed(index, vote.machine, earns_trust(item, vote));
  }
  charge(now, item, vote, effects);
}

// Whoever stores answers could have copied them; an answer before all others is its own.
bool Job::earns_trust(const Item& item, const Vote& vote) const {
  if (item.is_first(vote.machine) || !feeds_.was_member(vote.machine)) return true;
  MUSTER_PROBE("an answer that could have been copied earns no trust");
  return false;
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
      if (item.is_settled() || !items_.distrust(item.index(), machine)) continue;
      recount(item);
      if (phase_ == Phase::kRunning) {
        settle_if_agreed(now, item, row_.request().redundancy(), effects);
      }
    }
  }
}

void Job::refresh_votes_of(const std::string& machine) {
  if (!row_.request().adaptive()) return;
  items_.refresh_votes_of(machine);
  work_changed_ = true;
}

bool Job::has_trusted_answer(const Item& item) const {
  return std::any_of(item.votes.all().begin(), item.votes.all().end(), [this](const Vote& vote) {
    return standings_.is_trusted(vote.machine) && items_.rules().may_give(vote.numeric_class);
  });
}

// How many agreeing votes are enough for now.
size_t Job::votes_enough(const Item& item) const {
  const bool alone = row_.request().adaptive() && !item.is_check && !item.votes.disputed() &&
                     has_trusted_answer(item);
  return alone ? 1 : row_.request().redundancy();
}

}  // namespace muster::roles::coordinator
