#pragma once

#include <sys/types.h>

#include "base/file.h"
#include "base/result.h"

namespace muster::io {

// Which file it was that a path named: a database writes on into a file that was deleted, or moved
// away and replaced, and says that all is well.
class FileIdentity {
 public:
  // kDisk when there is no such file.
  static Result<FileIdentity> of(const Path& path);

  // kDisk, with what to do, unless the path still names that very file. Costs one stat().
  [[nodiscard]] Status still_there() const;

 private:
  Path path_;
  dev_t device_ = 0;
  ino_t number_ = 0;
};

}  // namespace muster::io
