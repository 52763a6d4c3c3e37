#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/server_address.h"
#include "host/ports.h"
#include "io/state_dir.h"
#include "io/status/health.h"
#include "io/status/readings.h"
#include "io/status/status_port.h"
#include "io/stop_signal.h"

namespace muster::apps {

// Flags that every daemon has.
struct DaemonFlags {
  std::string state_dir, log_level = "info", status_ip = "127.0.0.1";
  std::string log_format = "text";
  int status_port = 0;  // 0: none.
  bool status_port_is_given = false;

  [[nodiscard]] bool logs_json() const { return log_format == "json"; }
};
constexpr int kStatusPort = 8787;
// `status_port`: where none is given.
void add_daemon_flags(CLI::App& command, DaemonFlags& flags, int status_port = kStatusPort);

// How long a node may take to leave: "60s"; "0": it ends at once.
struct DrainFlag {
  std::string text = "60s";
  [[nodiscard]] std::chrono::seconds at_most() const;
};
void add_drain_flag(CLI::App& command, DrainFlag& flag);

// Sets the log up (stderr, one line an event) and takes the state folder. `signal` says what it has
// to say like the log.
Result<io::StateDir> begin_daemon(const DaemonFlags& flags, const std::string& role,
                                  io::StopSignal& signal);
// What ended a daemon, as a line of its log where that is JSON; the code alone is left then.
Status told_in_log(const DaemonFlags& flags, const std::string& role, Status ended);

// Where this daemon tells how it is. Null: nowhere, since that was wished; or since the port that
// daemons have where none is given is another's, which is warned of. kUnavailable: one that was
// given is in use. Both outlive it.
Result<std::unique_ptr<io::StatusPort>> open_status_port(const DaemonFlags& flags,
                                                         const io::Health& health,
                                                         io::Readings& readings);

// Notes of the roles, on the log.
class LogConsole final : public host::Console {
 public:
  struct Noted {
    pb::Role role;
    const roles::Note& note;
  };
  void note(pb::Role role, const roles::Note& note) override;
};

void add_server_command(CLI::App& app, cli::Commands& commands);
void add_worker_command(CLI::App& app, cli::Commands& commands);
void add_coordinator_command(CLI::App& app, cli::Commands& commands);
void add_backup_commands(CLI::App& app, cli::Commands& commands);
void add_health_command(CLI::App& app, cli::Commands& commands);
void add_website_command(CLI::App& app, cli::Commands& commands);
void add_sim_command(CLI::App& app, cli::Commands& commands);

}  // namespace muster::apps
