// muster: every role and every command of the pool.
#include "apps/daemon.h"
#include "cli/command.h"
#include "identity/channels/server_credentials.h"

#include <cstdlib>

int main(int argc, char** argv) {
  // What is worth saying about a line, muster says itself; gRPC names its source files.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  muster::identity::prepare_grpc();
  CLI::App app{"muster: evaluates language models on a pool of lent machines", "muster"};
  app.set_version_flag("--version", "muster " MUSTER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Example:\n  muster run --llm_name EleutherAI/pythia-14m --tasks tinyMMLU,tinyHellaswag");
  muster::cli::Commands commands;
  muster::cli::add_run_command(app, commands);
  muster::cli::add_pool_commands(app, commands);
  muster::cli::add_machine_commands(app, commands);
  muster::cli::add_token_commands(app, commands);
  muster::cli::add_login_commands(app, commands);
  muster::cli::add_requests_command(app, commands);
  muster::apps::add_server_command(app, commands);
  muster::apps::add_worker_command(app, commands);
  muster::apps::add_coordinator_command(app, commands);
  muster::apps::add_website_command(app, commands);
  muster::apps::add_backup_commands(app, commands);
  muster::apps::add_health_command(app, commands);
  muster::apps::add_sim_command(app, commands);
  return muster::cli::run_program(app, commands, argc, argv);
}
