#include "apps/daemon.h"

#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <ctime>

#include "base/address.h"
#include "base/printable.h"
#include "cli/duration.h"
#include "cli/flag_checks.h"
#include "cli/terminal.h"
#include "io/descriptors.h"
#include "io/log_line.h"
#include "io/status/health_pages.h"
#include "io/status/metrics.h"
#include "wire/role_word.h"

namespace muster::apps {
namespace {

// The note that this thread is about to log; null: it logs something else.
thread_local const LogConsole::Noted* noted = nullptr;

// A line of JSON for each; what a note is about comes beside its text.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& said, spdlog::memory_buf_t& line) override {
    const std::string_view level(spdlog::level::to_string_view(said.level).data());
    io::LogLine log{said.time,
                    level,
                    std::string_view(said.logger_name.data(), said.logger_name.size()),
                    std::string_view(said.payload.data(), said.payload.size()),
                    {}};
    if (noted != nullptr) {
      log.role = wire::to_word(noted->role);
      log.about = noted->note.about;
    }
    const std::string text = io::json_line(log);
    line.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

void add_daemon_flags(CLI::App& command, DaemonFlags& flags, int status_port) {
  flags.status_port = status_port;
  command.add_option("--state_dir", flags.state_dir,
                     "its own folder [~/.local/state/muster/" + command.get_name() + "]");
  command.add_option("--log_level", flags.log_level, "how much it says")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  command
      .add_option("--log_format", flags.log_format,
                  "text, or json: an object a line, with ids of jobs, leases and machines")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  const std::string unless_given = status_port > 0 ? std::to_string(status_port) : "none";
  command
      .add_option(
          "--status_port", flags.status_port,
          "port with /livez, /readyz, /healthz and /metrics; 0: none [" + unless_given + "]")
      ->check(CLI::Range(0, 65535))
      ->take_last()  // The images of containers have one already.
      ->each([&flags](const std::string&) { flags.status_port_is_given = true; });
  command.add_option("--status_ip", flags.status_ip, "address of that port")
      ->check(cli::host_alone())
      ->capture_default_str();
}

std::chrono::seconds DrainFlag::at_most() const {
  return cli::parse_duration(text).value_or(std::chrono::seconds(0));
}

void add_drain_flag(CLI::App& command, DrainFlag& flag) {
  command
      .add_option("--drain", flag.text,
                  "how long it may take, when it is told to end, to work off its leases and have "
                  "others copy what it stores; 0: not at all")
      ->check(CLI::IsMember({"0"}) | cli::duration())
      ->capture_default_str();
}

Result<io::StateDir> begin_daemon(const DaemonFlags& flags, const std::string& role,
                                  io::StopSignal& signal) {
  ::signal(SIGPIPE, SIG_IGN);  // A console that is gone does not end a daemon.
  ::signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is a write that fails, like a full disk.
  io::raise_descriptor_limit();
  auto logger = spdlog::stderr_color_mt(
      role, cli::is_plain_terminal() ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  if (flags.logs_json()) {
    logger->set_formatter(std::make_unique<JsonFormatter>());
    signal.say_as([role](const std::string& sentence) {
      return io::json_line({std::chrono::system_clock::now(), "warning", role, sentence, {}});
    });
  } else {
    logger->set_pattern("%H:%M:%S.%e %n: %^%v%$");
  }
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
void LogConsole::note(pb::Role role, const roles::Note& note) {
  const Noted this_one{role, note};
  noted = &this_one;
  const std::string text = printable(note.text, 2000);
  if (note.level == roles::Note::Level::kWarning) {
    spdlog::warn(text);
  } else {
    spdlog::info(text);
  }
  noted = nullptr;
}

Status told_in_log(const DaemonFlags& flags, const std::string& role, Status ended) {
  if (ended || !flags.logs_json()) return ended;
  const std::string line =
      io::json_line({std::chrono::system_clock::now(), "error", role, ended.error().message, {}});
  std::fputs(line.c_str(), stderr);
  return fail(ended.error().code, "");
}

}  // namespace muster::apps
