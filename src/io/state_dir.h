#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace muster::io {

// A daemon's own folder, made 0700 and locked for as long as the object lives.
class StateDir {
 public:
  // `role` is a word for messages: "worker". kUnavailable when another daemon holds the lock;
  // kDisk when the folder cannot be made or written.
  static Result<StateDir> open(const Path& path, const std::string& role);

  // Where a daemon of this role keeps its state unless told: ~/.local/state/muster/ROLE.
  static Path default_path(const std::string& role);

  [[nodiscard]] const Path& path() const { return path_; }

  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  ~StateDir();

 private:
  StateDir(Path path, int lock) : path_(std::move(path)), lock_(lock) {}
  Path path_;
  int lock_ = -1;
};

}  // namespace muster::io
