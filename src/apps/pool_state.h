#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "cli/command.h"
#include "identity/pool_key.h"
#include "io/database/address.h"

namespace muster::apps {

// Where a pool's state is, as the server's flags say it: of the commands that open it.
struct PoolStateFlags {
  std::string database;  // Empty: a file in the state folder.
  std::string pool_key;  // A file; empty: none.

  [[nodiscard]] Result<io::DatabaseAddress> address(const Path& folder) const;
  // kInvalidArgument, kNotFound, ...: it names the file.
  [[nodiscard]] Result<std::optional<identity::PoolKey>> key() const;
};
void add_database_flag(CLI::App& command, PoolStateFlags& flags);
void add_pool_key_flag(CLI::App& command, PoolStateFlags& flags);

// Unix time, as this machine's clock has it.
int64_t unix_ms_now();

}  // namespace muster::apps
