#include "sim/process.h"

#include "base/probe.h"
#include "eval/task.h"
#include "roles/coordinator/coordinator.h"
#include "roles/server/server.h"
#include "roles/storage/storage.h"
#include "roles/worker/worker.h"

namespace muster::sim {
namespace {

constexpr size_t kMostStalled = 20'000;               // What may wait for a disk.
constexpr const char* kNobodyHas = "ORG/nobody-has";  // A model that is on no machine.

}  // namespace

class Process::NodeNet final : public host::Net {
 public:
  NodeNet(World& world, Node& node) : world_(world), node_(node) {}
  void send(pb::Envelope envelope) override {
    if (!node_.insider || node_.insider->may_say(envelope)) world_.send(node_, std::move(envelope));
  }
  void reopen_line() override { world_.close_line(node_); }

 private:
  World& world_;
  Node& node_;
};

// Applies a write after half the disk's latency and tells of it after the other half: a crash may
// come before, between, or after.
class Process::NodeStore final : public host::Store {
 public:
  NodeStore(World& world, Node& node)
      : world_(world), node_(node), pool_epoch_(node.database.pool_epoch) {}

  void write(pb::Role owner, roles::Write write) override {
    const WriteState state{owner, write.id};
    if (node_.disk.hangs && node_.stalled.size() >= kMostStalled) {
      return answer(state, {}, roles::Outcome::kFailed, "the disk does not keep up");
    }
    if (node_.disk.hangs) return stall([this, owner, write] { this->write(owner, write); });
    if (node_.disk.full) {
      return answer(state, node_.disk.latency, roles::Outcome::kFailed, "no space left");
    }
    if (node_.disk.away) {
      return answer(state, node_.disk.latency + seconds(5), roles::Outcome::kFailed,
                    "the database does not answer");
    }
    const bool unknown = world_.rng.below(1000) < node_.disk.unknown_per_mille;
    const bool applied = !unknown || world_.rng.below(2) == 0;
    auto apply = [this, state, unknown, applied, write = std::move(write)](Process&) {
      if (node_.is_server() && pool_epoch_ != node_.database.pool_epoch) {
        return answer(state, {}, roles::Outcome::kFailed, "another server has this pool now");
      }
      if (applied) {
        apply_to_disk(write);
        world_.observer().on_applied(node_, write);
      }
      answer(state, node_.disk.latency / 2,
             unknown ? roles::Outcome::kUnknown : roles::Outcome::kDone, "");
    };
    if (node_.disk.latency == Duration()) return apply(*node_.process);
    later(in_turn(), std::move(apply));
  }

  void read(pb::Role owner, const roles::ReadRecords& read) override {
    if (node_.disk.hangs) return stall([this, owner, read] { this->read(owner, read); });
    later(in_turn(), [this, owner, read](Process& process) {
      auto answer = node_.records.read(read);
      if (node_.disk.lies) alter(*answer.feed);
      process.driver().deliver(node_.local(world_.now()), owner, std::move(answer));
    });
  }

  void read_digests(pb::Role owner, const roles::ReadDigests& read) override {
    if (node_.disk.hangs) return stall([this, owner, read] { read_digests(owner, read); });
    later(in_turn(), [this, owner, read](Process& process) {
      process.driver().deliver(
          node_.local(world_.now()), owner,
          roles::DigestsRead{read.about, node_.records.digests_of(read.job, read.run)});
    });
  }

 private:
  struct WriteState {
    pb::Role owner;
    roles::WriteId id;
  };
  // Every answer in the feed says something else now; whose it is stays as it was.
  static void alter(pb::Feed& feed) {
    for (auto& signed_record : *feed.mutable_records()) {
      pb::Record record;
      if (!record.ParseFromString(signed_record.body()) || !record.has_answer()) continue;
      for (auto& response : *record.mutable_answer()->mutable_responses()) {
        response.set_loglikelihood(response.loglikelihood() - 7);
      }
      signed_record.set_body(record.SerializeAsString());
    }
  }
  // It is done when the disk moves again, if the process is still the same then.
  void stall(std::function<void()> what) {
    node_.stalled.push_back([this, life = node_.life, what = std::move(what)] {
      world_.in_process(node_, life, [what](Process&) { what(); });
    });
  }
  // The disk does one thing after the other.
  Duration in_turn() {
    free_at_ = std::max(free_at_, world_.now() + node_.disk.latency / 2);
    return free_at_ - world_.now();
  }
  void apply_to_disk(const roles::Write& write) {
    if (const auto* put = std::get_if<roles::PutRecords>(&write.what)) node_.records.put(*put);
    if (const auto* drop = std::get_if<roles::DropRecords>(&write.what)) node_.records.drop(*drop);
    if (const auto* keep = std::get_if<roles::KeepRuns>(&write.what)) node_.records.keep(*keep);
    if (const auto* enter = std::get_if<roles::EnterPool>(&write.what)) node_.records.enter(*enter);
    if (node_.is_server()) node_.database.apply(write);
  }
  void answer(WriteState state, Duration delay, roles::Outcome outcome, std::string why) {
    later(delay, [this, state, outcome, why = std::move(why)](Process& process) {
      process.driver().deliver(node_.local(world_.now()), state.owner,
                               roles::Stored{state.id, outcome, why});
    });
  }
  void later(Duration delay, std::function<void(Process&)> what) {
    world_.in_process_after(node_, delay, std::move(what));
  }

