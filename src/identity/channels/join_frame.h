#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "identity/application.h"

namespace muster::identity {

// What is said at the door: a message behind its length in 4 bytes, the highest first.
inline std::string to_frame(const std::string& message) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(message.size() >> shift);
  return bytes + message;
}

// Takes a message from the front; none, when it is not whole yet. kDataLoss: it would be longer
// than kMostJoinBytes.
inline Result<std::optional<std::string>> take_frame(std::string& bytes) {
  constexpr size_t kLength = 4;
  if (bytes.size() < kLength) return std::nullopt;
  size_t size = 0;
  for (size_t i = 0; i < kLength; ++i) size = size << 8 | static_cast<unsigned char>(bytes[i]);
  if (size > kMostJoinBytes) return fail(Code::kDataLoss, "a message that is too long");
  if (bytes.size() < kLength + size) return std::nullopt;
  std::string message = bytes.substr(kLength, size);
  bytes.erase(0, kLength + size);
  return message;
}

}  // namespace muster::identity
