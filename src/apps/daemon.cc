#include "apps/daemon.h"

#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <ctime>

#include "base/address.h"
#include "base/printable.h"
#include "cli/flag_checks.h"
#include "cli/terminal.h"
#include "io/descriptors.h"
#include "io/status/health_pages.h"
#include "io/status/metrics.h"

namespace muster::apps {

void add_daemon_flags(CLI::App& command, DaemonFlags& flags, int status_port) {
  flags.status_port = status_port;
  command.add_option("--state_dir", flags.state_dir,
                     "its own folder [~/.local/state/muster/" + command.get_name() + "]");
  command.add_option("--log_level", flags.log_level, "how much it says")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  const std::string unless_given = status_port > 0 ? std::to_string(status_port) : "none";
  command
      .add_option(
          "--status_port", flags.status_port,
          "port with /livez, /readyz, /healthz and /metrics; 0: none [" + unless_given + "]")
      ->check(CLI::Range(0, 65535))
      ->each([&flags](const std::string&) { flags.status_port_is_given = true; });
  command.add_option("--status_ip", flags.status_ip, "address of that port")
      ->check(cli::host_alone())
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

Result<std::unique_ptr<io::StatusPort>> open_status_port(const DaemonFlags& flags,
                                                         const io::Health& health,
                                                         io::Readings& readings) {
  if (flags.status_port == 0) return nullptr;
  MUSTER_TRY(Address address, parse_address(flags.status_ip));
  address.port = flags.status_port;
  io::StatusPort::Pages pages = io::health_pages(health);
  pages.merge(io::metrics_pages(readings, std::time(nullptr)));
  auto port = io::StatusPort::open(address, std::move(pages));
  if (port || flags.status_port_is_given) return port;
  spdlog::warn("no status port: {}, or 0 for none", port.error().message);
  return nullptr;
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
