#pragma once

#include <string>

#include "sim/world.h"

namespace muster::interaction {

// A simulated pool in which nothing goes wrong by itself, driven by the commands of a script.
// Messages take no time and arrive in order unless a machine is cut off; a write is durable as soon
// as it is asked for; an engine takes a second an item and answers by a hash of the question.
// Everything worth telling goes to `transcript`, with names instead of ids, as far as `told` says.
class Stage final : private sim::Observer {
 public:
  Stage();

  void start_server();
  void join(const std::string& name, pb::RoleFlag flag, const std::string& owner = "");
  [[nodiscard]] bool has(const std::string& name) const;  // A node, running or not.
  [[nodiscard]] bool has_job() const { return !job_.empty(); }
  [[nodiscard]] bool is_running(const std::string& name) const;
  void kill(const std::string& name);  // Its line closes at once.
  // It is told to end; its line closes when it may leave, and after a minute.
  void leave(const std::string& name);
  void restart(const std::string& name);  // A new process on what it had stored.
  // Every storage role is built anew from what it stored, while the rest of its process lives on.
  void rebuild_storage();
  // The server is started again on the database of the last back_up().
  void back_up();
  void restore();
  void cut(const std::string& name);  // Silence, both ways.
  void heal(const std::string& name);
  void set_lying(const std::string& name, bool lying);
  void set_seconds_per_item(const std::string& name, double seconds);  // 0: never ends.
  void set_engine_failing(const std::string& name, bool failing);
  void set_objecting(const std::string& name,
                     const std::string& to);  // "model", "items", "nothing".
  void set_disk_full(const std::string& name, bool full);
  void hang_disk(const std::string& name);  // What it is asked to write is never answered.
  void rot(const std::string& name, uint64_t record);   // Alters a record on its disk.
  void lose(const std::string& name, uint64_t record);  // It is not there any more.
  void pause(const std::string& name);                  // Stands still, like by SIGSTOP.
  void resume(const std::string& name);
  void set_model_missing(const std::string& name, bool missing);

  // Its numeric class from the next model it loads on; all are exact and give the very same
  // answers.
  void set_class(const std::string& name, const std::string& numeric_class);
  // Before the server starts: what it has committed about a machine that is still to join.
  void know(const std::string& name, uint64_t agreed);
  void set_retain(Duration retain);  // Before the server starts.
  void pardon(const std::string& name);
  void why(const std::string& what);  // A node's name, or "job".

  void submit(const pb::JobRequest& request, const std::string& idempotency_key = "",
              const std::string& researcher = "");
  void cancel();
  void advance(Duration duration);
  // Until the job is over, or for `limit` of virtual time.
  void run_job(Duration limit);

  // The job's row as the server has committed it.
  [[nodiscard]] pb::JobRow row() const;
  [[nodiscard]] std::string show_view() const;
  // How many records each store holds, acknowledged answers being on all of them.
  [[nodiscard]] std::string show_records() const;
  // What the server has committed about each machine's answers.
  [[nodiscard]] std::string show_machines() const;
  // Whether the result equals that of one process that asks the same engine alone.
  [[nodiscard]] bool result_equals_alone() const;

  // What a script came to, whoever was restarted on the way: the job's state and numbers, and the
  // value of every settled item.
  [[nodiscard]] std::string outcome() const;

  // A text with names in the place of machines' and the job's ids.
  [[nodiscard]] std::string with_names(std::string text) const;

  std::string transcript;
  enum class Told { kAll, kAllButLending, kNothing } told = Told::kAll;

 private:
  void on_send(const sim::Node& from, const pb::Envelope& envelope) override;
  void on_note(const sim::Node& from, const roles::Note& note) override;
  sim::Node& node(const std::string& name);
  void ask(pb::Envelope envelope);
  void tell(const std::string& who, const std::string& text);
  [[nodiscard]] std::string name_of(const pb::Address& address) const;

  sim::World pool_;
  sim::ServerDisk backup_;
  std::string job_;
};

}  // namespace muster::interaction
