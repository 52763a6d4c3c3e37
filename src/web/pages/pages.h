#pragma once

#include <string_view>
#include <vector>

#include "web/http/reply.h"
#include "web/http/request.h"

namespace muster::web {

// docs/openapi.json, as it was when this program was built.
std::string_view api_description();

// The site's files (site/dist), which are inside the program, and its one page for every address
// that people see. One that leads nowhere is answered with that page too, which says so, and 404.
Reply page_for(const Request& request);

// The addresses that people see, as site/src/router.svelte.ts has them: "/jobs/:job".
const std::vector<std::string_view>& page_addresses();

}  // namespace muster::web
