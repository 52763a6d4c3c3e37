#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <future>

#include "apps/daemon.h"
#include "apps/pool_state.h"
#include "base/address.h"
#include "base/hex.h"
#include "cli/flag_checks.h"
#include "host/driver.h"
#include "identity/certificate.h"
#include "identity/local_token.h"
#include "io/database/pool_authority.h"
#include "io/database/server_database.h"
#include "io/loop.h"
#include "io/mesh/mesh_server.h"
#include "io/stop_signal.h"
#include "roles/server/server.h"
#include "wire/release.h"

namespace muster::apps {
namespace {

constexpr int kPort = 30000;
constexpr std::chrono::milliseconds kAskForDatabase{500};

struct Options {
  DaemonFlags daemon;
  std::string ip = "127.0.0.1";
  int port = 0;  // 0: that of --ip, else kPort.
  uint32_t storage_nodes = 2;
  uint32_t quarantine_after = 3;
  double retain_days = 30;
  std::vector<std::string> coordinators;
  roles::server::LimitOptions limits;
  PoolStateFlags state;
  std::string token_dir;
  bool insecure = false;
};

// CLI11's way to say no: a sentence.
std::string is_machine_id(const std::string& text) {
  return is_hex(text, 16) ? "" : "'" + text + "' is no machine id: 16 hex digits";
}

// What a server begins with. The authority comes first: who has not the key of a pool takes it from
// nobody.
struct Pool {
  identity::Authority authority;
  std::unique_ptr<io::ServerDatabase> database;
};
Result<Pool> open_pool(const io::DatabaseAddress& address, const Path& folder,
                       const std::optional<identity::PoolKey>& key, host::Inbox& inbox,
                       const io::ServerDatabase::Listener& listener) {
  MUSTER_TRY(auto authority, io::open_authority(address, folder, key, unix_ms_now() / 1000));
  MUSTER_TRY(auto database, io::ServerDatabase::open(address, inbox, listener, unix_ms_now()));
  return Pool{std::move(authority), std::move(database)};
}

// Waits for a database that is away, which one that starts beside it may be. None: it was told to
// stop.
Result<std::optional<Pool>> wait_for_pool(io::StopSignal& signal,
                                          const std::function<Result<Pool>()>& open) {
  const auto stop = std::make_shared<std::promise<void>>();
  const auto stopped = stop->get_future();
  signal.on_stop([stop] { stop->set_value(); });
  std::string said;
  while (true) {
    auto pool = open();
    if (pool) return std::optional(std::move(*pool));
    if (pool.error().code != Code::kUnavailable) return fail(pool.error());
    if (std::exchange(said, pool.error().message) != pool.error().message) {
      spdlog::warn("waiting for the database: {}", said);
    }
    if (stopped.wait_for(kAskForDatabase) == std::future_status::ready) {
      return std::optional<Pool>();
    }
  }
}

// Whose jobs those are that were submitted with the token in --token_dir.
constexpr char kLocalResearcher[] = "local";

// What lets in whoever may read this machine's files, for as long as this server runs.
class LocalTokens {
 public:
  explicit LocalTokens(const Digest& pool)
      : operators_(identity::Token::make(pool)),
        workers_(identity::Token::make(pool)),
        coordinators_(identity::Token::make(pool)),
        researchers_(identity::Token::make(pool)) {}

