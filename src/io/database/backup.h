#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "identity/pool_key.h"
#include "io/database/address.h"

namespace muster::io {

// A pool in one file: all rows of its database as lines of JSON, the key of its authority among
// them, and a line at the end that tells a file that is whole. It is the same of either kind of
// database, so that it also takes a pool from one to the other. What storage nodes keep of jobs
// that go on is not in it: they keep it.

struct BackupContents {
  std::map<std::string, uint64_t> rows;  // Of each table.
  enum class Key { kPlain, kSealed, kNone } key = Key::kNone;
};

// As it was at one moment, whatever the server does meanwhile. `folder`: the server's, where the
// authority's key is unless it is sealed in the database. The file is for nobody else (0600).
// kNotFound: there is no pool. kDataLoss: the key is not in that folder. kUnavailable, kDisk.
Result<BackupContents> write_backup(const DatabaseAddress& address, const Path& folder,
                                    const Path& file, int64_t now_ms);

struct RestoreOptions {
  std::optional<identity::PoolKey> key;  // Under which the authority's key is sealed from now on.
  bool replace = false;                  // Whatever pool is there.
};
// All of it or nothing. A server that has the database meanwhile has it no more. kDataLoss: it is
// no backup, or not all of one. kUnsupported: a newer muster has written it. kFailed: a pool is
// there. kPermission: the key was sealed under another one. kUnavailable, kDisk.
Result<BackupContents> restore_backup(const Path& file, const DatabaseAddress& address,
                                      const Path& folder, const RestoreOptions& options);

}  // namespace muster::io
