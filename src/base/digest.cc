#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace muster {
namespace {

// Fetched once: EVP_sha256() makes OpenSSL 3 look the algorithm up again at every init, which took
// longer than hashing a record.
const EVP_MD* algorithm_of(Hasher::Kind kind) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return kind == Hasher::Kind::kSha256 ? sha256 : sha1;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char c : bytes) {
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  std::string out(text.size() / 2 + 1, '\0');  // OpenSSL wants room for an end.
  size_t count = 0;
  const bool done = OPENSSL_hexstr2buf_ex(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                          &count, std::string(text).c_str(), '\0') == 1;
  ERR_clear_error();
  if (!done || count * 2 != text.size()) return fail(Code::kDataLoss, "no hexadecimal");
  out.resize(count);
  return out;
}

std::string Digest::hex() const { return to_hex(view()); }

Result<Digest> Digest::from_bytes(std::string_view bytes) {
  Digest digest;
  if (bytes.size() != digest.bytes.size()) return fail(Code::kDataLoss, "a digest has 32 bytes");
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

Digest sha256(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.finish_sha256();
}

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

// One that was used is used again: making it took as long as hashing a record.
std::unique_ptr<Hasher::State>& Hasher::spare() {
  static thread_local std::unique_ptr<State> state;
  return state;
}

Hasher::Hasher(Kind kind) : state_(std::move(spare())) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  MUSTER_CHECK(EVP_DigestInit_ex(state_->context, algorithm_of(kind), nullptr) == 1);
}

Hasher::~Hasher() { spare() = std::move(state_); }

void Hasher::add(std::string_view bytes) {
  MUSTER_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

void Hasher::add_field(std::string_view bytes) {
  uint64_t length = bytes.size();
  char prefix[8];
  for (char& c : prefix) {
    c = static_cast<char>(length & 255);
    length >>= 8;
  }
  add({prefix, sizeof prefix});
  add(bytes);
}

std::string Hasher::finish() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  MUSTER_CHECK(EVP_DigestFinal_ex(state_->context, out, &size) == 1);
  return {reinterpret_cast<char*>(out), size};
}

Digest Hasher::finish_sha256() { return *Digest::from_bytes(finish()); }

}  // namespace muster
