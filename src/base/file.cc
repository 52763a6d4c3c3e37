#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace muster {
namespace {

Error disk_error(const Path& path, int error) {
  const Code code = error == ENOENT ? Code::kNotFound : Code::kDisk;
  return {code, path.string() + ": " + std::strerror(error)};
}

Status write_all(int fd, std::string_view bytes, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(disk_error(path, errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status sync_folder(const Path& folder) {
  Descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd < 0 || ::fsync(directory.fd) != 0) return fail(disk_error(folder, errno));
  return {};
}

Result<std::string> read_all(int fd, const Path& path, size_t max_bytes, size_t expected) {
  std::string bytes;
  bytes.reserve(std::min(expected, max_bytes));
  std::array<char, 65536> piece{};
  while (true) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(disk_error(path, errno));
    if (got == 0) return bytes;
    bytes.append(piece.data(), static_cast<size_t>(got));
    if (bytes.size() > max_bytes) {
      return fail(Code::kDataLoss, path.string() + ": larger than " + std::to_string(max_bytes) +
                                       " bytes, not read");
    }
  }
}

Result<std::string> read(const Path& path, size_t max_bytes, bool only_plain) {
  // A pipe without a writer would be waited for; O_NONBLOCK means nothing to a plain file.
  const int flags = O_RDONLY | O_CLOEXEC | (only_plain ? O_NONBLOCK : 0);
  Descriptor file{::open(path.c_str(), flags)};
  if (file.fd < 0) return fail(disk_error(path, errno));
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return fail(disk_error(path, errno));
  if (only_plain && !S_ISREG(status.st_mode))
    return fail(Code::kDisk, path.string() + ": not a file");
  return read_all(file.fd, path, max_bytes, static_cast<size_t>(status.st_size));
}

// A new file beside `path`, under a name that no other process and no thread has.
struct Beside {
  Descriptor file;
  Path path;
};

Result<Beside> open_beside(const Path& path, mode_t mode) {
  static std::atomic<uint64_t> next = 0;
  const std::string begin = path.string() + "." + std::to_string(::getpid()) + "-";
  while (true) {
    const Path beside = begin + std::to_string(next++) + ".part";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0) return Beside{Descriptor(fd), beside};
    if (errno != EEXIST) return fail(disk_error(beside, errno));
  }
}

// The bytes go to whatever is there: a pipe, a device, what a link names that is not there yet.
Status write_through(const Path& path, std::string_view bytes) {
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (file.fd < 0) return fail(disk_error(path, errno));
  return write_all(file.fd, bytes, path);
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd >= 0) ::close(fd);
}

Path state_home() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0') {
    return Path(state) / "muster";
  }
  const char* home = std::getenv("HOME");
  return Path(home != nullptr ? home : ".") / ".local/state/muster";
}

Path expanded(const std::string& path) {
  const char* home = std::getenv("HOME");
  const bool is_below = path == "~" || path.starts_with("~/");
  if (!is_below || home == nullptr || *home == '\0') return path;
  return Path(home) / Path(path.substr(1)).relative_path();
}

Result<std::string> read_file(const Path& path, size_t max_bytes) {
  return read(path, max_bytes, true);
}

Result<std::string> read_input(const Path& path, size_t max_bytes) {
  return read(path, max_bytes, false);
}

Status write_file_atomically(const Path& path, std::string_view bytes, FileAccess access) {
  return write_file_atomically(
      path, [&](const Sink& sink) { return sink(bytes); }, access);
}

Status write_file_atomically(const Path& path, const std::function<Status(const Sink&)>& fill,
                             FileAccess access) {
  MUSTER_TRY(const Beside beside, open_beside(path, access == FileAccess::kOwner ? 0600 : 0666));
  const auto write = [&]() -> Status {
    struct stat old {};
    const bool keeps = access == FileAccess::kUmask && ::stat(path.c_str(), &old) == 0;
    if (keeps)
      (void)::fchmod(beside.file.fd, old.st_mode & 07777);  // Another's file: not ours to say.
    MUSTER_TRY_STATUS(fill(
        [&](std::string_view bytes) { return write_all(beside.file.fd, bytes, beside.path); }));
    if (::fsync(beside.file.fd) != 0) return fail(disk_error(beside.path, errno));
    if (::rename(beside.path.c_str(), path.c_str()) != 0) return fail(disk_error(path, errno));
    return {};
  };
  if (auto written = write(); !written) {
    ::unlink(beside.path.c_str());
    return written;
  }
  return sync_folder(path.has_parent_path() ? path.parent_path() : Path("."));
}

Status write_output(const Path& path, std::string_view bytes) {
  std::error_code error;
  const auto there = std::filesystem::status(path, error);
  const bool is_link = std::filesystem::is_symlink(path, error);
  if (std::filesystem::exists(there) ? !std::filesystem::is_regular_file(there) : is_link) {
    return write_through(path, bytes);
  }
  if (!is_link) return write_file_atomically(path, bytes, FileAccess::kUmask);
  const Path target = std::filesystem::canonical(path, error);
  if (error) return fail(Code::kDisk, path.string() + ": " + error.message());
  return write_file_atomically(target, bytes, FileAccess::kUmask);
}

Result<MappedFile> MappedFile::open(const Path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return fail(disk_error(path, errno));
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return fail(disk_error(path, errno));
  if (!S_ISREG(status.st_mode)) return fail(Code::kDisk, path.string() + ": not a file");
  MappedFile mapped;
  mapped.size_ = static_cast<size_t>(status.st_size);
  if (mapped.size_ == 0) return mapped;
  void* address = ::mmap(nullptr, mapped.size_, PROT_READ, MAP_SHARED, file.fd, 0);
  if (address == MAP_FAILED) return fail(disk_error(path, errno));
  mapped.data_ = static_cast<const char*>(address);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

}  // namespace muster
