#include "web/api/api.h"

#include "web/http/json_reply.h"

namespace muster::web {

Routes api_routes(const ApiSources& sources) {
  Routes routes;
  add_pool_routes(routes, sources);
  add_job_routes(routes, sources);
  add_board_routes(routes, sources);
  add_reference_routes(routes, sources);
  return routes;
}

tl::expected<std::shared_ptr<const PoolNow>, Problem> pool_now(const ApiSources& sources) {
  auto now = sources.now();
  if (now) return now;
  const std::string why = sources.silence();
  return problem(ProblemKind::kUnavailable,
                 why.empty() ? "the pool's server has not answered yet" : why);
}

}  // namespace muster::web
