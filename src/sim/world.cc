#include "sim/world.h"

#include <algorithm>

#include "base/check.h"
#include "base/probe.h"
#include "eval/task.h"
#include "roles/message.h"
#include "sim/process.h"
#include "wire/line_rules.h"

namespace muster::sim {
namespace {

constexpr Duration kFirstRetry = milliseconds(200);
constexpr Duration kSlowestRetry = seconds(5);
constexpr Duration kLatest = seconds(20);
constexpr size_t kLongestEnvelope = 4u << 20;
constexpr size_t kMostOnItsWay = 64u << 20;

pb::RoleFlag said_flag(const Node& node) {
  return node.says_flag == pb::ROLE_FLAG_UNSPECIFIED ? node.flag : node.says_flag;
}

Result<std::shared_ptr<const roles::FrozenTasks>> freeze_real_tasks(const pb::JobRequest& request) {
  auto tasks = std::make_shared<roles::FrozenTasks>();
  for (const std::string& name : request.tasks()) {
    MUSTER_TRY(const eval::Task* task, eval::find_task(name));
    tasks->push_back({.task = name, .version = task->version, .documents = task->documents});
    MUSTER_TRY(tasks->back().items, eval::build_items(*task, {request.limit(), std::nullopt}));
  }
  return tasks;
}

}  // namespace

Node::Node() = default;
Node::~Node() = default;

bool Node::stores() const { return flag == pb::ROLE_FLAG_AUTO || flag == pb::ROLE_FLAG_STORAGE; }
bool Node::computes() const { return flag == pb::ROLE_FLAG_AUTO || flag == pb::ROLE_FLAG_COMPUTE; }
Instant Node::local(Instant now) const {
  const int64_t since = now.time_since_epoch().count();
  return Instant(Duration(since + since / 1'000'000 * clock_drift_ppm));
}

World::World(uint64_t seed, Observer& observer)
    : rng(seed), freeze(freeze_real_tasks), to_client([](auto&, auto&) {}), observer_(observer) {}
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
  slot->machine = roles::machine_id(slot->keys->public_key());
  slot->records.wipe("store-" + name);
  by_machine_.try_emplace(slot->machine, slot.get());
  return *slot;
}

Node* World::find(const std::string& machine) const {
  auto found = by_machine_.find(machine);
  return found == by_machine_.end() ? nullptr : found->second;
}

Duration World::uniform(Duration below) {
  return Duration(static_cast<int64_t>(rng.below(static_cast<uint64_t>(below.count()))));
}

// Draws nothing for what never happens: more traffic does not make other luck then.
bool World::happens(uint32_t per_mille) { return per_mille > 0 && rng.below(1000) < per_mille; }

Duration World::delay(const Node* node) {
  const Duration jitter = weather.jitter + (node == nullptr ? Duration() : node->line_jitter);
  return weather.least_delay + (jitter == Duration() ? Duration() : uniform(jitter));
}

void World::start(Node& node) {
  MUSTER_CHECK(!node.process);
  ++node.life;
  node.started = now();
  node.wake.reset();
  if (node.is_server()) ++node.database.pool_epoch;
  node.process = std::make_unique<Process>(*this, node);
  observer_.on_started(node);
  if (!node.is_server()) return retry_connect(node, {});
  in_process(node, node.life, [this, &node](Process& process) {
    process.driver().deliver(node.local(now()), pb::ROLE_SERVER, roles::Tick{});
  });
}

void World::start_and_connect_now(Node& node) {
  const bool reconnects_by_itself = std::exchange(reconnects, false);
  start(node);
  reconnects = reconnects_by_itself;
  if (!node.is_server()) connect(node);
}

void World::kill(Node& node) {
  if (!node.process) return;
  if (!node.is_server()) close_line(node);
  ++node.life;
  node.paused = false;
  node.backlog.clear();
  node.stalled.clear();
  node.process.reset();
  observer_.on_ended(node);
  if (!node.is_server()) return;
  for (auto& [name, other] : nodes_) {
    other->admitted = 0;
    close_line(*other);
  }
}

void World::pause(Node& node) {
  node.paused = node.process != nullptr;
  ++node.pauses;
}

