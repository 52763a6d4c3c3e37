#include "io/status/health_pages.h"

#include "base/json.h"

namespace muster::io {
namespace {

StatusPort::Reply reply(Json json, const std::vector<std::string>& why) {
  if (!why.empty()) json["why"] = why;
  // What a condition quotes need not be UTF-8.
  std::string body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return {why.empty() ? 200 : 503, "application/json", std::move(body)};
}

}  // namespace

StatusPort::Pages health_pages(const Health& health) {
  return {{"/livez",
           [&health] {
             const auto why = health.why_not_live();
             return reply({{"live", why.empty()}}, why);
           }},
          {"/readyz",
           [&health] {
             const auto why = health.why_not_ready();
             return reply({{"ready", why.empty()}}, why);
           }},
          {"/healthz", [&health] {
             const bool is_live = health.why_not_live().empty();
             const auto why = health.why_not_ready();
             return reply({{"live", is_live}, {"ready", why.empty()}, {"version", MUSTER_VERSION}},
                          why);
           }}};
}

}  // namespace muster::io
