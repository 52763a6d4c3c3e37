#include "identity/token.h"

#include <sodium.h>

namespace muster::identity {
namespace {

constexpr std::string_view kPrefix = "muster_";
constexpr size_t kIdBytes = 8, kSecretBytes = 16, kDigestBytes = 32, kCheckBytes = 4;
constexpr size_t kBytes = kIdBytes + kSecretBytes + kDigestBytes + kCheckBytes;
constexpr size_t kLetters = (kBytes * 4 + 2) / 3;
constexpr int kAlphabet = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

std::string random(size_t count) {
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), count);
  return bytes;
}

// Of what stands before it: so that a letter that was lost or mistyped is told from a wrong token.
std::string checksum(std::string_view bytes) {
  return std::string(sha256(bytes).view().substr(0, kCheckBytes));
}

std::string id_bytes(const std::string& id) { return from_hex(id).value_or(""); }

}  // namespace

Token Token::make(const Digest& authority) {
  return {to_hex(random(kIdBytes)), random(kSecretBytes), authority};
}

Result<Token> Token::parse(std::string_view word) {
  const auto damaged = [] {
    return fail(Code::kInvalidArgument,
                "that is no token: it begins with muster_ and has 87 letters; was it cut?");
  };
  if (!word.starts_with(kPrefix) || word.size() != kPrefix.size() + kLetters) return damaged();
  const std::string_view letters = word.substr(kPrefix.size());
  std::string bytes(kBytes, '\0');
  size_t count = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                        letters.data(), letters.size(), nullptr, &count, nullptr, kAlphabet) != 0 ||
      count != kBytes) {
    return damaged();
  }
  const std::string_view all = bytes, said = all.substr(0, kBytes - kCheckBytes);
  if (checksum(said) != all.substr(said.size())) {
    return fail(Code::kInvalidArgument, "that token was mistyped: copy it whole");
  }
  MUSTER_TRY(const Digest authority,
             Digest::from_bytes(said.substr(kIdBytes + kSecretBytes, kDigestBytes)));
  Token token{to_hex(said.substr(0, kIdBytes)), std::string(said.substr(kIdBytes, kSecretBytes)),
              authority};
  if (token.word() != word) return damaged();  // libsodium takes some bytes that are no letters.
  return token;
}

std::string Token::word() const {
  std::string bytes = id_bytes(id) + secret + std::string(authority.view());
  bytes += checksum(bytes);
  std::string letters(sodium_base64_encoded_len(bytes.size(), kAlphabet), '\0');
  sodium_bin2base64(letters.data(), letters.size(),
                    reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), kAlphabet);
  letters.pop_back();  // Its end, which C wants.
  return std::string(kPrefix) + letters;
}

Digest Token::hash() const { return sha256("muster token" + id_bytes(id) + secret); }

}  // namespace muster::identity
