#include "io/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace muster::io {

Path StateDir::default_path(const std::string& role) { return state_home() / role; }

Result<StateDir> StateDir::open(const Path& path, const std::string& role) {
  std::error_code error;
  const bool existed = std::filesystem::exists(path, error);
  std::filesystem::create_directories(path, error);
  if (error) return fail(Code::kDisk, path.string() + ": " + error.message());
  if (!existed) ::chmod(path.c_str(), 0700);
  const Path lock_path = path / "lock";
  const int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Code::kDisk, lock_path.string() + ": " + std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return fail(Code::kUnavailable, "a " + role + " already runs here (" + path.string() +
                                        "); give it a --state_dir of its own");
  }
  return StateDir(path, fd);
}

StateDir::StateDir(StateDir&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

StateDir::~StateDir() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace muster::io
