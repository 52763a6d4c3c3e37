#include "web/api/routes.h"

#include <algorithm>

#include "base/check.h"

namespace muster::web {
namespace {

bool is_name(const std::string& segment) { return segment.starts_with('{'); }

std::ptrdiff_t names_in(const std::vector<std::string>& segments) {
  return std::count_if(segments.begin(), segments.end(), is_name);
}

}  // namespace

void Routes::add(const std::string& method, const std::string& path, Handler handler) {
  const auto target = parse_target(path);
  MUSTER_CHECK(target.has_value());
  for (const Route& route : routes_) MUSTER_CHECK(route.method != method || route.path != path);
  Route route{method, path, target->segments, std::move(handler)};
  const auto place = std::find_if(routes_.begin(), routes_.end(), [&](const Route& other) {
    return names_in(other.segments) > names_in(route.segments);
  });
  routes_.insert(place, std::move(route));
}

bool Routes::fits(const Route& route, const std::vector<std::string>& segments, size_t from,
                  Captured& captured) {
  captured.clear();
  if (route.segments.size() != segments.size() - from) return false;
  for (size_t i = 0; i < route.segments.size(); ++i) {
    const std::string &wanted = route.segments[i], &there = segments[from + i];
    if (!is_name(wanted) && wanted != there) return false;
    if (is_name(wanted)) captured[wanted.substr(1, wanted.size() - 2)] = there;
  }
  return true;
}

Answer Routes::answer(const Request& request, size_t from_segment) const {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  Problem others{.kind = ProblemKind::kMethod};
  Captured captured;
  for (const Route& route : routes_) {
    if (!fits(route, request.target.segments, from_segment, captured)) continue;
    if (route.method == method) return route.handler(request, captured);
    others.allowed.push_back(route.method);
    if (route.method == "GET") others.allowed.emplace_back("HEAD");
  }
  if (others.allowed.empty()) return problem(ProblemKind::kNotFound, "there is no such address");
  others.detail = request.method + " is not for this address";
  return tl::make_unexpected(std::move(others));
}

std::vector<std::string> Routes::list() const {
  std::vector<std::string> list;
  for (const Route& route : routes_) list.push_back(route.method + " " + route.path);
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace muster::web
