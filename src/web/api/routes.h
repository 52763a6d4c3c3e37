#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "web/api/problem.h"
#include "web/http/request.h"

namespace muster::web {

// What stood in an address where a route has a name: "job" of /jobs/{job}.
using Captured = std::map<std::string, std::string>;

// Who answers what: by method and the segments of a path.
class Routes {
 public:
  using Handler = std::function<Answer(const Request&, const Captured&)>;

  // "GET", "/jobs/{job}/runs/{run}". Of two that fit, the one with fewer names counts (checked:
  // the same one is not added twice).
  void add(const std::string& method, const std::string& path, Handler handler);
  // A method that only others have is answered with those; HEAD is GET.
  [[nodiscard]] Answer answer(const Request& request, size_t from_segment) const;
  // "GET /jobs/{job}", in order.
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  struct Route {
    std::string method, path;
    std::vector<std::string> segments;
    Handler handler;
  };
  [[nodiscard]] static bool fits(const Route& route, const std::vector<std::string>& segments,
                                 size_t from, Captured& captured);
  std::vector<Route> routes_;  // Those with fewer names first.
};

}  // namespace muster::web
