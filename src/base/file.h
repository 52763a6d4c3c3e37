#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

using Path = std::filesystem::path;

// The whole file; kNotFound when it is not there, kDataLoss when it is larger than max_bytes.
Result<std::string> read_file(const Path& path, size_t max_bytes);

// Replaces the file in one step: written beside it, synced, renamed, the folder synced. A reader
// sees the old bytes or the new ones. kDisk when the disk refuses.
Status write_file_atomically(const Path& path, std::string_view bytes);

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
