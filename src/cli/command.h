#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"

namespace muster::cli {

// The commands of the program: each add_*_command() puts its flags on `app` and what it does here,
// under its name.
using Commands = std::map<std::string, std::function<Status()>>;

void add_requests_command(CLI::App& app, Commands& commands);
void add_run_command(CLI::App& app, Commands& commands);
void add_pool_commands(CLI::App& app, Commands& commands);  // status, jobs, cancel, why, pardon
void add_machine_commands(CLI::App& app, Commands& commands);
void add_token_commands(CLI::App& app, Commands& commands);
void add_login_commands(CLI::App& app, Commands& commands);

// Parses the command line and runs one command. Returns the process exit code; errors go to
// stderr as one sentence.
int run_program(CLI::App& app, Commands& commands, int argc, char** argv);

}  // namespace muster::cli