  World& world_;
  Node& node_;
  uint64_t pool_epoch_;  // Of the server that opened it.
  Instant free_at_{};    // What is asked for next is done no sooner.
};

class Process::NodeEngine final : public host::Engine {
 public:
  NodeEngine(World& world, Node& node) : world_(world), node_(node) {}

  void load(pb::Role owner, const roles::LoadModel& load) override {
    Result<std::string> outcome = node_.engine.model_class.name;
    if (node_.engine.missing_model) outcome = fail(Code::kNotFound, "model not here");
    if (node_.engine.objects_to_model)
      outcome = fail(Code::kUnsupported, "model_type is not known");
    if (load.model.name().starts_with(kNobodyHas))
      outcome = fail(Code::kNotFound, "model not here");
    model_ = load.model;
    later(node_.engine.loading, owner, roles::ModelLoaded{load.model.commit(), outcome});
  }

  void score(pb::Role owner, const roles::ScoreItem& item) override {
    const uint64_t scoring = ++scoring_;
    Duration takes = node_.engine.per_item;
    if (takes == Duration()) return;
    takes += std::max(Duration(0), ready_at_ - world_.now());
    under_way_ = true;
    if (const auto jitter = static_cast<uint64_t>(node_.engine.jitter.count()); jitter > 0) {
      takes += Duration(static_cast<int64_t>(world_.rng.below(jitter)));
    }
    for (Duration passed = seconds(1); passed < takes; passed += seconds(1)) {
      while_scoring(scoring, passed, owner, roles::Scoring{item.id});
    }
    while_scoring(scoring, takes, owner, roles::ItemScored{item.id, outcome(item)});
  }

  void stop_scoring() override {
    ++scoring_;
    // A child that loads is not killed.
    if (std::exchange(under_way_, false) && world_.now() >= ready_at_) begin_child();
  }

 private:
  // The child has ended; another one begins to load at once.
  void begin_child() {
    if (!node_.engine.reloads) return;
    MUSTER_PROBE("an engine loads again");
    ready_at_ = world_.now() + node_.engine.loading;
  }
  // Questions of the simulator's jobs begin with the model's name: another model says something
  // else.
  [[nodiscard]] bool is_another_model(const std::string& context) const {
    return context.starts_with("ORG/") && !context.starts_with(model_.name());
  }
  // In hex, as an engine says it: of the model that it was told to load, and of its own copy of it.
  [[nodiscard]] std::string model_digest() const {
    const bool has_others = node_.engine.lie == kOtherWeights;
    return sha256(model_.name() + model_.commit() + (has_others ? node_.name : "")).hex();
  }
  Result<roles::Scores> outcome(const roles::ScoreItem& item) {
    under_way_ = false;
    if (item.requests.empty()) return roles::Scores{{}, model_digest()};
    const auto& [first_context, first_continuation] = item.requests.front();
    const uint64_t question = mix(first_continuation, mix(first_context));
    const bool crashes =
        node_.engine.crashes_on_some && node_.engine.lie.empty() && question % 32 == 1;
    if (node_.engine.failing || crashes) {
      begin_child();
      return fail(Code::kFailed, "the engine crashed");
    }
    if (node_.engine.objects_to_items && question % 2 == 0) {
      return fail(Code::kUnsupported, "the request is longer than the model's context");
    }
    auto responses = answers_of(node_.engine.model_class, item.requests, world_.rng.next());
    if (!node_.engine.lie.empty() && node_.engine.lie != kOtherWeights) {
      const uint64_t hash = mix(node_.engine.lie, question);
      const double lie = 1.0 + static_cast<double>(hash % (1u << 30)) / 1024.0;
      responses[0].set_loglikelihood(responses[0].loglikelihood() - lie);
    }
    if (is_another_model(first_context)) {
      MUSTER_PROBE("a machine answers with another model");
      responses[0].set_loglikelihood(responses[0].loglikelihood() - 3);
    }
    return roles::Scores{std::move(responses), model_digest()};
  }
  void while_scoring(uint64_t scoring, Duration delay, pb::Role owner, roles::Event event) {
    world_.in_process_after(node_, delay, [this, scoring, owner, event](Process& process) {
      if (scoring == scoring_) process.driver().deliver(node_.local(world_.now()), owner, event);
    });
  }
  void later(Duration delay, pb::Role owner, roles::Event event) {
    world_.in_process_after(node_, delay, [this, owner, event](Process& process) {
      process.driver().deliver(node_.local(world_.now()), owner, event);
    });
  }

