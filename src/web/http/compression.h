#pragma once

#include "web/http/reply.h"
#include "web/http/request.h"

namespace muster::web {

// Packs a body with gzip where whoever asked can unpack it and it is worth it: text of kWorthBytes
// and more that nothing has packed yet.
constexpr size_t kWorthBytes = 1024;
void compress(const Request& request, Reply& reply);

}  // namespace muster::web
