#include "io/database/message_text.h"

#include "base/digest.h"

namespace muster::io {
namespace {

// -1: none.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string to_text(const google::protobuf::MessageLite& message) {
  return to_hex(message.SerializeAsString());
}

bool from_text(const std::string& text, google::protobuf::MessageLite& message) {
  std::string bytes;
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
  }
  return message.ParseFromString(bytes);
}

}  // namespace muster::io