  World& world_;
  Node& node_;
  uint64_t scoring_ = 0;  // Of the last score() or stop_scoring().
  pb::ModelPin model_;    // The one that was loaded last.
  bool under_way_ = false;
  Instant ready_at_{};  // When the child that was begun last has the model.
};

class Process::NodeCompute final : public host::Compute {
 public:
  NodeCompute(World& world, Node& node) : world_(world), node_(node) {}
  void freeze(pb::Role owner, const roles::FreezeRequests& freeze) override {
    Duration takes = world_.freezing;
    if (takes > Duration()) {
      takes = Duration(
          static_cast<int64_t>(world_.rng.below(static_cast<uint64_t>(world_.freezing.count()))));
    }
    world_.in_process_after(node_, takes, [this, owner, freeze](Process& process) {
      process.driver().deliver(
          node_.local(world_.now()), owner,
          roles::RequestsFrozen{freeze.job, freeze.run, world_.freeze(freeze.request)});
    });
  }

 private:
  World& world_;
  Node& node_;
};

class Process::NodeHub final : public host::Hub {
 public:
  NodeHub(World& world, Node& node) : world_(world), node_(node) {}
  void pin(pb::Role owner, const roles::PinModel& pin) override {
    pb::ModelPin model;
    model.set_name(pin.model);
    model.set_commit(to_hex(sha256(pin.model).view()).substr(0, 40));
    model.set_dtype("float32");
    world_.in_process_after(node_, milliseconds(100), [this, owner, pin, model](Process& process) {
      process.driver().deliver(node_.local(world_.now()), owner,
                               roles::ModelPinned{pin.call, model});
    });
  }

 private:
  World& world_;
  Node& node_;
};

class Process::NodeConsole final : public host::Console {
 public:
  NodeConsole(World& world, Node& node) : world_(world), node_(node) {}
  void note(pb::Role, const roles::Note& note) override { world_.observer().on_note(node_, note); }

 private:
  World& world_;
  Node& node_;
};

Process::Process(World& world, Node& node) : world_(world), node_(node) {
  net_ = std::make_unique<NodeNet>(world, node);
  store_ = std::make_unique<NodeStore>(world, node);
  engine_ = std::make_unique<NodeEngine>(world, node);
  compute_ = std::make_unique<NodeCompute>(world, node);
  hub_ = std::make_unique<NodeHub>(world, node);
  console_ = std::make_unique<NodeConsole>(world, node);
  driver_ = std::make_unique<host::Driver>(
      node.machine,
      host::Ports{.net = net_.get(),
                  .console = console_.get(),
                  .stores = {{pb::ROLE_SERVER, store_.get()}, {pb::ROLE_STORAGE, store_.get()}},
                  .engine = engine_.get(),
                  .hub = hub_.get(),
                  .compute = compute_.get()});
  if (world.roles_are_checked) driver_->check_each_step();
  add_roles();
}

Process::~Process() = default;

void Process::add_roles() {
  if (node_.is_server()) {
    roles::server::ServerOptions options = world_.server_options;
    options.started_at_ms = world_.now().time_since_epoch().count() / 1000;
    driver_->add_role(pb::ROLE_SERVER,
                      std::make_unique<roles::server::Server>(
                          std::move(options), node_.database.state(), node_.local(world_.now())));
    return;
  }
  if (node_.flag == pb::ROLE_FLAG_COORDINATOR) {
    driver_->add_role(pb::ROLE_COORDINATOR, std::make_unique<roles::coordinator::Coordinator>(
                                                *node_.keys, Rng(world_.rng.next())));
    return;
  }
  if (node_.computes()) {
    driver_->add_role(pb::ROLE_WORKER, std::make_unique<roles::worker::Worker>(*node_.keys));
  }
  if (node_.stores()) rebuild_storage();
}

void Process::rebuild_storage() {
  driver_->add_role(pb::ROLE_STORAGE, std::make_unique<roles::storage::Storage>(
                                          node_.machine, node_.records.state(), *node_.keys));
}

}  // namespace muster::sim
