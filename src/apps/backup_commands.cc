#include <iostream>

#include "apps/daemon.h"
#include "apps/pool_state.h"
#include "base/json.h"
#include "io/database/backup.h"

namespace muster::apps {
namespace {

struct Options {
  std::string file, state_dir;
  PoolStateFlags state;
  bool replace = false, json = false;

  [[nodiscard]] Path folder() const {
    return state_dir.empty() ? io::StateDir::default_path("server") : expanded(state_dir);
  }
};

std::string count_of(const io::BackupContents& contents, const char* table, const char* what) {
  const auto found = contents.rows.find(table);
  const uint64_t count = found == contents.rows.end() ? 0 : found->second;
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void say(const Options& options, const std::string& done, const io::BackupContents& contents,
         const std::string& more) {
  if (options.json) {
    std::cout << Json{{"file", options.file},
                      {"rows", contents.rows},
                      {"key_is_sealed", contents.key == io::BackupContents::Key::kSealed}}
                     .dump()
              << "\n";
    return;
  }
  std::cout << done << " " << options.file << ": " << count_of(contents, "jobs", "run") << ", "
            << count_of(contents, "machines", "machine row") << ", "
            << count_of(contents, "join_tokens", "token") << more << "\n";
}

Status back_up(const Options& options) {
  MUSTER_TRY(const auto address, options.state.address(options.folder()));
  MUSTER_TRY(const auto contents,
             io::write_backup(address, options.folder(), expanded(options.file), unix_ms_now()));
  const bool is_plain = contents.key == io::BackupContents::Key::kPlain;
  say(options, "backed up to", contents,
      is_plain ? "\nThe key of the pool's authority is in it: whoever reads the file can let "
                 "anybody in."
               : "\nThe key of the pool's authority is in it under the seal of --pool_key: keep "
                 "that, too.");
  return {};
}

Status restore(const Options& options) {
  MUSTER_TRY(const auto state_dir, io::StateDir::open(options.folder(), "server"));
  MUSTER_TRY(const auto address, options.state.address(state_dir.path()));
  MUSTER_TRY(const auto key, options.state.key());
  MUSTER_TRY(const auto contents, io::restore_backup(expanded(options.file), address,
                                                     state_dir.path(), {key, options.replace}));
  say(options, "restored", contents, " are in " + address.text());
  return {};
}

void add_flags(CLI::App& command, Options& options) {
  command.add_option("FILE", options.file, "the backup")->required();
  command.add_option("--state_dir", options.state_dir,
                     "the server's folder [~/.local/state/muster/server]");
  add_database_flag(command, options.state);
  command.add_flag("--json", options.json, "what there was, as JSON");
}

}  // namespace

void add_backup_commands(CLI::App& app, cli::Commands& commands) {
  auto to = std::make_shared<Options>(), from = std::make_shared<Options>();
  auto* backup = app.add_subcommand(
      "backup", "the pool's state into a file: its database and keys, while the server runs");
  add_flags(*backup, *to);
  backup->footer("Example:\n  muster backup pool.backup");
  commands["backup"] = [to] { return back_up(*to); };
  auto* restored =
      app.add_subcommand("restore", "a pool from such a file, into either kind of database");
  add_flags(*restored, *from);
  add_pool_key_flag(*restored, from->state);
  restored->add_flag("--replace", from->replace, "have the pool that is there no more");
  restored->footer(
      "Example:\n  muster restore pool.backup --database postgresql://muster@sql/muster --pool_key "
      "pool.key");
  commands["restore"] = [from] { return restore(*from); };
}

}  // namespace muster::apps
