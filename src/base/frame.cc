#include "base/frame.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace muster {
namespace {

// Reads exactly `size` bytes; fewer only at the end of the stream.
Result<size_t> read_fully(int fd, char* out, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = ::read(fd, out + got, size - got);
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::kUnavailable, "the engine's line broke");
    got += static_cast<size_t>(n);
  }
  return got;
}

}  // namespace

Result<std::optional<Json>> read_frame(int fd) {
  unsigned char prefix[4];
  MUSTER_TRY(size_t got, read_fully(fd, reinterpret_cast<char*>(prefix), sizeof prefix));
  if (got == 0) return std::optional<Json>();
  if (got < sizeof prefix) return fail(Code::kDataLoss, "a frame was cut short");
  const size_t size = size_t{prefix[0]} << 24 | size_t{prefix[1]} << 16 | size_t{prefix[2]} << 8 |
                      size_t{prefix[3]};
  if (size > kMaxFrameBytes) return fail(Code::kDataLoss, "a frame is larger than 16 MiB");
  std::string body(size, '\0');
  MUSTER_TRY(got, read_fully(fd, body.data(), size));
  if (got < size) return fail(Code::kDataLoss, "a frame was cut short");
  MUSTER_TRY(auto message, parse_cbor(body, kMaxFrameBytes));
  return std::optional<Json>(std::move(message));
}

Status write_frame(int fd, const Json& message) {
  const std::string body = to_cbor(message);
  if (body.size() > kMaxFrameBytes) return fail(Code::kDataLoss, "a frame is larger than 16 MiB");
  const size_t size = body.size();
  std::string bytes = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                       static_cast<char>(size >> 8), static_cast<char>(size)};
  bytes += body;
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::kUnavailable, "the other side of the engine's line is gone");
    sent += static_cast<size_t>(n);
  }
  return {};
}

}  // namespace muster
