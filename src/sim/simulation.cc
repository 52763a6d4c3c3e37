#include "sim/simulation.h"

#include <algorithm>

#include "sim/process.h"
#include "sim/stand_in_tasks.h"
#include "wire/bounds.h"
#include "wire/failure.h"
#include "wire/job_state.h"

namespace muster::sim {
namespace {

constexpr uint64_t kMostAtOnce = 100'000;  // Steps: somebody wakes for what it does not do then.

constexpr uint64_t kMostSaid = 20'000;  // By honest roles in a second.
constexpr uint64_t kMostBytesSaid = 512 << 20;
constexpr size_t kMostPending = 20'000;  // Things of a role, whoever floods it.

}  // namespace

Simulation::Simulation(Plan plan, std::string* trace)
    : plan_(std::move(plan)),
      trace_(trace),
      world_(plan_.seed, *this),
      faults_(world_, plan_),
      begun_(world_.now()) {
  checkers_ = all_checkers(world_, ledger_, plan_);
  world_.freeze = stand_in_tasks;
  world_.lines.weather = plan_.weather;
  world_.server_options.retain = plan_.retain;
  world_.freezing = plan_.freezing;
  build();
}

void Simulation::build() {
  for (const NodePlan& planned : plan_.nodes) {
    Node& node = world_.add(planned.name, planned.flag, planned.key_of);
    node.owner = planned.owner;
    node.version = planned.version;
    node.engine.model_class = planned.model_class;
    node.engine.per_item = planned.per_item;
    node.engine.loading = planned.loading;
    node.engine.lie = planned.lie;
    node.engine.reloads = planned.reloads;
    node.engine.objects_to_model = planned.objects_to_model;
    node.engine.objects_to_items = planned.objects_to_items;
    node.engine.crashes_on_some = plan_.some_items_crash;
    node.disk.latency = planned.disk_latency;
    node.clock_drift_ppm = planned.clock_drift_ppm;
    if (planned.agreed > 0) {
      pb::MachineRow& row = world_.node("server").database.machines[node.machine];
      row.set_machine(node.machine);
      row.set_agreed(planned.agreed);
    }
    world_.agenda.at(planned.joins, [this, &node] {
      if (!node.process) world_.start(node);
    });
  }
  for (const NodePlan& planned : plan_.nodes) {
    if (planned.flag == pb::ROLE_FLAG_COORDINATOR)
      world_.server_options.coordinators.push_back(world_.node(planned.name).machine);
    if (!planned.acts.empty()) build_intruder(world_.node(planned.name), planned);
  }
  if (!intruders_.empty() && plan_.seed % 16 == 1) watch_memory();
  // Jobs that do not fit into one envelope, either.
  for (const JobPlan& job : plan_.jobs) world_.lines.have_limits |= job.items > 10'000;
  world_.roles_are_checked = plan_.seed % 16 == 3 && !world_.lines.have_limits;
  for (const JobPlan& job : plan_.jobs) {
    const std::string name = "researcher-" + std::to_string(researchers_.size() + 1);
    researchers_.push_back(std::make_unique<Researcher>(world_, job, name));
    researchers_.back()->start();
  }
  world_.lines.to_client = [this](const std::string& client, const pb::Envelope& envelope) {
    const size_t number = std::stoul(client.substr(client.find('-') + 1));
    researchers_.at(number - 1)->hear(envelope);
  };
  schedule_faults();
}

void Simulation::build_intruder(Node& node, const NodePlan& planned) {
  world_.lines.have_limits = true;
  auto intruder = std::make_unique<Intruder>(world_, node, overheard_, planned.acts,
                                             planned.careful, Rng(plan_.seed).fork(planned.name));
  intruders_.push_back(intruder.get());
  intruder->begin();
  node.insider = std::move(intruder);
}

// Records that it only says may be counted all the same.
void Simulation::hear_intruder(const pb::Envelope& envelope) {
  if (envelope.has_feed()) ledger_.on_records(envelope.feed().records());
  if (envelope.has_put()) ledger_.on_records(envelope.put().records());
}

// Roles that answer each other for ever are a storm, whoever began it.
void Simulation::count_words(int bytes) {
  if (world_.now() - said_since_ > seconds(1)) said_ = said_bytes_ = 0, said_since_ = world_.now();
  if (static_cast<size_t>(bytes) > wire::kMaxEnvelopeBytes)
    why_ =
        "words have an end: an honest role says an envelope of " + std::to_string(bytes) + " bytes";
  ++said_;
  said_bytes_ += static_cast<uint64_t>(bytes);
  if (said_ <= kMostSaid && said_bytes_ <= kMostBytesSaid) return;
  why_ = "words have an end: honest roles have said " + std::to_string(said_) + " messages of " +
         std::to_string(said_bytes_ >> 20) + " MiB in a second";
}

void Simulation::watch_memory() {
  for (const auto& [name, node] : world_.nodes()) {
    if (!node->process || node->insider) continue;
    const size_t pending = node->process->driver().pending();
    if (pending > kMostPending)
      why_ = "memory is bounded: " + name + " keeps " + std::to_string(pending) + " things";
  }
  world_.agenda.in(milliseconds(250), [this] { watch_memory(); });
}

void Simulation::schedule_faults() {
  for (const Fault& fault : plan_.faults) {
    world_.agenda.at(fault.at, [this, &fault] { strike(fault); });
    if (fault.kind == FaultKind::kOlderDatabase) {
      const auto before = seconds(1 + static_cast<int64_t>(plan_.seed % 25));
      world_.agenda.at(fault.at - before, [this, &fault] { faults_.keep_copy(fault); });
    }
    if (fault.for_good) continue;
    world_.agenda.at(std::min(fault.until, plan_.healed), [this, &fault] {
      if (!fault.node.empty())
        trace(world_.node(fault.node), std::string("PASSES ") + to_string(fault.kind));
      faults_.pass(fault);
    });
  }
  world_.agenda.at(plan_.healed, [this] { heal(); });
}

void Simulation::strike(const Fault& fault) {
  if (fault.node.empty()) return faults_.strike(fault);
  const Node& node = world_.node(fault.node);
  trace(node, std::string("FAULT ") + to_string(fault.kind));
  faults_.strike(fault);
  if (fault.kind == FaultKind::kUnplug || fault.kind == FaultKind::kCutUp) expect_noticed(node);
}

// Whoever is of the healthy core runs, and nothing ails anybody; some of the others stay away.
void Simulation::heal() {
  trace(world_.node("server"), "HEALED");
  faults_.end();
  for (const NodePlan& planned : plan_.nodes) {
    Node& node = world_.node(planned.name);
    if (node.process || !planned.healthy) continue;
    world_.start(node);
  }
}

// Nothing of this node reaches the server any more: 10 s later the server must not count on it,
// unless it was itself away or stood still meanwhile, or the node was back.
void Simulation::expect_noticed(const Node& node) {
  const Node& server = world_.node("server");
  const auto connected = [&server, &node] {
    return std::tuple(server.life, server.pauses, node.line.session, node.life, node.heals);
  };
  const auto then = connected();
  if (!server.process || server.paused || node.line.session == 0) return;
  if (world_.now() < faults_.late_until() + seconds(4))
    return;  // Old envelopes may still be on their way.
  world_.agenda.in(seconds(10), [this, &server, &node, connected, then] {
    const bool went_on = connected() == then && server.process && !server.paused;
    const Duration age = world_.now() - server.started;
    if (!went_on || age < seconds(25) || world_.now() < faults_.late_until() + seconds(14)) return;
    if (world_.server_knows(node))
      why_ = "silence is noticed within 10 s: the server still counts on " + node.name;
  });
}

bool Simulation::all_over() const {
  return std::all_of(researchers_.begin(), researchers_.end(),
                     [](const auto& researcher) { return researcher->done(); });
}

std::string Simulation::first_wrong() const {
  if (!why_.empty()) return why_;
  for (const auto& checker : checkers_) {
    if (!checker->found().empty()) return checker->found();
  }
  return "";
}

Simulation::Verdict Simulation::wrong_or(Verdict otherwise) {
  why_ = first_wrong();
  return why_.empty() ? otherwise : Verdict::kWrong;
}

Simulation::Verdict Simulation::stuck() {
  for (const auto& researcher : researchers_) {
    if (researcher->done()) continue;
    const auto& rows = world_.node("server").database.rows;
    auto row = rows.find(researcher->job());
    why_ = "job " + (researcher->job().empty() ? "not even accepted" : researcher->job()) +
           " has not ended " + std::to_string(to_seconds(ends_within())) + " s after the healing" +
           (row == rows.end() ? "" : ": " + row->second.ShortDebugString());
  }
  return Verdict::kStuck;
}

Simulation::Verdict Simulation::spins() {
  why_ = "time stands still: more than " + std::to_string(kMostAtOnce) + " steps at one instant";
  return Verdict::kStuck;
}

Duration Simulation::ends_within() const {
  const bool crawls = std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [](const NodePlan& node) {
    return node.per_item >= kCrawlersHold ||
           std::find(node.acts.begin(), node.acts.end(), Act::kOnlyProgress) != node.acts.end();
  });
  return kEndsWithin +
         (crawls ? kCrawlersHold * static_cast<int64_t>(plan_.jobs.size()) : Duration());
}

