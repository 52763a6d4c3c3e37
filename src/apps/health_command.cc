#include <cstdio>

#include "apps/daemon.h"
#include "base/json.h"
#include "base/printable.h"
#include "io/http.h"

namespace muster::apps {
namespace {

constexpr size_t kMostAnswer = 64u << 10;
constexpr std::chrono::seconds kPatience{4};  // Less than whoever runs it as a check has.

Result<std::string> ask(const std::string& url) {
  std::string body;
  io::HttpGet get{.url = url, .deadline = kPatience};
  get.sink = [&](std::string_view bytes) {
    body += bytes;
    return body.size() <= kMostAnswer;
  };
  MUSTER_TRY_STATUS(io::http_get(get));
  return body;
}

Status tell_health(int port) {
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/healthz";
  const auto answer = ask(url);
  if (!answer) {
    return fail(Code::kUnavailable,
                answer.error().message + "; does the daemon run, and with this --status_port?");
  }
  const auto health = parse_json(*answer, kMostAnswer);
  if (!health || !health->is_object() || !health->contains("ready")) {
    return fail(Code::kUnavailable, url + ": that is no daemon of muster");
  }
  std::printf("%s\n", printable(health->dump(), kMostAnswer).c_str());
  if (get_or_null(*health, "ready") == true) return {};
  std::fflush(stdout);
  return fail(Code::kUnavailable, "");  // It has been told.
}

}  // namespace

void add_health_command(CLI::App& app, cli::Commands& commands) {
  auto port = std::make_shared<int>(kStatusPort);
  auto* command = app.add_subcommand(
      "health",
      "whether the daemon on this machine is ready: exit code 0, else 69; no token is "
      "needed");
  command->add_option("--status_port", *port, "the daemon's --status_port")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->footer("Example:\n  muster health --status_port 8787");
  commands["health"] = [port] { return tell_health(*port); };
}

}  // namespace muster::apps