  [[nodiscard]] std::vector<roles::server::LocalToken> known() const {
    return {{hash_of(operators_), pb::POOL_ROLE_OPERATOR},
            {hash_of(workers_), pb::POOL_ROLE_WORKER},
            {hash_of(coordinators_), pb::POOL_ROLE_COORDINATOR},
            {hash_of(researchers_), pb::POOL_ROLE_RESEARCHER, kLocalResearcher}};
  }
  // The operator's in the state folder, where commands find it; the others in `token_dir`, unless
  // that is empty. kDisk.
  [[nodiscard]] Status leave(const Path& state_dir, int port, const std::string& token_dir) const {
    MUSTER_TRY_STATUS(identity::leave_local_token(state_dir, "operator", operators_));
    if (const Status linked = identity::link_local_token(state_dir, port); !linked) {
      spdlog::warn("{}; commands here need --token_file {}", linked.error().message,
                   (state_dir / "operator.token").string());
    }
    if (token_dir.empty()) return {};
    const Path folder = expanded(token_dir);
    MUSTER_TRY_STATUS(identity::leave_local_token(folder, "worker", workers_));
    MUSTER_TRY_STATUS(identity::leave_local_token(folder, "coordinator", coordinators_));
    return identity::leave_local_token(folder, "researcher", researchers_);
  }

