#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "web/http/reply.h"

namespace muster::web {

// What can be wrong with a request, or here. A page of the docs for each says what to do.
enum class ProblemKind {
  kBadRequest,
  kSignIn,
  kForbidden,
  kNotFound,
  kMethod,
  kConflict,
  kGone,
  kTooLarge,
  kMediaType,
  kUnprocessable,
  kTooManyRequests,
  kHeadTooLarge,
  kInternal,
  kUnavailable
};

// A parameter, "?limit", or a place in the body, "/tasks/0", and what is wrong there.
struct FieldError {
  std::string pointer, detail;
};

// Why a request is not answered, as RFC 9457 has it.
struct Problem {
  ProblemKind kind = ProblemKind::kInternal;
  std::string detail;  // A sentence, as the command line would say it.
  std::vector<FieldError> errors;
  std::vector<std::string> near;     // Names that are like the one that is unknown.
  int64_t retry_after_s = 0;         // 0: none is said.
  std::vector<std::string> allowed;  // Of kMethod: the methods there are.
};

// The reply to a request, or why there is none.
using Answer = tl::expected<Reply, Problem>;

tl::unexpected<Problem> problem(ProblemKind kind, std::string detail);
// As commands end with it (exit codes): 75 and 69 are "try later", 77 forbidden, 78 unprocessable.
tl::unexpected<Problem> problem(const Error& error);
// An error of either kind, on its way to who asked.
inline tl::unexpected<Problem> to_problem(Problem problem) {
  return tl::make_unexpected(std::move(problem));
}
inline tl::unexpected<Problem> to_problem(const Error& error) { return problem(error); }
// The kind that has this HTTP status.
ProblemKind kind_of(int status);

// `request`: its id.
Reply to_reply(const Problem& problem, const std::string& request);
// All kinds, as /problems lists them.
Json problem_kinds();

}  // namespace muster::web
