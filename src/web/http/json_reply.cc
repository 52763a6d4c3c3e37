#include "web/http/json_reply.h"

#include "base/digest.h"

namespace muster::web {
namespace {

constexpr size_t kTagDigits = 16;

// "a", W/"b" has it, and * has everything.
bool has(std::string_view tags, std::string_view tag) {
  return tags == "*" || tags.find(tag) != std::string_view::npos;
}

}  // namespace

Reply json_reply(const Json& body) {
  return {.type = "application/json",
          .body = std::make_shared<const std::string>(
              body.dump(-1, ' ', false, Json::error_handler_t::replace))};
}

void set_tag(const Request& request, const std::string& tag, Reply& reply) {
  const std::string quoted = '"' + tag + '"';
  reply.fields.emplace_back("ETag", quoted);
  reply.fields.emplace_back("Cache-Control", "no-cache");
  if (!has(request.field("if-none-match"), quoted)) return;
  reply.status = 304;
  reply.type.clear();
  reply.body.reset();
}

void set_tag(const Request& request, Reply& reply) {
  set_tag(request, sha256(*reply.body).hex().substr(0, kTagDigits), reply);
}

}  // namespace muster::web
