#include "io/database/sqlite_connection.h"

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cerrno>
#include <cstring>

namespace muster::io {

Status SqliteConnection::open() {
  // SOCI takes words apart at blanks and quotes; under this name the file is without any.
  const Descriptor folder(::open(file_.parent_path().empty() ? "." : file_.parent_path().c_str(),
                                 O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd < 0) {
    return fail(Code::kDisk, file_.parent_path().string() + ": " + std::strerror(errno));
  }
  try {
    sql_.open(soci::sqlite3, "dbname=/proc/self/fd/" + std::to_string(folder.fd) + "/" +
                                 file_.filename().string() + " timeout=5");
    sql_ << "PRAGMA journal_mode = WAL";
    sql_ << "PRAGMA synchronous = FULL";
  } catch (const std::exception& error) {
    return fail(Code::kDisk, file_.string() + ": " + reason_of(error));
  }
  MUSTER_TRY(identity_, FileIdentity::of(file_));
  return {};
}

Fence SqliteConnection::fence() {
  Fence fence;
  sql_ << "SELECT pool_epoch FROM pool", soci::into(fence.epoch);
  return fence;
}

}  // namespace muster::io
