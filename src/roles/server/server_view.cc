// The storage view: kept at its count, changed in numbered, committed steps.
#include <algorithm>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

constexpr Duration kCopyWait = seconds(60);  // Longer each time: there may be much to copy.
constexpr Duration kIdleWait = seconds(5);   // For an idle machine to store, before one that works.

bool lists(const google::protobuf::RepeatedPtrField<pb::Member>& list, const std::string& machine) {
  return std::any_of(list.begin(), list.end(),
                     [&](const pb::Member& member) { return member.machine() == machine; });
}

}  // namespace

bool Server::in_view(const std::string& machine) const {
  return lists(view_.members(), machine) || lists(view_.joiners(), machine);
}

// There, or gone for so short a time that it may be a blip. A node back with another store is gone.
bool Server::is_there(Instant now, const pb::Member& member) const {
  const Node* node = nodes_.find(member.machine());
  if (standings_.has_lapsed(now, member.machine())) return false;
  if (node != nullptr) {
    return node->hello.store_id() == member.store_id() && node->store_problem.empty();
  }
  auto gone = gone_since_.find(member.machine());
  return gone != gone_since_.end() && now - gone->second < kSilence;
}

bool Server::may_store(const std::string& machine, const Node& node) const {
  const pb::RoleFlag flag = node.hello.role_flag();
  return (flag == pb::ROLE_FLAG_AUTO || flag == pb::ROLE_FLAG_STORAGE) &&
         node.store_problem.empty() && !node.hello.store_id().empty() && !in_view(machine) &&
         !standings_.is_banished(machine);
}

// Of the idle machines, or of those that are lent: whoever has always done its duty first, then
// storage-only ones, in the order they joined.
std::string Server::next_to_promote(Instant now, bool lent, bool even_lapsed) const {
  std::string best;
  std::tuple<int, int, uint64_t> best_rank{};
  for (const auto& [machine, node] : nodes_.all()) {
    if (!loans_.is_known(machine) || !may_store(machine, node)) continue;
    if (lent == loans_.job_of(machine).empty()) continue;
    if (!even_lapsed && standings_.has_lapsed(now, machine)) continue;
    const int kind = node.hello.role_flag() == pb::ROLE_FLAG_STORAGE ? 0 : 1;
    const std::tuple rank{standings_.lapses(machine), kind, node.order};
    if (best.empty() || rank < best_rank) {
      best = machine;
      best_rank = rank;
    }
  }
  return best;
}

void Server::keep_view(Instant now, Effects& effects) {
  if (view_write_) return;
  if (view_due_ > now) return effects.wake_by(view_due_);
  if (view_doubtful_) return write_view(now, view_being_written_, effects);
  if (in_grace(now)) return effects.wake_by(started_ + kServerGrace);
  watch_joiners(now, effects);
  pb::View next;
  std::string lost;
  for (const auto& member : view_.members()) {
    is_there(now, member) ? void(*next.add_members() = member) : void(lost = member.machine());
  }
  for (const auto& joiner : view_.joiners()) {
    is_there(now, joiner) ? void(*next.add_joiners() = joiner) : void(lost = joiner.machine());
  }
  for (const auto& [machine, since] : gone_since_) {
    if (since + kSilence > now) effects.wake_by(since + kSilence);
  }
  const auto count = static_cast<uint32_t>(next.members_size() + next.joiners_size());
  if (!lost.empty()) {
    effects.warn("storage node " + short_id(lost) + " is down and leaves the view");
    return write_view(now, std::move(next), effects);
  }
  // One joiner at a time: the second copies from the first.
  if (count >= options_.storage_nodes || next.joiners_size() > 0) {
    short_since_.reset();
    retiring_.clear();
    return;
  }
  std::string newcomer = next_to_promote(now, false);
  // Without any store nothing is acknowledged: whoever is there becomes one at once.
  if (newcomer.empty() && count == 0) newcomer = next_to_promote(now, true);
  // Nor is one that has not done its duty worse than none.
  for (bool lent : {false, true}) {
    if (newcomer.empty() && count == 0) newcomer = next_to_promote(now, lent, true);
  }
  if (newcomer.empty()) return retire_one(now, effects);
  if (standings_.has_lapsed(now, newcomer)) standings_.end_lapse(now, newcomer);
  auto* joiner = next.add_joiners();
  joiner->set_machine(newcomer);
  joiner->set_store_id(nodes_.find(newcomer)->hello.store_id());
  joiner->set_since(view_.number() + 1);
  effects.note("machine " + short_id(newcomer) + " becomes a storage node");
  write_view(now, std::move(next), effects);
}

