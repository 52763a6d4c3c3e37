#pragma once

#include <optional>

#include "base/json.h"
#include "base/result.h"

namespace muster {

// What a worker and its engine say to each other: a 4-byte big-endian length, then that many bytes
// of CBOR. docs/engine_protocol.md lists the messages.
constexpr size_t kMaxFrameBytes = 16u << 20;

// Blocks until a whole frame is there. Nothing when the other side has closed between two frames;
// kDataLoss for a frame over kMaxFrameBytes, cut short, or not CBOR.
Result<std::optional<Json>> read_frame(int fd);

// Blocks until the frame is written. kUnavailable when the other side is gone (no SIGPIPE).
Status write_frame(int fd, const Json& message);

}  // namespace muster
