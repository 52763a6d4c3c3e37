#include "io/database/message_text.h"

#include "base/digest.h"

namespace muster::io {

std::string to_text(const google::protobuf::MessageLite& message) {
  return to_hex(message.SerializeAsString());
}

bool from_text(const std::string& text, google::protobuf::MessageLite& message) {
  const auto bytes = from_hex(text);
  return bytes && message.ParseFromString(*bytes);
}

}  // namespace muster::io
