#pragma once

#include "roles/role.h"

namespace muster::host {

// What the Driver needs of the outside world. Production's are in io/, the simulator's in sim/.
// None blocks: what takes time answers later, with an event through the Inbox.

// Where events for this process's roles go in. Safe from any thread.
class Inbox {
 public:
  virtual ~Inbox() = default;
  virtual void post(pb::Role role, roles::Event event) = 0;
  // An envelope from another process; `from` is vouched for.
  virtual void receive(pb::Envelope envelope) = 0;
};

class Net {
 public:
  virtual ~Net() = default;
  // Towards envelope.to. May be lost; never blocks.
  virtual void send(pb::Envelope envelope) = 0;
  // Gives up the line to the server and opens a new one. Nothing on the server itself.
  virtual void reopen_line() {}
};

// What the server keeps.
class Database {
 public:
  virtual ~Database() = default;
  // All of it or nothing; answered by Stored to `owner`.
  virtual void commit(pb::Role owner, roles::Commit commit) = 0;
  // Answered by JobsFound, after every commit that was asked for before it. Sees all that were
  // answered before it, and none that is answered later.
  virtual void find(pb::Role owner, const roles::FindJobs& find) = 0;
};

// What a storage node keeps. A read sees every write that was asked for before it.
class Records {
 public:
  virtual ~Records() = default;
  virtual void write(pb::Role owner, roles::RecordWrite write) = 0;               // Stored
  virtual void read(pb::Role owner, const roles::ReadRecords& read) = 0;          // RecordsRead
  virtual void read_digests(pb::Role owner, const roles::ReadDigests& read) = 0;  // DigestsRead
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual void load(pb::Role owner, const roles::LoadModel& load) = 0;  // ModelLoading, ModelLoaded
  virtual void score(pb::Role owner, const roles::ScoreItem& score) = 0;  // Scoring, ItemScored
  virtual void stop_scoring() = 0;
};

class Hub {
 public:
  virtual ~Hub() = default;
  virtual void pin(pb::Role owner, const roles::PinModel& pin) = 0;  // ModelPinned
};

class Compute {
 public:
  virtual ~Compute() = default;
  virtual void freeze(pb::Role owner, const roles::FreezeRequests& freeze) = 0;  // RequestsFrozen
};

// Where notes go: the console of the process, a test's transcript.
class Console {
 public:
  virtual ~Console() = default;
  virtual void note(pb::Role role, const roles::Note& note) = 0;
};

// A process has those its roles use; the others are null. All outlive the Driver.
struct Ports {
  Net* net = nullptr;
  Console* console = nullptr;
  Database* database = nullptr;
  Engine* engine = nullptr;
  Records* records = nullptr;
  Hub* hub = nullptr;
  Compute* compute = nullptr;
};

}  // namespace muster::host
