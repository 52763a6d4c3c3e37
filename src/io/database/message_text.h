#pragma once

#include <google/protobuf/message_lite.h>

#include <string>

namespace muster::io {

// A message in a text column of a database, as hexadecimal: SOCI's blobs differ between its
// backends.
std::string to_text(const google::protobuf::MessageLite& message);
// False: the text is no such message.
[[nodiscard]] bool from_text(const std::string& text, google::protobuf::MessageLite& message);

}  // namespace muster::io
