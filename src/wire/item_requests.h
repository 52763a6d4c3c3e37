#pragma once

#include <string>
#include <vector>

#include "wire/pb.h"

namespace muster::wire {

// The requests of one item as a grant carries them: a context is said once for all requests in a
// row that have it. `Request` is anything with a context and a continuation, in this order, both
// strings.

// Appends them to those of `out`, which has none yet.
template <typename Request>
void pack_requests(const std::vector<Request>& requests, pb::ItemRequests& out) {
  const std::string* last = nullptr;
  for (const auto& [context, continuation] : requests) {
    auto* added = out.add_requests();
    if (last == nullptr || *last != context) added->set_context(context);
    added->set_continuation(continuation);
    last = &context;
  }
}

// With the contexts filled in that were left out. The first has none if it was sent without.
template <typename Request>
std::vector<Request> unpack_requests(const pb::ItemRequests& item) {
  std::vector<Request> requests;
  std::string context;
  for (const auto& request : item.requests()) {
    if (request.has_context()) context = request.context();
    requests.push_back({context, request.continuation()});
  }
  return requests;
}

}  // namespace muster::wire
