#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/database/archive.h"
#include "web/api/routes.h"
#include "web/board/shared_board.h"
#include "web/live/event_log.h"
#include "web/live/pool_now.h"

namespace muster::web {

// What the API says, and whom it asks (docs/openapi.json describes every answer). All of it may be
// asked on several threads.
struct ApiSources {
  io::Archive& archive;
  SharedBoard& board;
  EventLog& events;
  std::function<std::shared_ptr<const PoolNow>()> now;  // Null: nothing was heard yet.
  std::function<std::string()> silence;                 // Why not.
};

// Below /api/v1. What is named in `sources` outlives the object.
Routes api_routes(const ApiSources& sources);

// The routes of each part of it.
void add_pool_routes(Routes& routes, const ApiSources& sources);
void add_job_routes(Routes& routes, const ApiSources& sources);
void add_board_routes(Routes& routes, const ApiSources& sources);
void add_reference_routes(Routes& routes, const ApiSources& sources);

// The pool at its last look, or the problem that there was none.
tl::expected<std::shared_ptr<const PoolNow>, Problem> pool_now(const ApiSources& sources);

}  // namespace muster::web

// MUSTER_ANSWER(auto x, f());  declares x, or answers with f's error.
#define MUSTER_ANSWER(declaration, expression) \
  MUSTER_ANSWER_INNER(MUSTER_CONCAT(muster_answer_, __LINE__), declaration, expression)
// MUSTER_ANSWER_CHECK(parameters);  answers with what is wrong with them, if anything.
#define MUSTER_ANSWER_CHECK(parameters)                                    \
  do {                                                                     \
    if (auto muster_checked = (parameters).check(); !muster_checked) {     \
      return ::muster::web::to_problem(std::move(muster_checked).error()); \
    }                                                                      \
  } while (false)
#define MUSTER_ANSWER_INNER(temporary, declaration, expression)                   \
  auto temporary = (expression);                                                  \
  if (!temporary) return ::muster::web::to_problem(std::move(temporary).error()); \
  declaration = *std::move(temporary)
