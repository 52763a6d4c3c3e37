#include "identity/greeting.h"

namespace muster::identity {
namespace {

constexpr size_t kRecordHeader = 5, kRandom = 32;
constexpr size_t kHandshakeRecord = 22, kClientHello = 1, kServerName = 0, kHostName = 0;

// Reads from the front; what is not there is read as nothing, and is_good() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(size_t count) {
    is_good_ &= count <= bytes_.size();
    const std::string_view taken = bytes_.substr(0, is_good_ ? count : 0);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  size_t number(size_t width) {
    size_t value = 0;
    for (const char byte : take(width)) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
  }
  // What stands behind its own length.
  std::string_view sized(size_t width) { return take(number(width)); }
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool is_good_ = true;
};

std::string_view host_of(std::string_view extension) {
  Reader names(Reader(extension).sized(2));
  while (names.is_good() && !names.at_end()) {
    const size_t kind = names.number(1);
    const std::string_view name = names.sized(2);
    if (names.is_good() && kind == kHostName) return name;
  }
  return {};
}

std::string_view name_in_hello(std::string_view hello) {
  Reader reader(hello);
  reader.take(2 + kRandom);  // A version, and the random bytes.
  reader.sized(1);           // A session,
  reader.sized(2);           // ciphers,
  reader.sized(1);           // compressions.
  Reader extensions(reader.sized(2));
  while (reader.is_good() && extensions.is_good() && !extensions.at_end()) {
    const size_t kind = extensions.number(2);
    const std::string_view extension = extensions.sized(2);
    if (extensions.is_good() && kind == kServerName) return host_of(extension);
  }
  return {};
}

}  // namespace

std::optional<std::string> read_server_name(std::string_view bytes) {
  if (!bytes.empty() && static_cast<unsigned char>(bytes[0]) != kHandshakeRecord) return "";
  if (bytes.size() < kRecordHeader) return std::nullopt;
  Reader record(bytes);
  record.take(3);  // Its kind, and a version.
  const size_t length = record.number(2);
  if (length > kMostGreetingBytes - kRecordHeader) return "";
  if (bytes.size() < kRecordHeader + length) return std::nullopt;
  Reader handshake(record.take(length));
  if (handshake.number(1) != kClientHello) return "";
  // A greeting that goes on in another record asks for no name here.
  return std::string(name_in_hello(handshake.sized(3)));
}

}  // namespace muster::identity