// A job of this pool, by right: its items crash engines, or those who vote do not agree.
bool Simulation::may_fail() const {
  const bool lies = std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [](const NodePlan& node) {
    return !node.lie.empty() || std::any_of(node.acts.begin(), node.acts.end(), sim::lies);
  });
  const bool crashes = std::any_of(plan_.faults.begin(), plan_.faults.end(), [](const Fault& f) {
    return f.kind == FaultKind::kEngineFails;
  });
  return plan_.some_items_crash || crashes || (lies && !plan_.no_excuse);
}

Simulation::Verdict Simulation::run() {
  const Instant limit = plan_.healed + ends_within();
  bool over = false;
  Instant instant = world_.now();
  for (uint64_t steps = 0; !over && world_.agenda.run_next(limit); ++steps) {
    over = world_.now() > plan_.healed && all_over();
    if (instant != std::exchange(instant, world_.now())) steps = 0;
    if (steps > kMostAtOnce) return spins();
    if (!first_wrong().empty()) return wrong_or(Verdict::kPassed);
  }
  if (!over) return stuck();
  for (const auto& researcher : researchers_) {
    if (researcher->state() != pb::JOB_STATE_FAILED || researcher->plan().nobody_has) continue;
    // Where lines flap for a minute, a coordinator may be lost ten times before it says a word.
    const bool flaps = plan_.take_overs && researcher->reason().starts_with("10 coordinators");
    // As many machines as an item wants votes, two at most, are believed that it cannot work.
    const bool believed =
        objectors_[researcher->job()].size() >= std::min<size_t>(2, researcher->plan().redundancy);
    if (!may_fail() && !flaps && !believed) {
      why_ = "a job failed in a pool without liars and crashes: " + researcher->reason();
      return Verdict::kWrong;
    }
  }
  for (Intruder* intruder : intruders_) intruder->rest();
  for (const NodePlan& planned : plan_.nodes) {  // Two of one key would go on for ever.
    if (!planned.key_of.empty()) world_.kill(world_.node(planned.name));
  }
  world_.agenda.run_until(world_.now() + seconds(60));
  // One that copies nothing is given up a minute after it came, or after the server did.
  const bool joins = !world_.node("server").database.view.joiners().empty();
  if (joins) world_.agenda.run_until(world_.now() + seconds(70));
  for (const auto& checker : checkers_) checker->at_end();
  // A cancelled job runs again where the database that knew so is lost; nobody cancels it twice.
  const bool lost = std::any_of(plan_.faults.begin(), plan_.faults.end(), [](const Fault& fault) {
    return fault.kind == FaultKind::kOlderDatabase || fault.kind == FaultKind::kNewDatabase;
  });
  const auto& rows = world_.node("server").database.rows;
  const bool goes_on = lost && std::any_of(rows.begin(), rows.end(), [](const auto& row) {
                         return !wire::is_over(row.second.state());
                       });
  for (const auto& [name, node] : world_.nodes()) {
    if (!node->process || node->insider || node->disk.hangs || goes_on) continue;
    if (node->process->driver().pending() == 0) continue;
    why_ = "nothing leaks: " + name + " still keeps " +
           std::to_string(node->process->driver().pending()) + " things";
  }
  return wrong_or(Verdict::kPassed);
}

