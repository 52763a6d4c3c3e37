#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "host/driver.h"
#include "roles/server/server_state.h"
#include "sim/agenda.h"
#include "sim/disk.h"
#include "sim/hash_keys.h"
#include "sim/lines.h"
#include "sim/stand_in_model.h"

namespace muster::sim {

// How a node's engine behaves.
struct EngineTraits {
  ModelClass model_class;
  Duration per_item = seconds(1);  // Zero: an item never ends.
  Duration jitter{};               // More, uniform in [0, jitter), drawn for each item.
  Duration loading{};
  std::string lie;               // Not empty: answers are wrong; equal lies agree.
  bool failing = false;          // Every item ends in a crash.
  bool crashes_on_some = false;  // One item in 32 does; a liar answers it.
  bool missing_model = false;
  bool objects_to_model = false;  // Broken: says of each that it cannot work anywhere.
  bool objects_to_items = false;  // The same of every other item.
  bool reloads = false;           // A crash or a stop costs a load.
};

// The lie of a machine whose copy of the model differs in a byte: its answers are as good as right,
// and come from something else.
constexpr char kOtherWeights[] = "other weights";

// How a node's disk behaves.
struct DiskTraits {
  Duration latency{};
  bool full = false;               // Or read-only: every write fails.
  bool hangs = false;              // Nothing is answered, and nothing fails.
  bool lies = false;               // What is read are altered answers under their old signatures.
  bool away = false;               // The server's database: every write fails after a while.
  uint32_t unknown_per_mille = 0;  // The server's database: a commit whose outcome is not told.
};

class Process;

// Sits between a node's roles and its line.
class Insider {
 public:
  virtual ~Insider() = default;
  // What arrives for the roles. True: they do not hear it.
  virtual bool hears(const pb::Envelope& envelope) = 0;
  // What the roles say, which it may alter. False: it is not said.
  virtual bool may_say(pb::Envelope& envelope) = 0;
};

// A machine of the pool: what survives its process, and the process while it runs.
struct Node {
  Node();
  ~Node();
  [[nodiscard]] bool is_server() const { return machine.empty(); }
  [[nodiscard]] bool stores() const;
  [[nodiscard]] bool computes() const;
  [[nodiscard]] Instant local(Instant now) const;

  std::string name, machine, owner;
  std::string version = "test";      // "newer" puts unknown fields into all it says.
  pb::RoleFlag flag{};               // What its process does.
  pb::RoleFlag says_flag{};          // What its Hello says it does, when that is something else.
  std::unique_ptr<Insider> insider;  // Of an intruder.
  std::unique_ptr<HashKeys> keys;
  RecordDisk records;
  ServerDisk database;  // The server's.
  EngineTraits engine;
  DiskTraits disk;
  int64_t clock_drift_ppm = 0;  // Its clock against the world's.

  std::unique_ptr<Process> process;  // Null: not running.
  uint64_t life = 0;  // Raised by every start and end: what an older life asked for is dropped.
  Line line;          // To the server.
  bool paused = false;
  uint64_t pauses = 0;                         // How often it was paused.
  uint64_t heals = 0;                          // How often a cut was healed.
  Instant started{};                           // Its process.
  std::vector<std::function<void()>> backlog;  // What waits for a paused process.
  std::vector<std::function<void()>> stalled;  // What was asked of a disk that hangs.
  std::optional<Instant> wake;                 // The earliest wake-up on the agenda.
};

// What someone who watches the world may want to see. Called in the order things happen.
class Observer {
 public:
  virtual ~Observer() = default;
  // A role says something; it may yet be lost on the way.
  virtual void on_send(const Node&, const pb::Envelope&) {}
  virtual void on_note(const Node&, const roles::Note&) {}
  // A change was applied, to the server's database or to a store's records: it is durable, though
  // nobody was told yet.
  virtual void on_committed(const Node&, const roles::Change&) {}
  virtual void on_stored(const Node&, const roles::RecordChange&) {}
  virtual void on_started(const Node&) {}
  virtual void on_ended(const Node&) {}
  // The server's database is now an older one, or empty: what it knew since then is lost by right.
  virtual void on_database_lost() {}
};

// A whole pool in one thread and in virtual time: the very roles and Driver of production over
// ports that live here. As built nothing goes wrong and nothing but an engine takes time; whoever
// holds the world makes it rougher through its nodes' fields and its lines.
class World {
 public:
  // `observer` outlives the object.
  World(uint64_t seed, Observer& observer);
  ~World();

  Agenda agenda{Instant(seconds(100))};
  Rng rng;
  Lines lines{*this};
  // The items of a job; by default those of the real tasks.
  std::function<Result<std::shared_ptr<const roles::FrozenTasks>>(const pb::JobRequest&)> freeze;
  roles::server::ServerOptions server_options{.release = {"test", 1}};
  Duration freezing{};  // Building a job's requests takes up to so much.
  // Each role is looked through after each step (it costs time).
  bool roles_are_checked = false;
  // Whoever measures what processes cost: gets each of their steps, and does it.
  std::function<void(const Node&, const std::function<void()>& step)> around_step;

  [[nodiscard]] Instant now() const { return agenda.now(); }
  // Not running yet. `key_of`: another node whose key it has, by mistake.
  Node& add(const std::string& name, pb::RoleFlag flag, const std::string& key_of = "");
  Node& node(const std::string& name) { return *nodes_.at(name); }
  [[nodiscard]] const std::map<std::string, std::unique_ptr<Node>>& nodes() const { return nodes_; }
  [[nodiscard]] Node* find(const std::string& machine) const;  // Null: none of this id.
  Node& server() { return *server_; }
  // From now on find() of its id finds this node. Returns whom it found before.
  Node& take_id(Node& node) { return *std::exchange(by_machine_[node.machine], &node); }

  // A process on what the node had stored; it connects by itself.
  void start(Node& node);
  void start_and_connect_now(Node& node);
  // The process is gone, and its line is seen to close unless it is cut off.
  void kill(Node& node);
  // It is told to end, and does when it may leave, or after `at_most`.
  void leave(Node& node, Duration at_most);
  void hang_disk(Node& node, bool hangs);
  void pause(Node& node);
  void resume(Node& node);

  // Whether the server, asked now, would count this node among its machines.
  [[nodiscard]] bool server_knows(const Node& node);

  // For the ports and the process. A role of this node, or an insider, says it.
  void send(Node& from, pb::Envelope envelope);
  // Runs `what` in the node's process, if it still is the same, and looks after its wake-ups.
  void in_process(Node& node, uint64_t life, std::function<void(Process&)> what);
  void in_process_after(Node& node, Duration delay, std::function<void(Process&)> what);
  Observer& observer() { return observer_; }

 private:
  void schedule_wake(Node& node);

  Observer& observer_;
  std::map<std::string, std::unique_ptr<Node>> nodes_;  // By name; "server" is one.
  std::map<std::string, Node*> by_machine_;
  Node* server_ = nullptr;
  pb::PoolStatus server_status_;  // The last one it was asked for by the world itself.
};

}  // namespace muster::sim
