#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

// A SHA-256. Names records, requests, models; ordered so that it can key a map and break a tie.
struct Digest {
  std::array<uint8_t, 32> bytes{};

  auto operator<=>(const Digest&) const = default;
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // The digest whose 32 bytes these are; kDataLoss for any other length.
  static Result<Digest> from_bytes(std::string_view bytes);
};

Digest sha256(std::string_view bytes);

// Lower-case hexadecimal of any bytes.
std::string to_hex(std::string_view bytes);
// The bytes that such a text stands for; kDataLoss: it is none.
Result<std::string> from_hex(std::string_view text);

// Hashes a stream piece by piece (OpenSSL: about 2 GB/s here).
class Hasher {
 public:
  enum class Kind { kSha256, kSha1 };  // SHA-1 only for the Hub's git blob names.
  explicit Hasher(Kind kind = Kind::kSha256);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void add(std::string_view bytes);
  // A field whose length is hashed with it, so that two fields never run into each other.
  void add_field(std::string_view bytes);
  std::string finish();  // The raw hash; the hasher is spent.
  Digest finish_sha256();

 private:
  struct State;
  static std::unique_ptr<State>& spare();
  std::unique_ptr<State> state_;
};

}  // namespace muster