void Simulation::note_digest(const Node& node, uint64_t what) {
  const auto time = static_cast<uint64_t>(world_.now().time_since_epoch().count());
  digest_ = mix(node.name, Rng(digest_ ^ what ^ time << 20).next());
}

void Simulation::trace(const Node& node, const std::string& text) {
  if (trace_ == nullptr) return;
  const auto ms = (world_.now() - begun_).count() / 1000;
  *trace_ += std::to_string(ms) + " ms  " + node.name + "  " + text + "\n";
}

void Simulation::on_send(const Node& node, const pb::Envelope& envelope) {
  note_digest(node, static_cast<uint64_t>(envelope.body_case()) << 32 | envelope.ByteSizeLong());
  if (trace_ != nullptr && !envelope.has_heartbeat()) {
    const Node* to = world_.find(envelope.to().machine());
    trace(node, "-> " + (to == nullptr ? pb::Role_Name(envelope.to().role()) : to->name) + "  " +
                    envelope.ShortDebugString().substr(0, 300));
  }
  if (!intruders_.empty()) overheard_.note(envelope);
  if (!node.insider) count_words(envelope.GetCachedSize());
  if (envelope.has_grant()) ledger_.on_grant(node, envelope);
  if (node.insider) hear_intruder(envelope);
  note_objection(node, envelope);
  if (envelope.has_put_done()) {
    for (const KnownRecord* known : ledger_.on_put_done(node, envelope.put_done())) {
      if (trace_ != nullptr && known->record.has_settled()) {
        trace(node, "ACKNOWLEDGED settled item " + std::to_string(known->record.settled().item()) +
                        " epoch " + std::to_string(known->record.epoch()) + " value " +
                        std::to_string(mix(known->record.settled().SerializeAsString()) % 10'000));
      }
      for (auto& checker : checkers_) checker->on_acknowledged(*known);
    }
  }
  if (node.insider && !envelope.has_feed()) return;  // It promises nothing.
  for (auto& checker : checkers_) checker->on_send(node, envelope);
}

// Whoever is broken, or means harm, says that a job cannot work; nobody else is excused for it.
void Simulation::note_objection(const Node& node, const pb::Envelope& envelope) {
  const bool may = node.insider || node.engine.objects_to_model || node.engine.objects_to_items;
  const bool objects = envelope.has_unable()
                           ? wire::is_users_fault(wire::to_error(envelope.unable().failure()).code)
                           : envelope.has_lease_failed() && envelope.lease_failed().users_fault();
  if (!may || !objects) return;
  const pb::JobKey& key =
      envelope.has_unable() ? envelope.unable().key() : envelope.lease_failed().key();
  objectors_[key.job()].insert(node.machine);
}

void Simulation::on_note(const Node& node, const roles::Note& note) { trace(node, note.text); }

void Simulation::on_committed(const Node& node, const roles::Change& change) {
  ledger_.on_committed(change);
  for (auto& checker : checkers_) checker->on_committed(node, change);
}

void Simulation::on_stored(const Node& node, const roles::RecordChange& change) {
  ledger_.on_stored(change);
  if (node.insider) return;
  for (auto& checker : checkers_) checker->on_stored(node, change);
}

void Simulation::on_started(const Node& node) {
  trace(node, "STARTS");
  for (auto& checker : checkers_) checker->on_started(node);
}

void Simulation::on_database_lost() {
  trace(world_.node("server"), "DATABASE LOST");
  ledger_.on_database_lost(world_.node("server").database.view);
  for (auto& checker : checkers_) checker->on_database_lost();
}

void Simulation::on_ended(const Node& node) {
  trace(node, "ENDS");
  for (auto& checker : checkers_) checker->on_ended(node);
}

}  // namespace muster::sim
