#include "eval/item.h"

namespace muster::eval {

Digest request_digest(const std::vector<Request>& requests) {
  Hasher hasher;
  for (const Request& request : requests) {
    hasher.add_field(request.context);
    hasher.add_field(request.continuation);
  }
  return hasher.finish_sha256();
}

Digest frozen_digest(const std::vector<Digest>& request_digests) {
  Hasher hasher;
  for (const Digest& digest : request_digests) hasher.add_field(digest.view());
  return hasher.finish_sha256();
}

}  // namespace muster::eval
