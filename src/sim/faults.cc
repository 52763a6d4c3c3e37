#include "sim/faults.h"

#include <algorithm>

namespace muster::sim {
namespace {

constexpr Weather kCalm{.least_delay = milliseconds(1), .jitter = milliseconds(1)};
constexpr Weather kStormy{.least_delay = milliseconds(1),
                          .jitter = seconds(3),
                          .lost_per_mille = 300,
                          .repeated_per_mille = 300};
constexpr Duration kSlow = milliseconds(1500);  // A disk or a database, when it is.

const NodePlan& plan_of(const Plan& plan, const Node& node) {
  return *std::find_if(plan.nodes.begin(), plan.nodes.end(),
                       [&](const NodePlan& planned) { return planned.name == node.name; });
}

}  // namespace

void Faults::end() {
  ended_ = true;
  world_.lines.weather = kCalm;
}

void Faults::turn(const Fault& fault, bool on) {
  if (fault.kind == FaultKind::kStorm) return turn_storm(fault, on);
  if (fault.kind == FaultKind::kCrowdLeaves) return turn_crowd(on);
  turn_node(world_.node(fault.node), fault, on);
}

void Faults::turn_storm(const Fault& fault, bool on) {
  if (on) late_until_ = std::max(late_until_, fault.until);
  if (!ended_) world_.lines.weather = on ? kStormy : plan_.weather;
}

// Half of the workers go, or come back, within an instant.
void Faults::turn_crowd(bool leaves) {
  bool every_other = false;
  for (const NodePlan& planned : plan_.nodes) {
    if (!planned.name.starts_with('w')) continue;
    every_other = !every_other;
    if (every_other) continue;
    Node& node = world_.node(planned.name);
    if (leaves) {
      world_.kill(node);
    } else if (!node.process && world_.now() >= planned.joins) {
      world_.start(node);
    }
  }
}

void Faults::come_back(Node& node, const Fault& fault) {
  const NodePlan& planned = plan_of(plan_, node);
  if (!planned.healthy && fault.until > plan_.healed) return;  // Gone for good.
  if (!node.process && world_.now() >= planned.joins) world_.start(node);
}

void Faults::flap(Node& node, Instant until) {
  if (world_.now() >= std::min(until, plan_.healed)) return;
  world_.lines.close(node);
  const auto pause = milliseconds(static_cast<int64_t>(world_.rng.below(3000)));
  world_.agenda.in(pause, [this, &node, until] { flap(node, until); });
}

void Faults::keep_copy(const Fault& fault) { copies_[&fault] = world_.node(fault.node).database; }

// The server ends; what it will find is a copy of some time ago, or nothing.
void Faults::lose_database(Node& server, const Fault& fault) {
  world_.kill(server);
  server.database = fault.kind == FaultKind::kNewDatabase ? ServerDisk() : copies_[&fault];
  if (fault.kind == FaultKind::kNewDatabase) {  // Another pool, by another name.
    server.database.pool.set_pool("pool-" + std::to_string(++pools_));
  }
  world_.observer().on_database_lost();
}

void Faults::turn_node(Node& node, const Fault& fault, bool on) {
  const NodePlan& planned = plan_of(plan_, node);
  switch (fault.kind) {
    case FaultKind::kKill:
      return on ? world_.kill(node) : come_back(node, fault);
    case FaultKind::kLeave:
      if (on) return world_.leave(node, fault.until - fault.at);
      world_.kill(node);
      return come_back(node, fault);
    case FaultKind::kWipe:
      if (!on) return come_back(node, fault);
      world_.kill(node);
      return node.records.wipe("store-" + node.name + "-" + std::to_string(++wipes_));
    case FaultKind::kUnplug:
      node.line.cut_up = node.line.cut_down = on;
      node.heals += on ? 0 : 1;
      return;
    case FaultKind::kCutUp:
      node.line.cut_up = on;
      node.heals += on ? 0 : 1;
      return;
    case FaultKind::kCutDown:
      node.line.cut_down = on;
      node.heals += on ? 0 : 1;
      return;
    case FaultKind::kBlip:
      if (on) world_.lines.close(node);
      return;
    case FaultKind::kFlap:
      if (on) flap(node, fault.until);
      return;
    case FaultKind::kSlowLine:
      if (on) late_until_ = std::max(late_until_, fault.until);
      node.line.jitter = on ? seconds(4) : Duration();
      return;
    case FaultKind::kPause:
      return on ? world_.pause(node) : world_.resume(node);
    case FaultKind::kDiskFull:
      node.disk.full = on;
      return;
    case FaultKind::kDiskSlow:
    case FaultKind::kDatabaseSlow:
      node.disk.latency = on ? kSlow : planned.disk_latency;
      return;
    case FaultKind::kRot:
      if (on) node.records.rot(world_.rng.next());
      return;
    case FaultKind::kLyingStore:
      node.disk.lies = on;
      return;
    case FaultKind::kDatabaseAway:
      node.disk.away = on;
      return;
    case FaultKind::kSecondServer:  // When it goes away again, this one is started anew.
      if (on) return void(++node.database.pool_epoch);
      if (!node.process) return;
      world_.kill(node);
      return world_.start(node);
    case FaultKind::kDiskHangs:
    case FaultKind::kDatabaseHangs:
      return world_.hang_disk(node, on);
    case FaultKind::kHalfDead:
      if (on) world_.lines.deafen(node);
      return;
    case FaultKind::kOlderDatabase:
    case FaultKind::kNewDatabase:
      return on ? lose_database(node, fault) : come_back(node, fault);
    case FaultKind::kDatabaseUnknown:
      node.disk.unknown_per_mille = on ? 500 : 0;
      return;
    case FaultKind::kEngineFails:
      node.engine.failing = on;
      return;
    case FaultKind::kEngineStuck:
      node.engine.per_item = on ? Duration() : planned.per_item;
      return;
    case FaultKind::kEngineSlow:
      node.engine.per_item = on ? seconds(8) : planned.per_item;
      return;
    case FaultKind::kModelMissing:
      node.engine.missing_model = on;
      return;
    case FaultKind::kStorm:
    case FaultKind::kCrowdLeaves:
      return;
  }
}

}  // namespace muster::sim
