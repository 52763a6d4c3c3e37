#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace muster {

using Path = std::filesystem::path;

// A path as its user wrote it: "~" and "~/..." are below the home folder. A shell does that itself,
// but not behind the "=" of a flag, nor in a variable.
Path expanded(const std::string& path);

// Where a program of this user keeps what it has to keep: XDG_STATE_HOME/muster, else
// ~/.local/state/muster.
Path state_home();

// Closes on the way out.
struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(Descriptor&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
};

// The whole of a plain file, of /proc too; kNotFound when it is not there, kDataLoss when it is
// larger than max_bytes.
Result<std::string> read_file(const Path& path, size_t max_bytes);

// The same of whatever a user names as an input: a pipe and a device are read to their end.
Result<std::string> read_input(const Path& path, size_t max_bytes);

// Who may read and write a file that is new.
enum class FileAccess { kOwner, kUmask };  // 0600; 0666 less the umask.

// Replaces the file in one step: written beside it under a name that nobody else has, synced,
// renamed, the folder synced. A reader sees the old bytes or the new ones. A file that is there
// keeps its mode under kUmask. kDisk when the disk refuses.
Status write_file_atomically(const Path& path, std::string_view bytes,
                             FileAccess access = FileAccess::kOwner);

// The same of bytes that come one after the other: `fill` hands them to what it is given.
using Sink = std::function<Status(std::string_view)>;
Status write_file_atomically(const Path& path, const std::function<Status(const Sink&)>& fill,
                             FileAccess access = FileAccess::kOwner);

// The same for whatever a user names as an output: a pipe and a device get the bytes, and of a link
// the file that it names is replaced.
Status write_output(const Path& path, std::string_view bytes);

// A file mapped read-only; processes that map the same file share its pages. The file must not
// shrink while mapped (a model's files are never rewritten in place).
class MappedFile {
 public:
  static Result<MappedFile> open(const Path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace muster
