#include "sim/world.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "host/frozen_tasks.h"
#include "sim/process.h"
#include "wire/authority.h"
#include "wire/envelope.h"
#include "wire/keys.h"

namespace muster::sim {
namespace {

constexpr const char* kWorld = "world";  // As a client, by this name.

// What a later version might say more: every message and its body have a field that nobody knows.
void add_unknown_fields(pb::Envelope& envelope) {
  const auto* reflection = pb::Envelope::GetReflection();
  reflection->MutableUnknownFields(&envelope)->AddVarint(4242, 7);
  const auto* which = pb::Envelope::GetDescriptor()->FindOneofByName("body");
  if (!reflection->HasOneof(envelope, which)) return;
  auto* body =
      reflection->MutableMessage(&envelope, reflection->GetOneofFieldDescriptor(envelope, which));
  body->GetReflection()->MutableUnknownFields(body)->AddLengthDelimited(4243, "later");
}

}  // namespace

Node::Node() = default;
Node::~Node() = default;

bool Node::stores() const { return wire::may_speak_as(pb::ROLE_STORAGE, flag); }
bool Node::computes() const { return wire::may_speak_as(pb::ROLE_WORKER, flag); }
Instant Node::local(Instant now) const {
  const int64_t since = now.time_since_epoch().count();
  return Instant(Duration(since + since / 1'000'000 * clock_drift_ppm));
}

World::World(uint64_t seed, Observer& observer)
    : rng(seed), freeze(host::freeze_tasks), observer_(observer) {}
World::~World() = default;

Node& World::add(const std::string& name, pb::RoleFlag flag, const std::string& key_of) {
  auto& slot = nodes_[name];
  MUSTER_CHECK(!slot);
  slot = std::make_unique<Node>();
  slot->name = name;
  slot->flag = flag;
  slot->keys = std::make_unique<HashKeys>(keys_of(key_of.empty() ? name : key_of));
  if (name == "server") {
    server_ = slot.get();
    slot->database.pool.set_pool("pool");
    return *slot;
  }
  slot->machine = wire::machine_id(slot->keys->public_key());
  slot->records.wipe("store-" + name);
  by_machine_.try_emplace(slot->machine, slot.get());
  return *slot;
}

Node* World::find(const std::string& machine) const {
  auto found = by_machine_.find(machine);
  return found == by_machine_.end() ? nullptr : found->second;
}

void World::start(Node& node) {
  MUSTER_CHECK(!node.process);
  ++node.life;
  node.started = now();
  node.wake.reset();
  if (node.is_server()) ++node.database.pool_epoch;
  node.process = std::make_unique<Process>(*this, node);
  observer_.on_started(node);
  if (!node.is_server()) return lines.open_soon(node);
  in_process(node, node.life, [this, &node](Process& process) {
    process.driver().deliver(node.local(now()), pb::ROLE_SERVER, roles::Tick{});
  });
}

void World::start_and_connect_now(Node& node) {
  const bool reconnects_by_itself = std::exchange(lines.reconnect, false);
  start(node);
  lines.reconnect = reconnects_by_itself;
  if (!node.is_server()) lines.open(node);
}

void World::kill(Node& node) {
  if (!node.process) return;
  if (!node.is_server()) lines.close(node);
  ++node.life;
  node.paused = false;
  node.backlog.clear();
  node.stalled.clear();
  node.process.reset();
  observer_.on_ended(node);
  if (node.is_server()) lines.close_all();
}

void World::leave(Node& node, Duration at_most) {
  if (!node.process) return;
  const auto end = [this, &node, life = node.life] {
    if (node.life == life) kill(node);
  };
  agenda.in(at_most, end);
  in_process(node, node.life, [this, end](Process& process) {
    process.driver().leave(now(), [this, end] { agenda.in({}, end); });
  });
}

void World::pause(Node& node) {
  node.paused = node.process != nullptr;
  ++node.pauses;
}

bool World::server_knows(const Node& node) {
  pb::Envelope ask = wire::envelope_to_server();
  *ask.mutable_from() = wire::address(pb::ROLE_CLIENT, kWorld);
  ask.mutable_holder()->set_role(pb::POOL_ROLE_OPERATOR);
  ask.mutable_get_status();
  Node& server = *server_;
  if (!server.process) return false;
  server_status_.Clear();
  server.process->driver().receive(server.local(now()), ask);
  return std::any_of(server_status_.machines().begin(), server_status_.machines().end(),
                     [&](const pb::Machine& machine) { return machine.machine() == node.machine; });
}

void World::hang_disk(Node& node, bool hangs) {
  node.disk.hangs = hangs;
  if (hangs) return;
  for (auto& what : std::exchange(node.stalled, {})) what();
}

void World::resume(Node& node) {
  if (!std::exchange(node.paused, false)) return;
  for (auto& what : std::exchange(node.backlog, {})) what();
}

void World::in_process(Node& node, uint64_t life, std::function<void(Process&)> what) {
  if (!node.process || node.life != life) return;
  if (node.paused) {
    node.backlog.push_back([this, &node, life, what = std::move(what)]() mutable {
      in_process(node, life, std::move(what));
    });
    return;
  }
  around_step ? around_step(node, [&] { what(*node.process); }) : what(*node.process);
  schedule_wake(node);
}

void World::in_process_after(Node& node, Duration delay, std::function<void(Process&)> what) {
  agenda.in(delay, [this, &node, life = node.life, what = std::move(what)]() mutable {
    in_process(node, life, std::move(what));
  });
}

void World::schedule_wake(Node& node) {
  if (!node.process) return;
  const auto local = node.process->driver().wake_at();
  if (!local) return;
  // Clocks drift by a few per cent at most: looking again a little late is soon enough.
  const Duration ahead = std::max(Duration(0), *local - node.local(now()));
  const Instant at = now() + ahead;
  if (node.wake && *node.wake <= at) return;
  node.wake = at;
  agenda.at(at, [this, &node, life = node.life, at] {
    if (node.wake != at || node.life != life) return;
    node.wake.reset();
    in_process(node, life,
               [this, &node](Process& process) { process.driver().tick(node.local(now())); });
  });
}

void World::send(Node& from, pb::Envelope envelope) {
  if (from.version == "newer") add_unknown_fields(envelope);
  observer_.on_send(from, envelope);
  if (!from.is_server()) return lines.say(from, std::move(envelope));
  const pb::Address& to = envelope.to();
  const bool to_itself = to.role() == pb::ROLE_CLIENT && to.machine() == kWorld;
  if (!to_itself) return lines.tell(std::move(envelope));
  server_status_ = envelope.pool_status();
}

}  // namespace muster::sim