// A joiner that does not copy makes room for another.
void Server::watch_joiners(Instant now, Effects& effects) {
  if (view_.joiners().empty()) return;
  if (!joining_since_) joining_since_ = now;  // It joined before this process began.
  const std::string& machine = view_.joiners(0).machine();
  const int doublings = std::min(standings_.lapses(machine), 6);
  const Instant due = *joining_since_ + kCopyWait * (1 << doublings);
  if (now < due) return effects.wake_by(due);
  standings_.note_lapse(now, machine, "has not copied what the others hold", effects);
}

// One joiner's word may be as wrong as the member: it gives way to another. When that says the same
// it is the member.
void Server::on_silent_source(Instant now, const std::string& joiner, const pb::SilentStore& silent,
                              Effects& effects) {
  const std::string& member = silent.machine();
  if (!lists(view_.joiners(), joiner) || !lists(view_.members(), member)) return;
  not_served_[member].insert(joiner);
  if (not_served_[member].size() < 2) return;
  MUSTER_PROBE("a member that lets nobody copy leaves the view");
  not_served_.erase(member);
  standings_.note_lapse(now, member, "lets no other store copy what it has", effects);
}

// No machine is idle: after a while one that is lent works off its leases and is idle then.
void Server::retire_one(Instant now, Effects& effects) {
  if (!short_since_) short_since_ = now;
  const Node* chosen = nodes_.find(retiring_);
  if (chosen != nullptr && may_store(retiring_, *chosen)) return;
  if (now < *short_since_ + kIdleWait) return effects.wake_by(*short_since_ + kIdleWait);
  retiring_ = next_to_promote(now, true);
  if (retiring_.empty()) return;
  MUSTER_PROBE("a lent machine is to become a storage node");
  effects.note("machine " + short_id(retiring_) +
               " is to become a storage node once its leases end");
  auto job = jobs_.find(loans_.job_of(retiring_));
  if (job != jobs_.end()) send_lend(now, job->second, effects);
}

// One that can be written again is taken again; if it cannot once more, after a while, and longer
// each time: every change of the view costs everybody something.
void Server::on_store_state(Instant now, const std::string& machine, const pb::StoreState& state,
                            Effects& effects) {
  if (!nodes_.note_store(machine, state)) return;
  nodes_.mark_stale(machine);
  if (!state.problem().empty()) {
    effects.warn("machine " + short_id(machine) + " cannot store: " + state.problem());
    standings_.note_store_problem(now, machine, state.problem());
  }
}

void Server::on_copied(Instant now, const std::string& machine, const pb::Copied& copied,
                       Effects& effects) {
  if (view_write_ || view_doubtful_ || view_due_ > now || copied.view() != view_.number() ||
      !lists(view_.joiners(), machine))
    return;
  not_served_.clear();
  pb::View next;
  *next.mutable_members() = view_.members();
  for (const auto& joiner : view_.joiners()) {
    *(joiner.machine() == machine ? next.add_members() : next.add_joiners()) = joiner;
  }
  effects.note("storage node " + short_id(machine) + " holds a copy; copies " +
               std::to_string(next.members_size()) + " of " +
               std::to_string(options_.storage_nodes));
  write_view(now, std::move(next), effects);
}

void Server::write_view(Instant, pb::View view, Effects& effects) {
  view.set_number(view_.number() + 1);
  view_being_written_ = view;
  view_write_ = write_ids_.next();
  effects.persist.push_back({*view_write_, SaveView{std::move(view)}});
}

// A view whose outcome is unknown is written until it is there: nothing else may take its number.
void Server::on_view_stored(Instant now, const Stored& stored, Effects& effects) {
  view_write_.reset();
  if (stored.outcome != Outcome::kDone) {
    MUSTER_PROBE("a view could not be committed");
    effects.warn("the view could not be committed: " + stored.why);
    view_doubtful_ |= stored.outcome == Outcome::kUnknown;
    view_due_ = now + kRepeatEvery;
    return;
  }
  view_doubtful_ = false;
  const bool joins = !view_being_written_.joiners().empty();
  const bool same_joiner =
      joins && lists(view_.joiners(), view_being_written_.joiners(0).machine());
  if (!same_joiner) joining_since_ = joins ? std::optional(now) : std::nullopt;
  view_ = std::move(view_being_written_);
  std::erase_if(gone_since_, [this](const auto& entry) { return !in_view(entry.first); });
  nodes_.mark_all_stale();
}

}  // namespace muster::roles::server
