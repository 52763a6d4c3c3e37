#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace muster {
namespace {

Error disk_error(const Path& path, int error) {
  const Code code = error == ENOENT ? Code::kNotFound : Code::kDisk;
  return {code, path.string() + ": " + std::strerror(error)};
}

// Closes on the way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

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

Status write_and_sync(const Path& path, std::string_view bytes) {
  Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (file.fd < 0) return fail(disk_error(path, errno));
  MUSTER_TRY_STATUS(write_all(file.fd, bytes, path));
  if (::fsync(file.fd) != 0) return fail(disk_error(path, errno));
  return {};
}

}  // namespace

Result<std::string> read_file(const Path& path, size_t max_bytes) {
  MUSTER_TRY(auto mapped, MappedFile::open(path));
  if (mapped.bytes().size() > max_bytes) {
    return fail(Code::kDataLoss,
                path.string() + ": larger than " + std::to_string(max_bytes) + " bytes, not read");
  }
  return std::string(mapped.bytes());
}

Status write_file_atomically(const Path& path, std::string_view bytes) {
  const Path beside = path.string() + ".part";
  if (auto written = write_and_sync(beside, bytes); !written) {
    ::unlink(beside.c_str());
    return written;
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside.c_str());
    return fail(disk_error(path, error));
  }
  return sync_folder(path.has_parent_path() ? path.parent_path() : Path("."));
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
