#pragma once

#include <string>

#include "cli/command.h"
#include "cli/server_address.h"
#include "host/ports.h"
#include "io/state_dir.h"

namespace muster::apps {

// Flags that every daemon has.
struct DaemonFlags {
  std::string state_dir, log_level = "info";
};
void add_daemon_flags(CLI::App& command, DaemonFlags& flags);

// Sets the log up (stderr, one line an event) and takes the state folder.
Result<io::StateDir> begin_daemon(const DaemonFlags& flags, const std::string& role);

// Notes of the roles, on the log.
class LogConsole final : public host::Console {
 public:
  void note(pb::Role role, const roles::Note& note) override;
};

void add_server_command(CLI::App& app, cli::Commands& commands);
void add_worker_command(CLI::App& app, cli::Commands& commands);
void add_coordinator_command(CLI::App& app, cli::Commands& commands);
void add_backup_commands(CLI::App& app, cli::Commands& commands);
void add_sim_command(CLI::App& app, cli::Commands& commands);

}  // namespace muster::apps
