// status, jobs, cancel, why, pardon: one question to the pool each.
#include <cstdio>

#include "base/json.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "cli/machine_json.h"
#include "cli/server_address.h"
#include "cli/table.h"
#include "cli/times.h"
#include "client/pool_client.h"
#include "wire/job_state.h"
#include "wire/role_flag.h"

namespace muster::cli {
namespace {

constexpr size_t kMostLine = 1000;  // Bytes of an explanation.

struct Options {
  ServerAddress server;
  bool json = false;
  std::string job, machine;
};

std::string tasks_of(const pb::JobRow& row) {
  std::string text;
  for (const std::string& task : row.request().tasks()) text += (text.empty() ? "" : ",") + task;
  return text;
}

std::string items_of(const pb::JobRow& row) {
  return std::to_string(row.settled_items()) + "/" + std::to_string(row.total_items());
}

Json job_json(const pb::JobRow& row) {
  return {{"job", row.job()},
          {"run", row.run()},
          {"state", wire::to_word(row.state())},
          {"researcher", row.researcher()},
          {"model", row.model().name()},
          {"tasks", tasks_of(row)},
          {"settled", row.settled_items()},
          {"total", row.total_items()},
          {"reason", row.reason()}};
}

std::string jobs_table(const google::protobuf::RepeatedPtrField<pb::JobRow>& rows) {
  Table table(
      {{"Job"}, {"State"}, {"Model"}, {"Tasks"}, {"Items", Table::Align::kRight}, {"Reason"}});
  for (const auto& row : rows) {
    table.add_row({row.job(), std::string(wire::to_word(row.state())), row.model().name(),
                   tasks_of(row), items_of(row), row.reason()});
  }
  return table.text();
}

Json status_json(const pb::PoolStatus& status) {
  Json machines = Json::array(), jobs = Json::array();
  for (const auto& machine : status.machines()) machines.push_back(machine_json(machine));
  for (const auto& row : status.jobs()) jobs.push_back(job_json(row));
  return {{"version", status.version()},
          {"view", status.view().number()},
          {"copies", status.view().members_size()},
          {"copies_wanted", status.copies_wanted()},
          {"machines", std::move(machines)},
          {"jobs", std::move(jobs)}};
}

Status show_status(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto status, pool.status());
  if (options.json) {
    std::printf("%s\n", status_json(status).dump(-1, ' ', true).c_str());
    return {};
  }
  std::printf("muster %s, copies %d of %u\n\n", printable(status.version()).c_str(),
              status.view().members_size(), status.copies_wanted());
  Table table({{"Machine"}, {"Role"}, {"State"}, {"Owner"}, {"Version"}, {"Reason"}});
  for (const auto& machine : status.machines()) {
    table.add_row({machine.machine(), std::string(wire::to_word(machine.role_flag())),
                   machine.state(), machine.owner(), machine.version(), machine.reason()});
  }
  std::printf("%s", table.text().c_str());
  if (status.jobs_size() > 0) std::printf("\n%s", jobs_table(status.jobs()).c_str());
  return {};
}

Status show_jobs(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto list, pool.list());
  if (options.json) {
    for (const auto& row : list.rows())
      std::printf("%s\n", job_json(row).dump(-1, ' ', true).c_str());
  } else {
    std::printf("%s", jobs_table(list.rows()).c_str());
  }
  return {};
}

Status cancel_job(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY_STATUS(pool.cancel(options.job));
  if (options.json) {
    std::printf("%s\n", Json{{"job", options.job}, {"state", "cancelled"}}.dump().c_str());
  } else {
    std::printf("job %s is cancelled\n", printable(options.job).c_str());
  }
  return {};
}

Status pardon_machine(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto reply, pool.pardon(options.machine));
  if (options.json) {
    std::printf("%s\n", Json{{"machine", reply.machine()}, {"state", "pardoned"}}.dump().c_str());
  } else {
    std::printf("machine %s is pardoned\n", printable(reply.machine()).c_str());
  }
  return {};
}

Json why_json(const pb::WhyReply& reply) {
  Json reasons = Json::array();
  for (const auto& reason : reply.reasons()) {
    reasons.push_back({{"job", reason.job()},
                       {"run", reason.run()},
                       {"machine", reason.machine()},
                       {"text", reason.text()},
                       {"at_ms", reason.at_ms()},
                       {"times", reason.times()}});
  }
  return {{"what", reply.what()}, {"now", reply.now()}, {"reasons", std::move(reasons)}};
}

Status explain(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto reply, pool.why(options.job));
  if (options.json) {
    std::printf("%s\n", why_json(reply).dump(-1, ' ', true).c_str());
    return {};
  }
  std::printf("%s\n", printable(reply.what() + ": " + reply.now(), kMostLine).c_str());
  for (const auto& reason : reply.reasons()) {
    const bool of_a_machine = !reason.machine().empty() && reason.machine() != reply.what();
    std::string line = local_time(reason.at_ms()) + "  ";
    if (reason.job() != reply.what()) line += "job " + reason.job().substr(0, 8) + ": ";
    if (of_a_machine) line += "machine " + reason.machine().substr(0, 8) + ": ";
    line += reason.text();
    if (reason.times() > 1) line += " (" + std::to_string(reason.times()) + " times)";
    std::printf("%s\n", printable(line, kMostLine).c_str());
  }
  return {};
}

using Action = Status (*)(const Options&);

CLI::App* add(CLI::App& app, Commands& commands, const char* name, const char* what, Action action,
              const std::shared_ptr<Options>& options, const std::string& example = "") {
  auto* command = app.add_subcommand(name, what);
  command->add_flag("--json", options->json, "JSON on stdout");
  add_server_flags(*command, options->server);
  command->footer(std::string("Example:\n  muster ") + name + example);
  commands[name] = [options, action] { return action(*options); };
  return command;
}

}  // namespace

void add_pool_commands(CLI::App& app, Commands& commands) {
  add(app, commands, "status", "who is in the pool and what it does", show_status,
      std::make_shared<Options>());
  add(app, commands, "jobs", "every job and its state", show_jobs, std::make_shared<Options>());
  auto options = std::make_shared<Options>();
  auto* cancel = add(app, commands, "cancel", "end a job", cancel_job, options, " 3fa9c2d1");
  cancel->add_option("job", options->job, "its id, or how it begins")
      ->required()
      ->check(line_of_text(kMostNameBytes));
  auto what = std::make_shared<Options>();
  auto* why = add(app, commands, "why",
                  "why a job or a machine is as it is: every wait, refusal and "
                  "lost vote",
                  explain, what, " 3fa9c2d1");
  why->add_option("what", what->job, "a job's or machine's id, or how it begins")
      ->required()
      ->check(line_of_text(kMostNameBytes));
  auto machine = std::make_shared<Options>();
  auto* pardon = add(app, commands, "pardon", "lend a quarantined machine again", pardon_machine,
                     machine, " 8ca2d714");
  pardon->add_option("machine", machine->machine, "its id, or how it begins")
      ->required()
      ->check(line_of_text(kMostNameBytes));
}

}  // namespace muster::cli
