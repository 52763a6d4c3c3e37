#include "io/pool_authority.h"

namespace muster::io {
namespace {

constexpr size_t kMostBytes = 16u << 10;

}  // namespace

// The key is written first: a certificate without its key is what no crash leaves behind.
Result<identity::Authority> open_authority(const Path& folder, int64_t unix_seconds) {
  const Path certificate_file = folder / "authority.crt", key_file = folder / "authority.key";
  auto certificate = read_file(certificate_file, kMostBytes);
  if (!certificate && certificate.error().code == Code::kNotFound) {
    MUSTER_TRY(auto made, identity::Authority::make(unix_seconds));
    MUSTER_TRY_STATUS(write_file_atomically(key_file, made.credentials().key));
    MUSTER_TRY_STATUS(
        write_file_atomically(certificate_file, made.certificate(), FileAccess::kUmask));
    return made;
  }
  if (!certificate) return fail(certificate.error());
  auto key = read_file(key_file, kMostBytes);
  auto authority = key ? identity::Authority::read({*certificate, *key})
                       : Result<identity::Authority>(fail(key.error()));
  if (authority) return authority;
  return fail(Code::kDisk,
              certificate_file.string() + " and authority.key: " + authority.error().message +
                  "; put both back from a backup, or delete both: then every machine needs a token "
                  "again");
}

}  // namespace muster::io