 private:
  static std::string hash_of(const identity::Token& token) {
    return std::string(token.hash().view());
  }
  identity::Token operators_, workers_, coordinators_, researchers_;
};

void warn_of_clock(const io::ServerDatabase& database) {
  if (database.clock_ahead().count() <= 0) return;
  spdlog::warn(
      "this machine's clock is {} days ahead of what the pool has counted: answers are kept for so "
      "much longer",
      std::chrono::ceil<std::chrono::days>(database.clock_ahead()).count());
}

roles::server::ServerOptions role_options(const Options& options,
                                          const io::ServerDatabase& database,
                                          const LocalTokens& tokens) {
  return {.storage_nodes = options.storage_nodes,
          .release = {MUSTER_VERSION, wire::kRelease},
          .quarantine_after = options.quarantine_after,
          .started_at_ms = unix_ms_now(),
          .retain = from_seconds(options.retain_days * 86400) + database.clock_ahead(),
          .coordinators = options.coordinators,
          .local_tokens = tokens.known(),
          .limits = options.limits};
}

Result<Address> listening_address(const Options& options) {
  MUSTER_TRY(Address address, parse_address(options.ip));
  if (options.port > 0) address.port = options.port;
  if (address.port == 0) address.port = kPort;
  if (is_loopback(address.host) || !options.insecure) return address;
  return fail(Code::kPermission, "--insecure is for this machine alone (127.0.0.1): on " +
                                     options.ip + " anyone could join and read; leave it out");
}

Status serve(const Options& options) {
  MUSTER_TRY(const Address address, listening_address(options));
  io::Loop loop;
  io::Health health([&] { return loop.still_for(); });
  io::Readings readings(loop);
  io::StopSignal signal;  // Before any thread, behind the loop that it stops.
  std::atomic<bool> superseded = false;
  MUSTER_TRY(const auto state_dir, begin_daemon(options.daemon, "server", signal));
  MUSTER_TRY(const auto status, open_status_port(options.daemon, health, readings));
  MUSTER_TRY(const auto address_of_database, options.state.address(state_dir.path()));
  MUSTER_TRY(const auto key, options.state.key());
  const io::ServerDatabase::Listener listener{
      .superseded =
          [&] {
            superseded = true;
            loop.stop();
          },
      .news = [](const std::string& news) { spdlog::warn(news); }};
  MUSTER_TRY(const auto opened, wait_for_pool(signal, [&] {
               return open_pool(address_of_database, state_dir.path(), key, loop, listener);
             }));
  if (!opened) return {};
  const auto& [authority, database] = *opened;
  warn_of_clock(*database);
  const io::StopSignal::Ending ending_database(signal, "its database");
  MUSTER_TRY(const auto pool, identity::fingerprint(authority.certificate()));
  const LocalTokens tokens(pool);
  io::MeshServer mesh(loop);
  const io::StopSignal::Ending ending_mesh(signal, "its lines");
  mesh.on_news = [](const std::string& news) { spdlog::warn(news); };
  mesh.on_refusal = [&](const std::string& machine, const std::string& why) {
    loop.post(pb::ROLE_SERVER, roles::Misspoken{machine, why});
  };
  LogConsole console;
  host::Driver driver("", {.net = &mesh, .console = &console, .database = database.get()});
  driver.add_role(pb::ROLE_SERVER,
                  std::make_unique<roles::server::Server>(role_options(options, *database, tokens),
                                                          database->take_state(), io::Loop::now()));
  MUSTER_TRY_STATUS(
      mesh.listen(address.host, address.port, options.insecure ? nullptr : &authority));
  if (options.insecure) {
    spdlog::warn(
        "--insecure: anyone on this machine may join the pool, and do what an operator may");
  } else {
    MUSTER_TRY_STATUS(tokens.leave(state_dir.path(), address.port, options.token_dir));
  }
  spdlog::info("serving on {}", address.text());
  loop.post(pb::ROLE_SERVER, roles::Tick{});
  signal.on_stop([&] {
    health.end();
    loop.stop();
  });
  health.begin({[&] {
    return std::string(database->is_reachable() ? "" : "its database does not answer");
  }});
  readings.begin([&] {
    const auto refused = mesh.refused();
    return io::Reading{driver.measure(),
                       io::Reading::Refused{refused.connections, refused.messages}};
  });
  loop.run(driver);
  readings.end();
  health.end();
  spdlog::info("stopping");
  mesh.stop();
  if (superseded) {
    return fail(Code::kUnavailable, "another server has this pool now: it opened " +
                                        address_of_database.text() + " after this one");
  }
  return {};
}

}  // namespace

void add_server_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("server", "the one address of a pool: who is in it, who does what");
  command->add_option("--ip", options->ip, "address to listen on")
      ->check(cli::host_with_port())
      ->capture_default_str();
  command->add_option("--port", options->port, "port to listen on [30000]")
      ->check(CLI::Range(1, 65535));
  command->add_option("--storage_nodes", options->storage_nodes, "copies of every answer")
      ->check(CLI::Range(1, 7))
      ->capture_default_str();
  command
      ->add_option("--quarantine_after", options->quarantine_after,
                   "times a machine may be outvoted before it is lent no more; 200 items on which "
                   "it agrees in between make up for one; 0: never")
      ->capture_default_str();
  command
      ->add_option(
          "--retain", options->retain_days,
          "days for which the answers of a job are kept on the storage nodes when it is over")
      ->check(cli::number_between(0, 36500))
      ->capture_default_str();
  command
      ->add_option(
          "--coordinator", options->coordinators,
          "with --insecure: machine id of a coordinator, as 'muster coordinator' says it at its "
          "start; may be given several times [the first one that comes, for good]")
      ->check(CLI::Validator(is_machine_id, "MACHINE"));
  add_database_flag(*command, options->state);
  add_pool_key_flag(*command, options->state);
  command->add_option(
      "--token_dir", options->token_dir,
      "folder that is there, in which it leaves worker.token, coordinator.token and "
      "researcher.token for what starts beside it, as containers do; they hold "
      "for as long as it runs [none]");
  command->add_option("--jobs_per_researcher", options->limits.running_jobs,
                      "jobs that one researcher may have running at once [any number]");
  command->add_option("--items_per_day", options->limits.items_a_day,
                      "items that one researcher may have evaluated in 24 hours [any number]");
  command
      ->add_option("--allow_model", options->limits.models,
                   "a model that researchers may evaluate, with * for any letters, as "
                   "'EleutherAI/*'; may be given several times [every model]")
      ->check(cli::line_of_text(cli::kMostModelBytes));
  command->add_flag("--insecure", options->insecure,
                    "on this machine alone: without TLS, and whoever comes is in");
  add_daemon_flags(*command, options->daemon);
  command->footer("Example:\n  muster server --port 30000");
  commands["server"] = [options] {
    return told_in_log(options->daemon, "server", serve(*options));
  };
}

}  // namespace muster::apps
