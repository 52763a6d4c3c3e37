#include <cstdio>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/flag_checks.h"
#include "eval/task.h"

namespace muster::cli {
namespace {

struct Options {
  std::string task;
  std::optional<double> limit;
};

Status print_requests(const Options& options) {
  MUSTER_TRY(const eval::Task* task, eval::find_task(options.task));
  MUSTER_TRY(const auto items, eval::build_items(*task, {options.limit, std::nullopt}));
  for (const eval::Item& item : items) {
    for (const eval::Request& request : item.requests) {
      const Json line{{"context", request.context}, {"continuation", request.continuation}};
      std::printf("%s\n", line.dump().c_str());
    }
  }
  return {};
}

}  // namespace

void add_requests_command(CLI::App& app, Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("requests", "print a task's requests as muster-engine reads them");
  command->add_option("task", options->task, "name of the task")->required();
  command->add_option("--limit", options->limit, "the first N documents, or a share below 1")
      ->check(number_between(1e-9, 1e9));
  command->footer("Example:\n  muster requests tinyMMLU --limit 2");
  commands["requests"] = [options] { return print_requests(*options); };
}

}  // namespace muster::cli
