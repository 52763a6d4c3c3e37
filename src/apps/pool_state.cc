#include "apps/pool_state.h"

#include <chrono>

namespace muster::apps {

Result<io::DatabaseAddress> PoolStateFlags::address(const Path& folder) const {
  if (database.empty()) return io::DatabaseAddress::of_file(folder / "server.db");
  auto address = io::DatabaseAddress::parse(database);
  if (!address) return fail(address.error().in("--database"));
  return address;
}

Result<std::optional<identity::PoolKey>> PoolStateFlags::key() const {
  constexpr size_t kMostBytes = 16u << 10;
  if (pool_key.empty()) return std::optional<identity::PoolKey>();
  MUSTER_TRY(const auto text, read_input(expanded(pool_key), kMostBytes));
  auto key = identity::PoolKey::parse(text);
  if (!key) return fail(key.error().in(pool_key));
  return std::optional(*key);
}

void add_database_flag(CLI::App& command, PoolStateFlags& flags) {
  command.add_option("--database", flags.database,
                     "where the pool's state is kept: a file, or postgresql://USER@HOST:PORT/NAME "
                     "(its password in PGPASSWORD or ~/.pgpass) [server.db in the state folder]");
}

void add_pool_key_flag(CLI::App& command, PoolStateFlags& flags) {
  command.add_option("--pool_key", flags.pool_key,
                     "file with a random word ('openssl rand -hex 32'), under which the key of the "
                     "pool's authority is sealed in the database: a server started elsewhere on it "
                     "is the same pool [the key is in the state folder]");
}

int64_t unix_ms_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace muster::apps
