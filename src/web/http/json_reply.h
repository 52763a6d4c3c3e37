#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "web/http/reply.h"
#include "web/http/request.h"

namespace muster::web {

// Of one line. A number that JSON has not (NaN, infinity) is null.
Reply json_reply(const Json& body);

// What everybody may see, named by what it was made of ("b12-..."): who has it already is told so
// with 304.
void set_tag(const Request& request, const std::string& tag, Reply& reply);
// The same, named by its bytes.
void set_tag(const Request& request, Reply& reply);

}  // namespace muster::web
