#include "roles/server/storage_view.h"

#include "roles/server/leaving.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/probe.h"
#include "wire/authority.h"
#include "wire/short_id.h"

namespace muster::roles::server {
namespace {

bool lists(const google::protobuf::RepeatedPtrField<pb::Member>& list, const std::string& machine) {
  return std::any_of(list.begin(), list.end(),
                     [&](const pb::Member& member) { return member.machine() == machine; });
}

void remove(const std::string& machine, pb::View& view) {
  auto& members = *view.mutable_members();
  members.erase(std::remove_if(members.begin(), members.end(),
                               [&](const auto& member) { return member.machine() == machine; }),
                members.end());
}

}  // namespace

std::vector<std::string> StorageView::machines() const {
  std::vector<std::string> machines;
  for (const pb::Member& member : view_.members()) machines.push_back(member.machine());
  for (const pb::Member& joiner : view_.joiners()) machines.push_back(joiner.machine());
  return machines;
}

bool StorageView::contains(const std::string& machine) const {
  return lists(view_.members(), machine) || is_joining(machine);
}

bool StorageView::is_joining(const std::string& machine) const {
  return lists(view_.joiners(), machine);
}

std::string StorageView::describe(const std::string& machine) const {
  return is_joining(machine) ? "joining storage" : lists(view_.members(), machine) ? "storage" : "";
}

void StorageView::note_gone(const std::string& machine, Instant heard) {
  if (contains(machine)) gone_since_[machine] = heard;
}

void StorageView::excuse(Instant now) {
  for (auto& [machine, since] : gone_since_) since = std::max(since, now - kHeartbeatEvery);
}

// There, or gone for so short a time that it may be a blip. A node back with another store is gone.
bool StorageView::is_there(Instant now, const pb::Member& member) const {
  if (pool_.standings.has_lapsed(now, member.machine())) return false;
  if (const Nodes::Node* node = pool_.nodes.find(member.machine())) {
    return node->hello.store_id() == member.store_id() && node->store_problem.empty();
  }
  const auto gone = gone_since_.find(member.machine());
  return gone != gone_since_.end() && now - gone->second < kSilence;
}

pb::View StorageView::still_there(Instant now, std::string& lost) const {
  pb::View next;
  for (const auto& member : view_.members()) {
    is_there(now, member) ? void(*next.add_members() = member) : void(lost = member.machine());
  }
  for (const auto& joiner : view_.joiners()) {
    const bool stays = is_there(now, joiner) && !is_leaving(joiner.machine());
    stays ? void(*next.add_joiners() = joiner) : void(lost = joiner.machine());
  }
  return next;
}

// One that is needed no more: who is leaving first, else the latest, where somebody who was leaving
// has come back. Empty: there is none.
std::string StorageView::one_to_let_go(const pb::View& next) const {
  std::string leaving, latest;
  uint32_t staying = 0;
  for (const pb::Member& member : next.members()) {
    if (is_leaving(member.machine())) {
      leaving = member.machine();
    } else {
      ++staying;
      latest = member.machine();
    }
  }
  if (staying >= wanted_ && !leaving.empty()) return leaving;
  return staying > wanted_ ? latest : "";
}

bool StorageView::is_leaving(const std::string& machine) const {
  return server::is_leaving(pool_.nodes, pool_.standings, machine);
}

bool StorageView::may_leave(Instant now, const std::string& machine) const {
  if (!contains(machine)) return true;
  if (is_joining(machine) || !pending_.empty()) return false;  // It is taken out at once.
  return view_.joiners().empty() && best(now, Among::kIdle).empty() &&
         best(now, Among::kLent).empty();
}

bool StorageView::may_store(const std::string& machine, const Nodes::Node& node) const {
  return may_speak_as(pb::ROLE_STORAGE, node.hello.role_flag()) && node.store_problem.empty() &&
         !node.hello.store_id().empty() && !contains(machine) &&
         !pool_.standings.is_banished(machine) && !is_leaving(machine);
}

// Whoever has always done its duty first, then storage-only ones, in the order they joined.
std::string StorageView::best(Instant now, Among among, bool even_lapsed) const {
  std::string best;
  std::tuple<int, int, uint64_t> best_rank{};
  for (const auto& [machine, node] : pool_.nodes.all()) {
    if (!pool_.loans.is_known(machine) || !may_store(machine, node)) continue;
    if (pool_.loans.job_of(machine).empty() != (among == Among::kIdle)) continue;
    if (!even_lapsed && pool_.standings.has_lapsed(now, machine)) continue;
    const int kind = node.hello.role_flag() == pb::ROLE_FLAG_STORAGE ? 0 : 1;
    const std::tuple rank{pool_.standings.lapses(machine), kind, node.order};
    if (best.empty() || rank < best_rank) {
      best = machine;
      best_rank = rank;
    }
  }
  return best;
}

// Without any store nothing is acknowledged: whoever is there becomes one at once. Nor is one that
// has not done its duty worse than none.
std::string StorageView::choose(Instant now, bool has_none) const {
  std::string chosen = best(now, Among::kIdle);
  if (!has_none) return chosen;
  if (chosen.empty()) chosen = best(now, Among::kLent);
  if (chosen.empty()) chosen = best(now, Among::kIdle, true);
  if (chosen.empty()) chosen = best(now, Among::kLent, true);
  return chosen;
}

bool StorageView::may_change(Instant now, Effects& effects) {
  pending_.keep(now, effects);
  if (!pending_.empty()) return false;
  for (const Instant due : {due_, keep_from_}) {
    if (due <= now) continue;
    effects.wake_by(due);
    return false;
  }
  return true;
}

std::string StorageView::keep(Instant now, Effects& effects) {
  if (!may_change(now, effects)) return "";
  watch_joiner(now, effects);
  std::string lost;
  pb::View next = still_there(now, lost);
  for (const auto& [machine, since] : gone_since_) {
    if (since + kSilence > now) effects.wake_by(since + kSilence);
  }
  if (!lost.empty()) {
    effects.warn("storage node " + short_id(lost) + " is down and leaves the view",
                 {.machine = lost});
    write(std::move(next), effects);
    return "";
  }
  if (const std::string unneeded = one_to_let_go(next); !unneeded.empty()) {
    if (is_leaving(unneeded)) {
      MUSTER_PROBE("a store that is leaving has been replaced");
      effects.note("storage node " + short_id(unneeded) + " is leaving; others hold its copy");
    } else {
      MUSTER_PROBE("a store is one too many");
      effects.note("storage node " + short_id(unneeded) +
                   " is one more than is wanted; it may compute again");
    }
    remove(unneeded, next);
    write(std::move(next), effects);
    return "";
  }
  // One joiner at a time: the second copies from the first.
  const auto count = static_cast<uint32_t>(next.members_size() + next.joiners_size());
  const auto leaving = static_cast<uint32_t>(
      std::count_if(next.members().begin(), next.members().end(),
                    [&](const pb::Member& member) { return is_leaving(member.machine()); }));
  if (count - leaving >= wanted_ || next.joiners_size() > 0) {
    short_since_.reset();
    retiring_.clear();
    return "";
  }
  if (now < search_from_) {
    effects.wake_by(search_from_);
    return "";
  }
  const std::string newcomer = choose(now, count == 0);
  if (newcomer.empty()) {
    search_from_ = now + kSearchEvery;
    effects.wake_by(search_from_);
    return retire_one(now, effects);
  }
  if (pool_.standings.has_lapsed(now, newcomer)) pool_.standings.end_lapse(now, newcomer);
  auto* joiner = next.add_joiners();
  joiner->set_machine(newcomer);
  joiner->set_store_id(pool_.nodes.find(newcomer)->hello.store_id());
  joiner->set_since(view_.number() + 1);
  effects.note("machine " + short_id(newcomer) + " becomes a storage node", {.machine = newcomer});
  write(std::move(next), effects);
  return "";
}

void StorageView::watch_joiner(Instant now, Effects& effects) {
  if (view_.joiners().empty()) return;
  if (!joining_since_) joining_since_ = now;  // It joined before this process began.
  const std::string& machine = view_.joiners(0).machine();
  const int doublings = std::min(pool_.standings.lapses(machine), 6);
  const Instant due = *joining_since_ + kCopyWait * (1 << doublings);
  if (now < due) return effects.wake_by(due);
  pool_.standings.note_lapse(now, machine, "has not copied what the others hold", effects);
}

void StorageView::on_silent_source(Instant now, const std::string& joiner,
                                   const std::string& member, Effects& effects) {
  if (!is_joining(joiner) || !lists(view_.members(), member)) return;
  not_served_[member].insert(joiner);
  if (not_served_[member].size() < 2) return;
  MUSTER_PROBE("a member that lets nobody copy leaves the view");
  not_served_.erase(member);
  pool_.standings.note_lapse(now, member, "lets no other store copy what it has", effects);
}

// No machine is idle: after a while one that is lent works off its leases and is idle then.
std::string StorageView::retire_one(Instant now, Effects& effects) {
  if (!short_since_) short_since_ = now;
  const Nodes::Node* chosen = pool_.nodes.find(retiring_);
  if (chosen != nullptr && may_store(retiring_, *chosen)) return "";
  if (now < *short_since_ + kIdleWait) {
    effects.wake_by(*short_since_ + kIdleWait);
    return "";
  }
  retiring_ = best(now, Among::kLent);
  if (retiring_.empty()) return "";
  MUSTER_PROBE("a lent machine is to become a storage node");
  effects.note(
      "machine " + short_id(retiring_) + " is to become a storage node once its leases end",
      {.machine = retiring_});
  return retiring_;
}

void StorageView::on_caught_up(Instant now, const std::string& machine, const pb::CaughtUp& copied,
                               Effects& effects) {
  const bool may_change = pending_.empty() && due_ <= now;
  if (!may_change || copied.view() != view_.number() || !is_joining(machine)) return;
  not_served_.clear();
  pb::View next;
  *next.mutable_members() = view_.members();
  for (const auto& joiner : view_.joiners()) {
    *(joiner.machine() == machine ? next.add_members() : next.add_joiners()) = joiner;
  }
  effects.note("storage node " + short_id(machine) + " holds a copy; copies " +
                   std::to_string(next.members_size()) + " of " + std::to_string(wanted_),
               {.machine = machine});
  write(std::move(next), effects);
}

void StorageView::write(pb::View view, Effects& effects) {
  MUSTER_CHECK(pending_.empty());
  view.set_number(view_.number() + 1);
  pending_.write(std::move(view), effects);
}

StorageView::Written StorageView::settle(Instant now, const Stored& stored, Effects& effects) {
  auto settled = pending_.settle(now, stored);
  if (!settled) return Written::kNotAView;
  if (settled->outcome != Outcome::kDone) {
    MUSTER_PROBE("a view could not be committed");
    effects.warn("the view could not be committed: " + stored.why);
    if (settled->outcome == Outcome::kFailed) due_ = now + kRepeatEvery;
    return Written::kNotYet;
  }
  const auto& joiners = settled->row->joiners();
  const bool same_joiner = !joiners.empty() && is_joining(joiners[0].machine());
  if (!same_joiner) joining_since_ = joiners.empty() ? std::nullopt : std::optional(now);
  view_ = std::move(*settled->row);
  std::erase_if(gone_since_, [this](const auto& entry) { return !contains(entry.first); });
  return Written::kNewView;
}

void StorageView::check() const {
  std::set<std::string> machines;
  for (const auto& member : view_.members()) MUSTER_CHECK(machines.insert(member.machine()).second);
  for (const auto& joiner : view_.joiners()) MUSTER_CHECK(machines.insert(joiner.machine()).second);
  for (const auto& [machine, since] : gone_since_) MUSTER_CHECK(machines.contains(machine));
  MUSTER_CHECK(pending_.size() <= 1);
  MUSTER_CHECK(!view_.joiners().empty() || !joining_since_);
  MUSTER_CHECK(retiring_.empty() || short_since_);
}

}  // namespace muster::roles::server
