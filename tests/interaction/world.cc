#include "interaction/world.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/metric.h"
#include "eval/task.h"
#include "roles/coordinator/coordinator.h"
#include "roles/message.h"
#include "roles/record.h"
#include "roles/server/server.h"
#include "roles/storage/storage.h"
#include "roles/worker/worker.h"

namespace muster::interaction {
namespace {

using Requests = std::vector<std::pair<std::string, std::string>>;

// What the engine of this world answers: a hash of the question, so that every machine agrees.
std::vector<pb::Response> answers_to(const Requests& requests) {
  std::vector<pb::Response> responses;
  for (const auto& [context, continuation] : requests) {
    const Digest digest = sha256(context + "|" + continuation);
    pb::Response& response = responses.emplace_back();
    response.set_loglikelihood(-(digest.bytes[0] * 256 + digest.bytes[1]) / 1000.0);
    response.set_tokens(1);
    response.set_margin(1);
  }
  return responses;
}

std::string range(std::vector<uint32_t> items) {
  std::string text;
  for (size_t i = 0; i < items.size();) {
    size_t last = i;
    while (last + 1 < items.size() && items[last + 1] == items[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(items[i]);
    if (last > i) text += ".." + std::to_string(items[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace

// A keyed hash: fails on an altered byte or a wrong key, like a signature.
class World::NodeKeys final : public roles::Keys {
 public:
  explicit NodeKeys(std::string key) : key_(std::move(key)) {}
  std::string public_key() const override { return key_; }
  std::string sign(std::string_view bytes) const override { return hash(key_, bytes); }
  bool verify(std::string_view key, std::string_view bytes,
              std::string_view signature) const override {
    return hash(key, bytes) == signature;
  }

 private:
  static std::string hash(std::string_view key, std::string_view bytes) {
    Hasher hasher;
    hasher.add_field(key);
    hasher.add_field(bytes);
    return hasher.finish();
  }
  std::string key_;
};

struct World::Node {
  std::string name, machine;
  pb::RoleFlag flag{};
  std::unique_ptr<NodeKeys> keys;
  std::unique_ptr<host::Net> net;
  std::unique_ptr<host::Store> store;
  std::unique_ptr<host::Engine> engine;
  std::unique_ptr<host::Compute> compute;
  std::unique_ptr<host::Console> console;
  std::unique_ptr<host::Driver> driver;
  bool alive = true, cut = false, attached = false;
  uint64_t life = 0;  // Raised by every restart: what an older life asked for is dropped.

  // Durable.
  std::vector<roles::StoredRecord> records;
  pb::View view;
  std::map<std::string, pb::JobRow> rows;

  // How its engine behaves.
  bool disk_full = false, lying = false, failing = false, missing = false;
  double seconds_per_item = 1;
  uint64_t scoring = 0;
};

class World::NodeNet final : public host::Net {
 public:
  NodeNet(World& world, Node& node) : world_(world), node_(node) {}
  void send(pb::Envelope envelope) override {
    world_.at(world_.now_, [this, life = node_.life, e = std::move(envelope)]() mutable {
      if (life == node_.life) world_.carry(node_, std::move(e));
    });
  }

 private:
  World& world_;
  Node& node_;
};

class World::NodeStore final : public host::Store {
 public:
  NodeStore(World& world, Node& node) : world_(world), node_(node) {}

  void write(pb::Role owner, roles::Write write) override {
    if (node_.disk_full) {
      return answer(owner, roles::Stored{write.id, roles::Outcome::kFailed, "no space left"});
    }
    if (const auto* put = std::get_if<roles::PutRecords>(&write.what)) keep(*put);
    if (const auto* view = std::get_if<roles::SaveView>(&write.what)) node_.view = view->view;
    if (const auto* job = std::get_if<roles::SaveJob>(&write.what)) {
      node_.rows[job->row.job()] = job->row;
    }
    answer(owner, roles::Stored{write.id, roles::Outcome::kDone, ""});
  }

  void read(pb::Role owner, const roles::ReadRecords& read) override {
    pb::Feed feed;
    feed.set_job(read.request.job());
    feed.set_run(read.request.run());
    feed.set_from(read.request.cursor());
    feed.set_copying(read.request.copying());
    uint64_t sequence = 0;
    for (const auto& record : node_.records) {
      const bool wanted = ++sequence > read.request.cursor() && record.job == read.request.job() &&
                          record.run == read.request.run();
      if (wanted) MUSTER_CHECK(feed.add_records()->ParseFromString(record.bytes));
    }
    feed.set_next(std::max<uint64_t>(read.request.cursor(), node_.records.size()));
    feed.set_at_end(true);
    answer(owner, roles::RecordsRead{read.reader, std::move(feed)});
  }

 private:
  void keep(const roles::PutRecords& put) {
    for (const auto& record : put.records) {
      const bool known = std::any_of(node_.records.begin(), node_.records.end(),
                                     [&](const auto& r) { return r.digest == record.digest; });
      if (!known) node_.records.push_back(record);
    }
  }
  void answer(pb::Role owner, roles::Event event) {
    world_.at(world_.now_, [this, owner, life = node_.life, e = std::move(event)]() mutable {
      if (life == node_.life) node_.driver->deliver(world_.now_, owner, std::move(e));
    });
  }
  World& world_;
  Node& node_;
};

class World::NodeEngine final : public host::Engine {
 public:
  NodeEngine(World& world, Node& node) : world_(world), node_(node) {}

  void load(pb::Role owner, const roles::LoadModel& load) override {
    Result<std::string> outcome = "test";
    if (node_.missing) outcome = fail(Code::kNotFound, "model not here");
    later(0, owner, roles::ModelLoaded{load.model.commit(), outcome});
  }
  void score(pb::Role owner, const roles::ScoreItem& item) override {
    node_.scoring = item.id;
    if (node_.seconds_per_item <= 0) return;
    if (node_.failing) {
      const auto error = fail(Code::kFailed, "the engine crashed");
      return later(node_.seconds_per_item, owner, roles::ItemScored{item.id, error});
    }
    for (double passed = 1; passed < node_.seconds_per_item; passed += 1) {
      later(passed, owner, roles::Scoring{item.id});
    }
    auto responses = answers_to(item.requests);
    if (node_.lying) responses[0].set_loglikelihood(responses[0].loglikelihood() - 5);
    later(node_.seconds_per_item, owner, roles::ItemScored{item.id, std::move(responses)});
  }
  void stop_scoring() override { node_.scoring = 0; }

 private:
  void later(double seconds, pb::Role owner, roles::Event event) {
    world_.at(world_.now_ + from_seconds(seconds),
              [this, owner, life = node_.life, e = std::move(event)]() mutable {
                if (life == node_.life) node_.driver->deliver(world_.now_, owner, std::move(e));
              });
  }
  World& world_;
  Node& node_;
};

class World::NodeCompute final : public host::Compute {
 public:
  NodeCompute(World& world, Node& node) : world_(world), node_(node) {}
  void freeze(pb::Role owner, const roles::FreezeRequests& freeze) override {
    auto tasks = std::make_shared<roles::FrozenTasks>();
    for (const std::string& name : freeze.request.tasks()) {
      const eval::Task& task = **eval::find_task(name);
      tasks->push_back({.task = name, .version = task.version, .documents = task.documents});
      tasks->back().items = *eval::build_items(task, {freeze.request.limit(), std::nullopt});
    }
    world_.at(world_.now_,
              [this, owner, life = node_.life, job = freeze.job, run = freeze.run, tasks] {
                if (life != node_.life) return;
                std::shared_ptr<const roles::FrozenTasks> frozen = tasks;
                node_.driver->deliver(world_.now_, owner, roles::RequestsFrozen{job, run, frozen});
              });
  }

 private:
  World& world_;
  Node& node_;
};

class World::NodeConsole final : public host::Console {
 public:
  NodeConsole(World& world, Node& node) : world_(world), node_(node) {}
  void note(pb::Role, const roles::Note& note) override {
    // Each record stored is too much to tell; show records says what is there.
    if (note.text.starts_with("storage: ") && note.text.ends_with(" stored")) return;
    world_.tell(node_.name, note.text);
  }

 private:
  World& world_;
  Node& node_;
};

World::World() = default;
World::~World() = default;

World::Node& World::node(const std::string& name) {
  auto& slot = nodes_[name];
  if (!slot) {
    slot = std::make_unique<Node>();
    slot->name = name;
    slot->keys = std::make_unique<NodeKeys>("key of " + name);
    slot->machine = name == "server" ? "" : roles::machine_id(slot->keys->public_key());
  }
  return *slot;
}

// A process of this node: ports, roles, nothing remembered but what was stored.
void World::build(Node& n) {
  ++n.life;
  n.net = std::make_unique<NodeNet>(*this, n);
  n.store = std::make_unique<NodeStore>(*this, n);
  n.engine = std::make_unique<NodeEngine>(*this, n);
  n.compute = std::make_unique<NodeCompute>(*this, n);
  n.console = std::make_unique<NodeConsole>(*this, n);
  n.driver = std::make_unique<host::Driver>(
      n.machine,
      host::Ports{.net = n.net.get(),
                  .console = n.console.get(),
                  .stores = {{pb::ROLE_SERVER, n.store.get()}, {pb::ROLE_STORAGE, n.store.get()}},
                  .engine = n.engine.get(),
                  .compute = n.compute.get()});
  if (n.name == "server") {
    roles::server::ServerState state{n.view, {}};
    for (const auto& [id, row] : n.rows) state.jobs.push_back(row);
    n.driver->add_role(pb::ROLE_SERVER, std::make_unique<roles::server::Server>(
                                            roles::server::ServerOptions{2, "test"}, state, now_));
    n.driver->deliver(now_, pb::ROLE_SERVER, roles::Tick{});
    return;
  }
  if (n.flag == pb::ROLE_FLAG_COORDINATOR) {
    n.driver->add_role(pb::ROLE_COORDINATOR,
                       std::make_unique<roles::coordinator::Coordinator>(*n.keys));
    return;
  }
  if (n.flag != pb::ROLE_FLAG_STORAGE) {
    n.driver->add_role(pb::ROLE_WORKER, std::make_unique<roles::worker::Worker>(*n.keys));
  }
  if (n.flag != pb::ROLE_FLAG_COMPUTE) {
    n.driver->add_role(pb::ROLE_STORAGE, std::make_unique<roles::storage::Storage>(
                                             n.machine, "store-" + n.name, *n.keys));
  }
}

// The node's line to the server comes up.
void World::attach(Node& n) {
  n.attached = true;
  roles::NodeJoined joined{n.machine, {}};
  joined.hello.set_role_flag(n.flag);
  if (n.flag != pb::ROLE_FLAG_COMPUTE && n.flag != pb::ROLE_FLAG_COORDINATOR) {
    joined.hello.set_store_id("store-" + n.name);
  }
  for (pb::Role role : {pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
    n.driver->deliver(now_, role, roles::LineUp{});
  }
  node("server").driver->deliver(now_, pb::ROLE_SERVER, joined);
  advance({});
}

void World::start_server() { build(node("server")); }

void World::join(const std::string& name, pb::RoleFlag flag) {
  Node& n = node(name);
  n.flag = flag;
  build(n);
  attach(n);
}

bool World::is_running(const std::string& name) const {
  auto found = nodes_.find(name);
  return found != nodes_.end() && found->second->alive && found->second->driver != nullptr;
}

void World::kill(const std::string& name) {
  Node& n = node(name);
  n.alive = n.attached = false;
  ++n.life;
  if (name == "server") {
    for (auto& [other_name, other] : nodes_) {
      other->attached = false;
      for (pb::Role role : {pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
        if (other->alive) other->driver->deliver(now_, role, roles::LineDown{});
      }
    }
    return;
  }
  Node& server = node("server");
  if (server.alive) server.driver->deliver(now_, pb::ROLE_SERVER, roles::NodeLeft{n.machine});
  advance({});
}

void World::restart(const std::string& name) {
  Node& n = node(name);
  n.alive = true;
  build(n);
  if (name != "server") return attach(n);
  for (auto& [other_name, other] : nodes_) {
    if (other->alive && other_name != "server") attach(*other);
  }
}

void World::rebuild_storage() {
  pb::Envelope envelope;
  auto* state = envelope.mutable_pool_state();
  *state->mutable_view() = node("server").view;
  for (const auto& [id, row] : node("server").rows) {
    if (roles::server::is_over(row.state())) continue;
    auto* live = state->add_live();
    live->set_job(id);
    live->set_run(row.run());
  }
  for (auto& [name, n] : nodes_) {
    const bool stores = n->flag == pb::ROLE_FLAG_AUTO || n->flag == pb::ROLE_FLAG_STORAGE;
    if (!stores || !n->alive || name == "server") continue;
    n->driver->add_role(pb::ROLE_STORAGE, std::make_unique<roles::storage::Storage>(
                                              n->machine, "store-" + name, *n->keys));
    n->driver->deliver(now_, pb::ROLE_STORAGE, roles::Received{envelope});
  }
}

void World::cut(const std::string& name) { node(name).cut = true; }

void World::heal(const std::string& name) {
  Node& n = node(name);
  n.cut = false;
  attach(n);  // Its own silence has made it open a new line.
}

void World::set_lying(const std::string& name, bool lying) { node(name).lying = lying; }
void World::set_seconds_per_item(const std::string& name, double s) {
  node(name).seconds_per_item = s;
}
void World::set_engine_failing(const std::string& name, bool failing) {
  node(name).failing = failing;
}
void World::set_disk_full(const std::string& name, bool full) { node(name).disk_full = full; }
void World::set_model_missing(const std::string& name, bool missing) {
  node(name).missing = missing;
}

void World::at(Instant when, std::function<void()> what) {
  agenda_[{when, ++sequence_}] = std::move(what);
}

// The star: whatever a node says goes through the server's transport.
void World::carry(Node& from, pb::Envelope envelope) {
  tell_message(envelope);
  if (!from.alive || from.cut) return;
  envelope.mutable_from()->set_machine(from.machine);  // The transport vouches for it.
  const pb::Address& to = envelope.to();
  if (to.role() == pb::ROLE_CLIENT) return;
  for (auto& [name, target] : nodes_) {
    const bool is_target = to.role() == pb::ROLE_SERVER
                               ? name == "server"
                               : target->machine == to.machine() && name != "server";
    if (!is_target || !target->alive || target->cut || !node("server").alive) continue;
    target->driver->receive(now_, envelope);
  }
}

std::string World::name_of(const pb::Address& address) const {
  if (address.role() == pb::ROLE_SERVER) return "server";
  if (address.role() == pb::ROLE_CLIENT) return "researcher";
  for (const auto& [name, n] : nodes_) {
    if (name != "server" && n->machine == address.machine()) return name;
  }
  return "?";
}

std::string World::with_names(std::string text) const {
  auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  for (const auto& [name, n] : nodes_) {
    if (!n->machine.empty()) replace(roles::short_id(n->machine), name);
  }
  if (!job_.empty()) {
    replace(job_, "JOB");
    replace(roles::short_id(job_), "JOB");
  }
  return text;
}

void World::tell(const std::string& who, const std::string& text) {
  transcript +=
      who + std::string(who.size() < 11 ? 11 - who.size() : 1, ' ') + with_names(text) + "\n";
}

void World::tell_message(const pb::Envelope& e) {
  std::string text;
  if (e.has_grant()) {
    std::vector<uint32_t> items;
    for (const auto& item : e.grant().items()) items.push_back(item.item());
    text = "Grant lease=" + std::to_string(e.grant().lease()) + " items=" + range(items);
  } else if (e.has_withdraw()) {
    text = "Withdraw lease=" + std::to_string(e.withdraw().lease());
  } else if (e.has_assign()) {
    text = "Assign epoch=" + std::to_string(e.assign().row().epoch());
  } else if (e.has_finish()) {
    text = e.finish().has_failure() ? "Finish failure" : "Finish";
  } else if (e.has_submit_reply()) {
    const auto& reply = e.submit_reply();
    text = reply.has_failure() ? "refused: " + reply.failure().message()
                               : "accepted run=" + std::to_string(reply.run()) +
                                     (reply.attached() ? " attached" : "");
  } else if (e.has_job_update() && !e.job_update().message().empty()) {
    text = e.job_update().message();
  } else if (e.has_cancel_reply()) {
    text = e.cancel_reply().has_failure() ? e.cancel_reply().failure().message() : "cancelled";
  } else {
    return;
  }
  tell(name_of(e.from()), "-> " + name_of(e.to()) + "  " + text);
}

// The next thing that is due no later than `until`; false when there is none.
bool World::step_once(Instant until) {
  Node* waking = nullptr;
  Instant earliest = until;
  bool found = false;
  if (!agenda_.empty() && agenda_.begin()->first.first <= until) {
    earliest = agenda_.begin()->first.first;
    found = true;
  }
  for (auto& [name, n] : nodes_) {
    auto wake = n->alive ? n->driver->wake_at() : std::nullopt;
    if (wake) wake = std::max(*wake, now_);
    if (wake && *wake <= until && (!found || *wake < earliest)) {
      earliest = *wake;
      waking = n.get();
      found = true;
    }
  }
  if (!found) return false;
  now_ = std::max(now_, earliest);
  if (waking != nullptr) {
    waking->driver->tick(now_);
  } else {
    const auto what = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    what();
  }
  return true;
}

void World::advance(Duration duration) {
  const Instant until = now_ + duration;
  while (step_once(until)) {
  }
  now_ = until;
}

void World::submit(const pb::JobRequest& request) {
  pb::Envelope envelope = roles::envelope_to_server();
  *envelope.mutable_from() = roles::address(pb::ROLE_CLIENT, "call");
  *envelope.mutable_submit()->mutable_request() = request;
  pb::JobRequest complete = request;
  if (complete.redundancy() == 0) complete.set_redundancy(2);
  job_ = *roles::server::job_id(complete, request.directory_pin());
  node("server").driver->receive(now_, envelope);
  advance({});
  envelope.mutable_watch()->set_job(job_);
  node("server").driver->receive(now_, envelope);
  advance({});
}

void World::cancel() {
  pb::Envelope envelope = roles::envelope_to_server();
  *envelope.mutable_from() = roles::address(pb::ROLE_CLIENT, "call");
  envelope.mutable_cancel_job()->set_job(job_);
  node("server").driver->receive(now_, envelope);
  advance({});
}

void World::run_job(Duration limit) {
  const Instant until = now_ + limit;
  while (!roles::server::is_over(row().state()) && step_once(until)) {
  }
  advance({});
}

pb::JobRow World::row() const {
  const auto& rows = nodes_.at("server")->rows;
  auto found = rows.find(job_);
  return found == rows.end() ? pb::JobRow() : found->second;
}

std::string World::show_view() const {
  const pb::View& view = nodes_.at("server")->view;
  std::string text = "view " + std::to_string(view.number()) + ":";
  for (const auto& member : view.members())
    text += " " + name_of(roles::address(pb::ROLE_STORAGE, member.machine()));
  for (const auto& joiner : view.joiners())
    text += " +" + name_of(roles::address(pb::ROLE_STORAGE, joiner.machine()));
  return text;
}

std::string World::show_records() const {
  std::string text;
  for (const auto& [name, n] : nodes_) {
    std::map<std::string, int> kinds;
    for (const auto& stored : n->records) {
      pb::SignedRecord signed_record;
      pb::Record record;
      MUSTER_CHECK(signed_record.ParseFromString(stored.bytes));
      MUSTER_CHECK(record.ParseFromString(signed_record.body()));
      ++kinds[record.has_answer() ? "answers" : record.has_settled() ? "settled" : "requests"];
    }
    if (kinds.empty()) continue;
    text += name + ":";
    for (const auto& [kind, count] : kinds) text += " " + std::to_string(count) + " " + kind;
    text += "\n";
  }
  return text;
}

std::string World::outcome() const {
  const pb::JobRow job = row();
  std::string text = pb::JobState_Name(job.state()) + " " + job.reason() + "\n";
  for (const auto& task : job.result().tasks()) text += task.ShortDebugString() + "\n";
  std::map<uint32_t, std::string> settled;
  for (const auto& [name, n] : nodes_) {
    for (const auto& stored : n->records) {
      pb::SignedRecord signed_record;
      pb::Record record;
      MUSTER_CHECK(signed_record.ParseFromString(stored.bytes));
      MUSTER_CHECK(record.ParseFromString(signed_record.body()));
      if (!record.has_settled()) continue;
      std::string& value = settled[record.settled().item()];
      value.clear();
      for (const auto& response : record.settled().responses())
        value += " " + std::to_string(response.loglikelihood());
    }
  }
  for (const auto& [item, value] : settled)
    text += "item " + std::to_string(item) + value + "\n";
  return with_names(text);
}

bool World::result_equals_alone() const {
  const pb::JobRow job = row();
  for (const auto& task : job.result().tasks()) {
    std::vector<eval::ItemScore> scores;
    const auto items =
        *eval::build_items(**eval::find_task(task.task()), {job.request().limit(), std::nullopt});
    for (const auto& item : items) {
      Requests requests;
      for (const auto& request : item.requests)
        requests.emplace_back(request.context, request.continuation);
      std::vector<eval::Response> responses;
      for (const auto& r : answers_to(requests))
        responses.push_back({r.loglikelihood(), r.is_greedy()});
      scores.push_back(eval::score_item(item, responses));
    }
    const auto metrics = eval::aggregate(scores);
    for (size_t i = 0; i < metrics.size(); ++i) {
      if (metrics[i].value != task.metrics(static_cast<int>(i)).value()) return false;
    }
  }
  return job.result().tasks_size() > 0;
}

}  // namespace muster::interaction
