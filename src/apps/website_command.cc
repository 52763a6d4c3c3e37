#include <spdlog/spdlog.h>

#include "apps/daemon.h"
#include "apps/pool_state.h"
#include "base/address.h"
#include "base/printable.h"
#include "cli/flag_checks.h"
#include "client/pool_client.h"
#include "host/driver.h"
#include "io/loop.h"
#include "web/website.h"

namespace muster::apps {
namespace {

constexpr int kPort = 30001;

struct Options {
  DaemonFlags daemon;
  cli::ServerAddress server;
  PoolStateFlags state;
  std::string listen = "127.0.0.1";
};

Result<Address> listening_address(const Options& options) {
  auto address = parse_address(options.listen);
  if (!address) return fail(address.error().in("--listen"));
  if (address->port == 0) address->port = kPort;
  return address;
}

void warn_of_plain_text(const Address& address) {
  if (is_loopback(address.host)) return;
  spdlog::warn(
      "the pages are sent in plain text: whoever is on the way can read and change them; put a "
      "proxy that speaks TLS in front");
}

Status serve(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  MUSTER_TRY(const Address address, listening_address(options));
  io::Loop loop;
  io::Health health([&] { return loop.still_for(); });
  io::Readings readings(loop);
  io::StopSignal signal;  // Before any thread, behind the loop that it stops.
  MUSTER_TRY(const auto state_dir, begin_daemon(options.daemon, "website", signal));
  MUSTER_TRY(const auto status, open_status_port(options.daemon, health, readings));
  MUSTER_TRY(const auto database, options.state.address(io::StateDir::default_path("server")));
  client::PoolClient pool(server);
  const io::StopSignal::Ending ending_pool(signal, "its line to the server");
  MUSTER_TRY(
      const auto website,
      web::Website::open(
          {.address = address,
           .database = database,
           .status = [&] { return pool.status(true); },
           .on_news = [](const std::string& news) { spdlog::warn(printable(news, 1000)); }}));
  const io::StopSignal::Ending ending_website(signal, "pages that are open");
  warn_of_plain_text(address);
  spdlog::info("the pages are at http://{}", Address{address.host, website->port()}.text());
  signal.on_stop([&] {
    health.end();
    loop.stop();
  });
  health.begin({[&] { return website->silence(); }});
  host::Driver driver("", {});
  readings.begin([&] { return io::Reading{driver.measure(), std::nullopt}; });
  loop.run(driver);
  readings.end();
  health.end();
  spdlog::info("stopping");
  website->say_bye();
  return {};
}

}  // namespace

void add_website_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "website", "the pool's pages: who is in it, what runs, and the leaderboard");
  command
      ->add_option("--listen", options->listen,
                   "address of the pages, and port [30001], as 0.0.0.0:30001")
      ->check(cli::host_with_port())
      ->capture_default_str();
  cli::add_server_flags(*command, options->server);
  add_database_flag(*command, options->state);
  add_daemon_flags(*command, options->daemon);
  command->footer("Example:\n  muster website --listen 127.0.0.1:30001");
  commands["website"] = [options] {
    return told_in_log(options->daemon, "website", serve(*options));
  };
}

}  // namespace muster::apps
