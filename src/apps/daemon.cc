#include "apps/daemon.h"

#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/printable.h"
#include "cli/terminal.h"
#include "io/descriptors.h"

namespace muster::apps {

void add_daemon_flags(CLI::App& command, DaemonFlags& flags) {
  command.add_option("--state_dir", flags.state_dir,
                     "its own folder [~/.local/state/muster/" + command.get_name() + "]");
  command.add_option("--log_level", flags.log_level, "how much it says")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
}

Result<io::StateDir> begin_daemon(const DaemonFlags& flags, const std::string& role) {
  ::signal(SIGPIPE, SIG_IGN);  // A console that is gone does not end a daemon.
  ::signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is a write that fails, like a full disk.
  io::raise_descriptor_limit();
  auto logger = spdlog::stderr_color_mt(
      role, cli::is_plain_terminal() ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  logger->set_pattern("%H:%M:%S.%e %n: %^%v%$");
  logger->set_level(spdlog::level::from_str(flags.log_level));
  spdlog::set_default_logger(std::move(logger));
  const Path path =
      flags.state_dir.empty() ? io::StateDir::default_path(role) : expanded(flags.state_dir);
  return io::StateDir::open(path, role);
}

// A note may quote a peer, a file or a Hub.
void LogConsole::note(pb::Role, const roles::Note& note) {
  const std::string text = printable(note.text, 2000);
  if (note.level == roles::Note::Level::kWarning) {
    spdlog::warn(text);
  } else {
    spdlog::info(text);
  }
}

}  // namespace muster::apps
