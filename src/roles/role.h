#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "roles/counts.h"
#include "roles/database.h"
#include "roles/records.h"
#include "wire/envelope.h"

namespace muster::eval {
struct Item;
}

namespace muster::roles {

using namespace wire;  // Roles speak the wire's words.

// ---- What a role may ask to have done. Each is answered by an event of the same name.

// Look up which commit a model's name means.
struct PinModel {
  uint64_t call = 0;
  std::string model;
};
// Build every request of a job, in lm-eval's order.
struct FreezeRequests {
  RunKey run;
  pb::JobRequest request;
};
// Have the weights on this machine and in the engine; the one loaded before is dropped.
struct LoadModel {
  pb::ModelPin model;
};
// Score the requests of one item with the loaded model.
struct ScoreItem {
  using Request = std::pair<std::string, std::string>;  // {context, continuation}
  uint64_t id = 0;
  std::vector<Request> requests;
};
// Drop all scoring that has been asked for.
struct StopScoring {};
using Command = std::variant<PinModel, FreezeRequests, LoadModel, ScoreItem, StopScoring,
                             ReadRecords, ReadDigests, FindJobs>;

// ---- What can happen to a role.

// Time has come: no later than the last wake_at, possibly sooner.
struct Tick {};
// A message for this role. `from` is true: the transport vouches for it.
struct Received {
  pb::Envelope envelope;
};
enum class Outcome { kDone, kFailed, kUnknown };
struct Stored {
  WriteId id = 0;
  Outcome outcome = Outcome::kDone;
  std::string why;  // When it failed, in words a person can act on.
};
// On the server: a node has proven who it is, or its line has closed.
struct NodeJoined {
  std::string machine;
  pb::Hello hello;
  pb::Holder holder;  // No role: no certificate is demanded here.
};
struct NodeLeft {
  std::string machine;
};
// On the server: a node said what it may not say, or at a length that nobody may; it was not passed
// on.
struct Misspoken {
  std::string machine;
  std::string what;  // For a person.
  uint32_t times = 1;
};
// On a node: the line to the server is up, or down.
struct LineUp {};
struct LineDown {};
// This process stood still for a while (stopped, swapped out): what it did not hear meanwhile was
// not silence. Comes before anything that has queued.
struct Resumed {};

struct ModelPinned {
  uint64_t call = 0;
  Result<pb::ModelPin> model;
};
// The items of one task of a job, in document order.
struct FrozenTask {
  std::string task;
  std::string version;
  int32_t num_fewshot = 0;
  int64_t documents = 0;
  std::string note;
  std::vector<eval::Item> items;
};
using FrozenTasks = std::vector<FrozenTask>;
struct RequestsFrozen {
  RunKey run;
  Result<std::shared_ptr<const FrozenTasks>> tasks;
};
// Something to tell about a LoadModel that is under way.
struct ModelLoading {
  std::string commit;
  std::string what;  // "fetching 12 of 98 MB"
};
struct ModelLoaded {
  std::string commit;
  Result<std::string> numeric_class;
};
struct Scoring {  // A ScoreItem is under way and has moved on.
  uint64_t id = 0;
};
struct Scores {
  std::vector<pb::Response> responses;  // One per request.
  std::string model_digest;             // In hex: of the weights and files that they come from.
};
struct ItemScored {
  uint64_t id = 0;
  Result<Scores> scores;
};
struct RecordsRead {
  pb::Address reader;
  Result<pb::Feed> feed;
  std::vector<Digest> damaged;  // Names whose bytes are not there or not theirs; not in the feed.
};
struct DigestsRead {
  pb::Envelope about;
  Result<std::vector<Digest>> digests;  // In no order.
};

using Event = std::variant<Tick, Received, Stored, NodeJoined, NodeLeft, Misspoken, LineUp,
                           LineDown, Resumed, ModelPinned, RequestsFrozen, ModelLoading,
                           ModelLoaded, Scoring, ItemScored, RecordsRead, DigestsRead, JobsFound>;

// ---- What one step asks the outside world to do. Plain data: the daemon executes it, the
// simulator executes it under faults, a test simply reads it.

struct Send {
  pb::Envelope envelope;
  WriteId after = 0;  // Leaves only after this write is durable; 0: at once.
};
// What a sentence is about, by whole ids; empty: about nothing of that kind.
struct About {
  std::string job, machine;
  std::string lease;  // As name_of() (wire/lease_id.h) has it; a job's own.
};
// A sentence for the console of the process.
struct Note {
  enum class Level { kInfo, kWarning } level = Level::kInfo;
  std::string text;
  About about;
};

// Order is part of the contract: a message in `send` that names a write leaves only after that
// write is durable. A crash in between loses messages, never promises. A write that failed, or
// whose outcome is unknown, comes back as an event, and the messages that waited for it are
// dropped. What is read was asked for after the writes of the same step.
struct Effects {
  std::vector<Commit> commits;      // Of the server, to its database.
  std::vector<RecordWrite> writes;  // Of a storage node, to its records.
  std::vector<Send> send;
  std::vector<Command> run;
  std::vector<Note> notes;
  std::vector<Count> counts;
  // Records that all stores of the view have now: how long each took since it was first sent.
  std::vector<Duration> acknowledged;
  std::optional<Instant> wake_at;  // Step with a Tick no later than this.

  void wake_by(Instant at) {
    if (!wake_at || at < *wake_at) wake_at = at;
  }
  void note(std::string text, About about = {}) {
    notes.push_back({Note::Level::kInfo, std::move(text), std::move(about)});
  }
  void warn(std::string text, About about = {}) {
    notes.push_back({Note::Level::kWarning, std::move(text), std::move(about)});
  }
  void count(Count::What what, std::string of = "") { counts.push_back({what, std::move(of)}); }
};

// What every role is: takes in one event and returns what to do about it. `now` never moves back
// between calls. Never blocks, never throws, and no message from a peer can make it crash: a
// malformed or stale one is dropped.
class Role {
 public:
  virtual ~Role() = default;
  [[nodiscard]] virtual Effects step(Instant now, const Event& event) = 0;
  // How many things it keeps that go away by themselves once nothing is going on: leases, records
  // on their way, waiting readers, jobs in hand.
  [[nodiscard]] virtual size_t pending() const = 0;
  // Adds how many there are now of what it has.
  virtual void measure(Gauges&) const {}
  // Counts anew what it keeps derived, and stops the process where that is wrong. Slow: for the
  // simulator.
  virtual void check() const {}
};

// ---- Numbers that several roles hold in common (design: section 5 and 6).

constexpr Duration kHeartbeatEvery = seconds(2);
constexpr Duration kSilence = seconds(8);       // Without any traffic: gone.
constexpr Duration kServerGrace = seconds(15);  // After its start, for nodes to come back.
constexpr Duration kRepeatEvery = seconds(2);   // Unanswered requests are sent again.
constexpr Duration kPauseNoticed = seconds(2);  // A tick so late means the process stood still.
constexpr size_t kMaxPutBytes = 192u << 10;     // Of records in one Put or Feed.

}  // namespace muster::roles
