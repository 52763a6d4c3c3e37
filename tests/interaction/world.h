#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/driver.h"
#include "roles/keys.h"

namespace muster::interaction {

// A pool in one thread and in virtual time: the very roles and Driver of production over ports that
// live here. Messages take no time and arrive in order unless a machine is cut off; a write is
// durable as soon as it is asked for; an engine takes a second an item and answers by a hash of the
// question. Everything worth telling goes to `transcript`, with names instead of ids.
class World {
 public:
  World();
  ~World();

  void start_server();
  void join(const std::string& name, pb::RoleFlag flag);
  [[nodiscard]] bool is_running(const std::string& name) const;
  void kill(const std::string& name);     // Its line closes at once.
  void restart(const std::string& name);  // A new process on what it had stored.
  // Every storage role is built anew from what it stored, while the rest of its process lives on.
  void rebuild_storage();
  void cut(const std::string& name);      // Silence, both ways.
  void heal(const std::string& name);
  void set_lying(const std::string& name, bool lying);
  void set_seconds_per_item(const std::string& name, double seconds);  // 0: never ends.
  void set_engine_failing(const std::string& name, bool failing);
  void set_disk_full(const std::string& name, bool full);
  void set_model_missing(const std::string& name, bool missing);

  void submit(const pb::JobRequest& request);
  void cancel();
  void advance(Duration duration);
  // Until the job is over, or for `limit` of virtual time.
  void run_job(Duration limit);

  // The job's row as the server has committed it.
  [[nodiscard]] pb::JobRow row() const;
  [[nodiscard]] std::string show_view() const;
  // How many records each store holds, acknowledged answers being on all of them.
  [[nodiscard]] std::string show_records() const;
  // Whether the result equals that of one process that asks the same engine alone.
  [[nodiscard]] bool result_equals_alone() const;

  // What a script came to, whoever was restarted on the way: the job's state and numbers, and the
  // value of every settled item.
  [[nodiscard]] std::string outcome() const;

  // A text with names in the place of machines' and the job's ids.
  [[nodiscard]] std::string with_names(std::string text) const;

  std::string transcript;

 private:
  struct Node;
  class NodeNet;
  class NodeStore;
  class NodeEngine;
  class NodeCompute;
  class NodeConsole;
  class NodeKeys;

  Node& node(const std::string& name);
  void build(Node& node);
  void attach(Node& node);
  void at(Instant when, std::function<void()> what);
  void carry(Node& from, pb::Envelope envelope);
  void tell(const std::string& who, const std::string& text);
  void tell_message(const pb::Envelope& envelope);
  [[nodiscard]] std::string name_of(const pb::Address& address) const;
  bool step_once(Instant until);

  Instant now_{seconds(100)};
  uint64_t sequence_ = 0;
  std::map<std::pair<Instant, uint64_t>, std::function<void()>> agenda_;
  std::map<std::string, std::unique_ptr<Node>> nodes_;  // By name; "server" is one.
  std::string job_;
};

}  // namespace muster::interaction
