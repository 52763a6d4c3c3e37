#include "web/api/problem.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/printable.h"
#include "web/http/json_reply.h"

namespace muster::web {
namespace {

constexpr size_t kMostDetail = 2000;

struct About {
  ProblemKind kind;
  int status;
  const char *slug, *title, *what_to_do;
};
constexpr About kAll[] = {
    {ProblemKind::kBadRequest, 400, "bad-request", "Not understood",
     "A parameter or the body is not what the API describes, or there is one that it does not "
     "know; the fields that are wrong are named."},
    {ProblemKind::kSignIn, 401, "sign-in", "Sign in first",
     "Sign in, or send a token with Authorization: Bearer. A token may have run out, or been "
     "revoked."},
    {ProblemKind::kForbidden, 403, "forbidden", "Not permitted",
     "It is somebody else's, or an operator's to do. Ask whoever runs the pool."},
    {ProblemKind::kNotFound, 404, "not-found", "Not found",
     "Nothing of this name is here. A job's id has 16 hex digits; it may be on another pool."},
    {ProblemKind::kMethod, 405, "method", "Not that way",
     "The address is right, and cannot be asked for by this method; Allow says by which."},
    {ProblemKind::kConflict, 409, "conflict", "Not as it is now",
     "It is in a state in which this makes no sense, or a name is taken. Read it again."},
    {ProblemKind::kGone, 410, "gone", "Gone",
     "It was here and was deleted. Answers are kept for as long as the pool's operators chose; "
     "scores stay."},
    {ProblemKind::kTooLarge, 413, "too-large", "Too large", "A body may have 1 MiB. Send less."},
    {ProblemKind::kMediaType, 415, "media-type", "Not JSON",
     "Send the body with Content-Type: application/json."},
    {ProblemKind::kUnprocessable, 422, "unprocessable", "Cannot work",
     "It is understood, and cannot work: the sentence says what there is instead."},
    {ProblemKind::kTooManyRequests, 429, "too-many-requests", "Too often",
     "Wait for as long as Retry-After says."},
    {ProblemKind::kHeadTooLarge, 431, "head-too-large", "Too large",
     "The fields of a request may have 16 KiB. Delete this site's cookies, or send less."},
    {ProblemKind::kInternal, 500, "internal", "A fault of ours",
     "Tell whoever runs the pool the id of the request: its log has more."},
    {ProblemKind::kUnavailable, 503, "unavailable", "Try later",
     "The pool's server or its database cannot be reached now. The website asks again by itself."},
};

const About& about(ProblemKind kind) {
  const auto* found = std::find_if(std::begin(kAll), std::end(kAll),
                                   [&](const About& one) { return one.kind == kind; });
  MUSTER_CHECK(found != std::end(kAll));
  return *found;
}

ProblemKind kind_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return ProblemKind::kBadRequest;
    case Code::kNotFound:
      return ProblemKind::kNotFound;
    case Code::kPermission:
      return ProblemKind::kForbidden;
    case Code::kUnsupported:
    case Code::kDataLoss:
      return ProblemKind::kUnprocessable;
    case Code::kUnavailable:
    case Code::kTryLater:
      return ProblemKind::kUnavailable;
    default:
      return ProblemKind::kInternal;
  }
}

}  // namespace

tl::unexpected<Problem> problem(ProblemKind kind, std::string detail) {
  return tl::make_unexpected(Problem{.kind = kind, .detail = std::move(detail)});
}

tl::unexpected<Problem> problem(const Error& error) {
  return problem(kind_of(error.code), error.message);
}

ProblemKind kind_of(int status) {
  const auto* found = std::find_if(std::begin(kAll), std::end(kAll),
                                   [&](const About& one) { return one.status == status; });
  return found == std::end(kAll) ? ProblemKind::kInternal : found->kind;
}

Reply to_reply(const Problem& problem, const std::string& request) {
  const About& kind = about(problem.kind);
  Json body{{"type", std::string("/docs/problems/") + kind.slug},
            {"title", kind.title},
            {"status", kind.status},
            {"detail", printable(problem.detail, kMostDetail)},
            {"request", request}};
  for (const FieldError& error : problem.errors) {
    body["errors"].push_back(
        {{"pointer", printable(error.pointer)}, {"detail", printable(error.detail)}});
  }
  if (!problem.near.empty()) body["near"] = problem.near;
  Reply reply = json_reply(body);
  reply.status = kind.status;
  reply.type = "application/problem+json";
  reply.fields.emplace_back("Cache-Control", "no-store");
  const int64_t wait_s = problem.kind == ProblemKind::kUnavailable && problem.retry_after_s == 0
                             ? 3
                             : problem.retry_after_s;
  if (wait_s > 0) reply.fields.emplace_back("Retry-After", std::to_string(wait_s));
  std::string allowed;
  for (const std::string& method : problem.allowed) {
    allowed += (allowed.empty() ? "" : ", ") + method;
  }
  if (!allowed.empty()) reply.fields.emplace_back("Allow", allowed);
  return reply;
}

Json problem_kinds() {
  Json kinds = Json::array();
  for (const About& kind : kAll) {
    kinds.push_back({{"slug", kind.slug},
                     {"status", kind.status},
                     {"title", kind.title},
                     {"what_to_do", kind.what_to_do}});
  }
  return {{"items", std::move(kinds)}};
}

}  // namespace muster::web
