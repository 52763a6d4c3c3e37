#include "web/pages/tar.h"

#include <charconv>

#include "base/check.h"

namespace muster::web {
namespace {

// Of a header, POSIX.1-1988: where its fields are.
constexpr size_t kBlock = 512, kName = 100, kSizeAt = 124, kSizeDigits = 11, kTypeAt = 156;

std::string_view field(std::string_view block, size_t at, size_t most) {
  const std::string_view bytes = block.substr(at, most);
  return bytes.substr(0, bytes.find('\0'));
}

size_t size_of(std::string_view block) {
  const std::string_view digits = block.substr(kSizeAt, kSizeDigits);
  size_t size = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
  MUSTER_CHECK(read.ec == std::errc());
  return size;
}

}  // namespace

std::map<std::string, std::string_view, std::less<>> files_of_tar(std::string_view archive) {
  std::map<std::string, std::string_view, std::less<>> files;
  while (archive.size() >= kBlock && archive.front() != '\0') {
    const std::string_view block = archive.substr(0, kBlock);
    const size_t size = size_of(block), whole = (size + kBlock - 1) / kBlock * kBlock;
    MUSTER_CHECK(archive.size() >= kBlock + whole);
    std::string name(field(block, 0, kName));
    if (name.starts_with("./")) name.erase(0, 2);
    const bool is_file = block[kTypeAt] == '0' || block[kTypeAt] == '\0';
    if (is_file) files.emplace(std::move(name), archive.substr(kBlock, size));
    archive.remove_prefix(kBlock + whole);
  }
  return files;
}

}  // namespace muster::web
