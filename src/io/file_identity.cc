#include "io/file_identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace muster::io {

Result<FileIdentity> FileIdentity::of(const Path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(Code::kDisk, path.string() + ": " + std::strerror(errno));
  }
  FileIdentity identity;
  identity.path_ = path;
  identity.device_ = status.st_dev;
  identity.number_ = status.st_ino;
  return identity;
}

Status FileIdentity::still_there() const {
  struct stat status {};
  const bool same =
      ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == number_;
  if (same) return {};
  return fail(Code::kDisk, path_.filename().string() + " was moved or deleted; put " +
                               path_.string() + " back, or start this program again");
}

}  // namespace muster::io
