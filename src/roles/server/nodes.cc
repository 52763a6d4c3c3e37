#include "roles/server/nodes.h"

#include <algorithm>

#include "base/check.h"
#include "wire/envelope.h"

namespace muster::roles::server {
namespace {

pb::Envelope to_node(const std::string& machine) {
  return envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
}

bool coordinates(const pb::Hello& hello) { return hello.role_flag() == pb::ROLE_FLAG_COORDINATOR; }

}  // namespace

void Nodes::join(Instant now, const std::string& machine, const pb::Hello& hello,
                 const pb::Holder& holder) {
  const auto [it, is_new] = nodes_.try_emplace(machine);
  MUSTER_CHECK(is_new);
  Node& node = it->second;
  node.hello = hello;
  node.holder = holder;
  node.heard = now;
  node.beat_due = now + kHeartbeatEvery;
  node.order = next_order_++;
  if (coordinates(hello)) coordinators_.insert(machine);
  mark_stale(machine);
}

std::optional<Nodes::Node> Nodes::leave(const std::string& machine) {
  const auto found = nodes_.find(machine);
  if (found == nodes_.end()) return std::nullopt;
  std::optional<Node> node = std::move(found->second);
  timers_.erase({node->timer, machine});
  nodes_.erase(found);
  coordinators_.erase(machine);
  leaving_.erase(machine);
  return node;
}

const Nodes::Node* Nodes::find(const std::string& machine) const {
  const auto found = nodes_.find(machine);
  return found == nodes_.end() ? nullptr : &found->second;
}

bool Nodes::hear(Instant now, const std::string& machine) {
  const auto found = nodes_.find(machine);
  if (found == nodes_.end()) return false;
  found->second.heard = now;
  set_timer(machine, found->second);
  return true;
}

void Nodes::excuse(Instant now) {
  for (auto& [machine, node] : nodes_) {
    node.heard = now;
    set_timer(machine, node);
  }
}

void Nodes::see(const std::string& machine, uint64_t revision) {
  Node& node = nodes_.at(machine);
  node.seen = std::max(node.seen, revision);
  set_timer(machine, node);
}

bool Nodes::note_store(const std::string& machine, const pb::StoreState& state) {
  Node& node = nodes_.at(machine);
  if (state.number() < node.store_state) return false;
  node.store_state = state.number();
  return std::exchange(node.store_problem, state.problem()) != state.problem();
}

bool Nodes::note_leaving(const std::string& machine) {
  MUSTER_CHECK(contains(machine));
  return leaving_.insert(machine).second;
}

void Nodes::mark_all_stale() {
  for (const auto& [machine, node] : nodes_) mark_stale(machine);
}

// Whoever has seen a repeat of the last news has seen it, too.
void Nodes::send_state(Instant now, const std::string& machine, pb::PoolState state, Told told,
                       Effects& effects) {
  Node& node = nodes_.at(machine);
  state.set_revision(next_revision());
  if (told == Told::kNews) node.sent_revision = revision_;
  pb::Envelope envelope = to_node(machine);
  *envelope.mutable_pool_state() = std::move(state);
  effects.send.push_back({std::move(envelope)});
  node.state_due = now + kRepeatEvery;
  set_timer(machine, node);
}

size_t Nodes::unseen() const {
  return static_cast<size_t>(std::count_if(nodes_.begin(), nodes_.end(), [](const auto& entry) {
    return entry.second.seen < entry.second.sent_revision;
  }));
}

std::optional<std::pair<std::string, Nodes::Due>> Nodes::watch(Instant now, Effects& effects) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const std::string machine = timers_.begin()->second;
    Node& node = nodes_.at(machine);
    if (now - node.heard >= kSilence) return std::pair(machine, Due::kIsSilent);
    if (node.beat_due <= now) {
      pb::Envelope beat = to_node(machine);
      beat.mutable_heartbeat();
      effects.send.push_back({std::move(beat)});
      node.beat_due = now + kHeartbeatEvery;
    }
    if (node.seen < node.sent_revision && node.state_due <= now) {
      return std::pair(machine, Due::kHasNotSeen);
    }
    set_timer(machine, node);
  }
  return std::nullopt;
}

void Nodes::wake(Effects& effects) const {
  if (!timers_.empty()) effects.wake_by(timers_.begin()->first);
}

Instant Nodes::due_at(const Node& node) {
  const Instant due = std::min(node.beat_due, node.heard + kSilence);
  return node.seen < node.sent_revision ? std::min(due, node.state_due) : due;
}

void Nodes::set_timer(const std::string& machine, Node& node) {
  timers_.erase({node.timer, machine});
  node.timer = due_at(node);
  timers_.insert({node.timer, machine});
}

void Nodes::check() const {
  size_t timers = 0;
  std::set<std::string> coordinators;
  for (const auto& [machine, node] : nodes_) {
    MUSTER_CHECK(node.sent_revision <= revision_);
    MUSTER_CHECK(node.sent_revision > 0 || stale_.contains(machine));
    if (coordinates(node.hello)) coordinators.insert(machine);
    if (node.timer == Instant{}) continue;  // It has just come.
    MUSTER_CHECK(node.timer == due_at(node));
    MUSTER_CHECK(timers_.contains({node.timer, machine}));
    ++timers;
  }
  MUSTER_CHECK(timers == timers_.size());
  MUSTER_CHECK(coordinators == coordinators_);
  for (const std::string& machine : leaving_) MUSTER_CHECK(contains(machine));
}

}  // namespace muster::roles::server
