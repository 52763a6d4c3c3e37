#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/measures.h"
#include "host/ports.h"
#include "roles/role.h"

namespace muster::host {

// Runs the roles of one process: delivers events, executes effects, keeps the promise that a
// message which names a write leaves only after that write is durable, and carries what one role of
// the process says to another without the network. Also beats the heart of a node's line, and tells
// the roles when the process itself stood still. An envelope that its sender may not say to this
// role is dropped; what a role says fits the bounds of the wire; an event that a role cannot take
// in (it throws: nothing should) is dropped and told to the console, and the process goes on.
//
// One thread calls it. It does not look at a clock and starts nothing: the daemon's loop and the
// simulator drive it alike.
class Driver {
 public:
  // `machine` is this process's id; empty for the server.
  Driver(std::string machine, const Ports& ports);

  void add_role(pb::Role name, std::unique_ptr<roles::Role> role);
  // From here on a role is looked through after each step.
  void check_each_step() { checks_ = true; }

  // One event for one role, and everything that follows from it inside this process.
  void deliver(Instant now, pb::Role role, roles::Event event);
  // An envelope from outside.
  void receive(Instant now, pb::Envelope envelope);
  // This process is to end soon: the server hears it with every heartbeat, at once if the line is
  // up. `may_leave` is called once when nothing would be lost with it: its leases have ended, and
  // others hold what it stores. Without a line that is at once, and when it breaks.
  void leave(Instant now, std::function<void()> may_leave);
  // Call no later than wake_at().
  void tick(Instant now);
  [[nodiscard]] std::optional<Instant> wake_at() const;
  // Of all its roles, and messages that wait for a write.
  [[nodiscard]] size_t pending() const;
  // Costs what there is to count: some microseconds a thousand machines.
  [[nodiscard]] Measures measure() const;

 private:
  struct Hosted {
    std::unique_ptr<roles::Role> role;
    std::optional<Instant> wake_at;
    // For a write to be durable: as many as the port takes. It answers each, and one that it does
    // not take at once, by kFailed: what waited for that is dropped.
    std::map<roles::WriteId, std::vector<pb::Envelope>> waiting;
  };
  struct Pending {
    pb::Role role;
    roles::Event event;
  };

  void drain(Instant now);
  void step(Instant now, const Pending& pending);
  void step_role(Instant now, const Pending& pending, Hosted& hosted);
  void release(Hosted& hosted, const roles::Stored& stored);
  void execute(pb::Role name, Hosted& hosted, roles::Effects effects);
  void execute(pb::Role name, const roles::Command& command);
  void send(pb::Envelope envelope);
  void route_local(pb::Envelope envelope);
  void watch_line(Instant now, const roles::Event& event);
  void end_line();
  void notice_pause(Instant now);
  void beat(Instant now);
  void take_heartbeat(const pb::Heartbeat& heartbeat);

  std::string machine_;
  Ports ports_;
  std::map<pb::Role, Hosted> roles_;
  // Empty between calls, each of which drains it: it has what one event makes the roles of this
  // process say to each other, and nobody else can add to it meanwhile.
  std::deque<Pending> queue_;
  Measures counted_;  // Of the roles' counts alone.
  bool line_up_ = false;
  std::function<void()> may_leave_;  // Set while it is leaving.
  bool checks_ = false;
  Instant heard_{}, beat_due_{};
};

}  // namespace muster::host
