#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"
#include "base/result.h"
#include "identity/authority.h"
#include "identity/pool_key.h"
#include "io/database/address.h"

namespace muster::io {

// The authority of the pool whose state is in this database; made when it has none. Its certificate
// is there. Its key is there too, under the seal of `key`, so that whoever has both is the same
// pool wherever it starts; without one it is in the folder: authority.key, for nobody else (0600),
// beside authority.crt. A pool that gets a key takes along what is in the folder.
//
// kDisk: it cannot be read or written, or is not in this folder, and what to do. kPermission: it is
// sealed, under another key or under one that was not given. kUnavailable: the database is away.
// kUnsupported: a newer muster has written it.
Result<identity::Authority> open_authority(const DatabaseAddress& address, const Path& folder,
                                           const std::optional<identity::PoolKey>& key,
                                           int64_t unix_seconds);

// Of a pool that has no pool key. kDisk, kNotFound.
Result<std::string> read_key_file(const Path& folder);
Status write_authority(const Path& folder, const identity::Credentials& credentials);

}  // namespace muster::io
