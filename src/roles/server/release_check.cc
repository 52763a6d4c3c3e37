#include "roles/server/release_check.h"

#include "base/printable.h"
#include "base/probe.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMostVersionBytes = 20;

}  // namespace

Status may_work_together(const pb::Hello& hello, const Release& own) {
  const uint64_t theirs = hello.release(), here = own.number;
  if (theirs <= here + 1 && here <= theirs + 1) return {};
  MUSTER_PROBE("a machine of another age is refused");
  const bool is_older = theirs < here;
  const std::string version = printable(hello.version(), kMostVersionBytes);
  return fail(Code::kUnsupported,
              "it has muster " + version + ", the server " + own.version +
                  ", which are more than one release apart: upgrade " +
                  (is_older ? "it" : "the server") +
                  " ('git pull && ./dev build', or 'docker pull' of the image of version " +
                  (is_older ? own.version : version) + ")");
}

}  // namespace muster::roles::server