bool World::server_knows(const Node& node) {
  pb::Envelope ask = roles::envelope_to_server();
  *ask.mutable_from() = roles::address(pb::ROLE_CLIENT, "world");
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
  what(*node.process);
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

// ---- Lines.

void World::connect(Node& node) {
  Node& server = *server_;
  if (!node.process || node.session != 0) return;
  if (!server.process || server.paused || node.cut_up || node.cut_down) {
    return retry_connect(node, kSlowestRetry);
  }
  node.session = next_session_++;
  roles::NodeJoined joined{node.machine, {}};
  joined.hello.set_role_flag(said_flag(node));
  joined.hello.set_owner(node.owner);
  joined.hello.set_version(node.version);
  joined.hello.set_instance(node.name + " " + std::to_string(node.life));
  if (node.stores()) joined.hello.set_store_id(node.records.store_id());
  tell_line(node, roles::LineUp{});
  node.hello_arrives = now() + delay(&node);
  agenda.at(node.hello_arrives,
            [this, &node, session = node.session, life = server.life, joined = std::move(joined)] {
              in_process(*server_, life, [this, &node, session, joined](Process&) {
                admit(node, session, joined);
              });
            });
}

// One line a machine: the one whose Hello came last. Should that be an older one, the node's own
// closes, and it connects again.
void World::admit(Node& node, uint64_t session, const roles::NodeJoined& joined) {
  const uint64_t before = std::exchange(node.admitted, session);
  Node*& known = by_machine_[node.machine];
  if (Node* twin = std::exchange(known, &node); twin != &node && twin->admitted != 0) {
    twin->admitted = 0;  // Of two with one key the newer line is the machine's.
    close_line(*twin);
  }
  server_->process->driver().deliver(server_->local(now()), pb::ROLE_SERVER, joined);
  if (before != 0 && before == node.session) close_line(node);
}

void World::retry_connect(Node& node, Duration pause) {
  if (!reconnects) return;
  const auto wait = pause == Duration() ? pause : uniform(pause) + Duration(1);
  agenda.in(wait, [this, &node, life = node.life] {
    if (node.life == life) connect(node);
  });
}

// Both ends see the line close, each if the close reaches it; the server no sooner than the Hello.
void World::close_line(Node& node) {
  const uint64_t session = std::exchange(node.session, 0);
  if (session == 0) return;
  node.up = node.down = {};
  tell_line(node, roles::LineDown{});
  if (server_->process && !node.cut_up && session != node.dead_session) {
    const Instant arrives = std::max(now() + delay(&node), node.hello_arrives);
    agenda.at(arrives, [this, &node, session, life = server_->life] {
      in_process(*server_, life, [this, &node, session](Process& process) {
        if (node.admitted != session) return;  // Another line is there: nobody left.
        node.admitted = 0;
        process.driver().deliver(server_->local(now()), pb::ROLE_SERVER,
                                 roles::NodeLeft{node.machine});
      });
    });
  }
  retry_connect(node, kFirstRetry);
}

// The server closes a line. The node learns it as soon as anything passes.
void World::refuse(Node& node) {
  node.refused = std::exchange(node.admitted, 0);
  learn_of_refusal(node, node.refused);
}

void World::learn_of_refusal(Node& node, uint64_t session) {
  agenda.in(kFirstRetry + delay(&node), [this, &node, session] {
    if (node.session != session) return;
    if (session == node.dead_session) return;
    node.cut_down ? learn_of_refusal(node, session) : close_line(node);
  });
}

void World::tell_line(Node& node, roles::Event event) {
  in_process_after(node, {}, [&node, this, event](Process& process) {
    for (pb::Role role : {pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
      process.driver().deliver(node.local(now()), role, event);
    }
  });
}

// ---- Envelopes: a star.

pb::Envelope World::taken(const Travelling& envelope) {
  return envelope.use_count() == 1 ? std::move(*envelope) : *envelope;
}

void World::receive(Node& node, Travelling envelope) {
  in_process(node, node.life,
             [&node, this, envelope = std::move(envelope)](Process& process) mutable {
               if (node.insider && node.insider->hears(*envelope)) return;
               process.driver().receive(node.local(now()), taken(envelope));
             });
}

// How long an envelope takes on top of the weather; none: it is left out.
std::optional<Duration> World::enter_lane(Node& node, bool up, const std::string& sender,
                                          size_t bytes) {
  Lane& lane = up ? node.up : node.down;
  if (bytes > kLongestEnvelope) {
    MUSTER_PROBE("a line ends of what its own end says");
    if (up) close_line(node);
    return std::nullopt;
  }
  Lane::Share& share = lane.by_sender[sender];
  const bool owns = sender.empty();
  const bool fits = lane.bytes + bytes <= (owns ? kMostOnItsWay : kMostOnItsWay / 4 * 3) &&
                    (owns || share.bytes + bytes <= kMostOnItsWay / 4);
  if (!fits) {
    MUSTER_PROBE("an envelope finds no room in a queue");
    return std::nullopt;
  }
  share.bytes += bytes;
  lane.bytes += bytes;
  if (node.bytes_per_second == 0) return Duration();
  const auto takes = Duration(static_cast<int64_t>(bytes * 1'000'000 / node.bytes_per_second));
  share.free_at = std::max(share.free_at, now()) + takes;
  return share.free_at - now();
}

void World::leave_lane(Node& node, bool up, const std::string& sender, size_t bytes) {
  Lane& lane = up ? node.up : node.down;
  lane.by_sender[sender].bytes -= bytes;
  lane.bytes -= bytes;
}

// One hop between a node and the server.
void World::carry(Node& node, bool up, Travelling envelope) {
  if (node.session == 0 || node.session == node.refused) return;
  if (up ? node.cut_up : node.cut_down) return;
  if (node.session == node.dead_session) return;
  if (happens(weather.lost_per_mille)) return;
  const size_t bytes = lines_have_limits ? envelope->ByteSizeLong() : 0;
  const std::string sender = lines_have_limits && !up ? envelope->from().machine() : "";
  const int copies = happens(weather.repeated_per_mille) ? 2 : 1;
  for (int i = 1; i <= copies; ++i) {
    Travelling one = i == copies ? std::move(envelope) : envelope;
    const bool relayed = up && one->to().role() != pb::ROLE_SERVER;
    const bool late = relayed && happens(weather.late_per_mille);
    const auto waits = lines_have_limits ? enter_lane(node, up, sender, bytes) : Duration();
    if (!waits) return;  // Nor is it said twice.
    agenda.in(
        *waits + delay(&node) + (late ? uniform(kLatest) : Duration()),
        [this, &node, up, bytes, sender, session = node.session, one = std::move(one)]() mutable {
          if (node.session != session) return;  // Of an older line.
          if (lines_have_limits) leave_lane(node, up, sender, bytes);
          if (up ? node.cut_up : node.cut_down) return;
          if (session == node.dead_session) return;
          up ? arrive_at_server(node, std::move(one)) : receive(node, std::move(one));
        });
  }
}

void World::arrive_at_server(Node& from, Travelling envelope) {
  Node& server = *server_;
  if (!server.process) return;
  envelope->mutable_from()->set_machine(from.machine);  // The transport vouches for it.
  const wire::Verdict verdict = wire::judge(*envelope, said_flag(from));
  if (!verdict.passes && verdict.why.empty()) return;
  if (!verdict.passes) {
    const roles::Misspoken said{from.machine, verdict.why};
    return in_process(server, server.life, [this, &server, said](Process& process) {
      process.driver().deliver(server.local(now()), pb::ROLE_SERVER, said);
    });
  }
  const pb::Role to = envelope->to().role();
  if (to == pb::ROLE_CLIENT) return;
  if (to == pb::ROLE_SERVER) return receive(server, std::move(envelope));
  Node* target = find(envelope->to().machine());
  if (target == nullptr) return;
  in_process(server, server.life, [this, target, envelope = std::move(envelope)](Process&) mutable {
    carry(*target, false, std::move(envelope));
  });
}

// What a later version might say more: every message and its body have a field that nobody knows.
static void add_unknown_fields(pb::Envelope& envelope) {
  const auto* reflection = pb::Envelope::GetReflection();
  reflection->MutableUnknownFields(&envelope)->AddVarint(4242, 7);
  const auto* which = pb::Envelope::GetDescriptor()->FindOneofByName("body");
  if (!reflection->HasOneof(envelope, which)) return;
  auto* body =
      reflection->MutableMessage(&envelope, reflection->GetOneofFieldDescriptor(envelope, which));
  body->GetReflection()->MutableUnknownFields(body)->AddLengthDelimited(4243, "later");
}

void World::send(Node& from, pb::Envelope envelope) {
  if (from.version == "newer") add_unknown_fields(envelope);
  observer_.on_send(from, envelope);
  if (!from.is_server()) {
    return carry(from, true, std::make_shared<pb::Envelope>(std::move(envelope)));
  }
  const pb::Address& to = envelope.to();
  if (to.role() == pb::ROLE_CLIENT && to.machine() == "world") {
    server_status_ = envelope.pool_status();
  } else if (to.role() == pb::ROLE_CLIENT) {
    agenda.in(delay(),
              [this, client = to.machine(), e = std::move(envelope)] { to_client(client, e); });
  } else if (Node* target = find(to.machine())) {
    if (envelope.has_refused()) return refuse(*target);
    carry(*target, false, std::make_shared<pb::Envelope>(std::move(envelope)));
  }
}

void World::from_client(const std::string& client, pb::Envelope envelope) {
  Node& server = *server_;
  if (!server.process) return;
  *envelope.mutable_from() = roles::address(pb::ROLE_CLIENT, client);
  agenda.in(delay(), [this, &server, life = server.life, e = std::move(envelope)] {
    in_process(server, life, [this, &server, e](Process& process) {
      process.driver().receive(server.local(now()), e);
    });
  });
}

}  // namespace muster::sim
