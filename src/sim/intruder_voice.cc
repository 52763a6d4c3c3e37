#include "sim/intruder_voice.h"

#include <algorithm>

#include "wire/envelope.h"
#include "wire/line_rules.h"

namespace muster::sim {
namespace {

constexpr size_t kMostLeases = 64;

}  // namespace

Voice::Voice(World& world, Node& node, const Overheard& overheard, std::vector<Act> acts,
             bool careful, Rng rng)
    : world_(world),
      node_(node),
      overheard_(overheard),
      acts_(std::move(acts)),
      rng_(rng),
      careful_(careful) {}

bool Voice::does(Act act) const {
  return std::find(acts_.begin(), acts_.end(), act) != acts_.end();
}

void Voice::say(pb::Role as, pb::Role to_role, const std::string& to, pb::Envelope envelope) {
  envelope.mutable_from()->set_role(as);
  *envelope.mutable_to() = wire::address(to_role, to);
  if (!has_line() || (careful_ && !passes(envelope))) return;
  world_.send(node_, std::move(envelope));
}

// As it is, or by the other of its roles.
bool Voice::passes(pb::Envelope& envelope) const {
  for (const pb::Role as : {envelope.from().role(), pb::ROLE_WORKER, pb::ROLE_STORAGE}) {
    envelope.mutable_from()->set_role(as);
    if (wire::judge(envelope, node_.flag).passes) return true;
  }
  return false;
}

void Voice::say_to_server(pb::Envelope envelope) {
  const pb::Role as = rng_.below(3) == 0 ? pb::ROLE_COORDINATOR : pb::ROLE_WORKER;
  pb::Envelope also = envelope;
  say(as, pb::ROLE_SERVER, "", std::move(envelope));
  if (as == pb::ROLE_COORDINATOR) say(pb::ROLE_STORAGE, pb::ROLE_SERVER, "", std::move(also));
}

void Voice::say_to_stores(const std::function<void(pb::Envelope&)>& fill) {
  for (const auto* list : {&overheard_.view().members(), &overheard_.view().joiners()}) {
    for (const pb::Member& store : *list) {
      if (store.machine() == node_.machine) continue;
      pb::Envelope envelope;
      fill(envelope);
      say(pb::ROLE_STORAGE, pb::ROLE_STORAGE, store.machine(), std::move(envelope));
    }
  }
}

void Voice::say_to_all(pb::Role role, const std::function<void(pb::Envelope&)>& fill) {
  for (const auto& [name, other] : world_.nodes()) {
    if (other->is_server() || other.get() == &node_) continue;
    const bool coordinator = other->flag == pb::ROLE_FLAG_COORDINATOR;
    if (role != pb::ROLE_UNSPECIFIED && coordinator != (role == pb::ROLE_COORDINATOR)) continue;
    pb::Envelope envelope;
    fill(envelope);
    say(pb::ROLE_WORKER, role, other->machine, std::move(envelope));
  }
}

void Voice::put(pb::Role as, const std::vector<pb::SignedRecord>& records) {
  if (records.empty()) return;
  for (const auto* list : {&overheard_.view().members(), &overheard_.view().joiners()}) {
    for (const pb::Member& store : *list) {
      pb::Envelope envelope;
      envelope.mutable_put()->set_view(overheard_.view().number());
      for (const auto& record : records) *envelope.mutable_put()->add_records() = record;
      say(as, pb::ROLE_STORAGE, store.machine(), std::move(envelope));
    }
  }
}

void Voice::say_later(Duration delay, const pb::Envelope& envelope) {
  world_.agenda.in(delay, [this, envelope] {
    if (has_line()) world_.send(node_, envelope);
  });
}

const Node& Voice::anybody() {
  const auto which = static_cast<std::ptrdiff_t>(rng_.below(world_.nodes().size()));
  return *std::next(world_.nodes().begin(), which)->second;
}

HashKeys Voice::made_up_keys() {
  return keys_of(node_.name + " made up " + std::to_string(made_up_++ % 8));
}

void OwnLeases::note(const pb::Envelope& envelope) {
  if (!envelope.has_grant()) return;
  leases_.push_back({envelope.from().machine(), envelope.grant()});
  if (leases_.size() > kMostLeases) leases_.erase(leases_.begin());
}

}  // namespace muster::sim
