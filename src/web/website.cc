#include "web/website.h"

#include <random>

#include "base/digest.h"
#include "web/api/api.h"
#include "web/http/compression.h"
#include "web/pages/pages.h"

namespace muster::web {
namespace {

constexpr size_t kApiSegments = 2;  // "/api/v1".

// What a page of the site may do in a browser: what comes from here, and nothing else.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'";

void secure(Reply& reply) {
  reply.fields.emplace_back("X-Content-Type-Options", "nosniff");
  reply.fields.emplace_back("Referrer-Policy", "same-origin");
  reply.fields.emplace_back("Content-Security-Policy", kPolicy);
}

bool is_of_api(const Request& request) {
  const auto& segments = request.target.segments;
  return !segments.empty() && segments[0] == "api";
}

Reply api_reply(const Routes& routes, const Request& request) {
  const auto& segments = request.target.segments;
  const bool is_ours = segments.size() >= kApiSegments && segments[1] == "v1";
  const Answer answer = is_ours ? routes.answer(request, kApiSegments)
                                : problem(ProblemKind::kNotFound, "the API is at /api/v1");
  return answer ? *answer : to_reply(answer.error(), request.id);
}

Reply page_reply(const Request& request) {
  if (request.method == "GET" || request.method == "HEAD") return page_for(request);
  Problem problem{.kind = ProblemKind::kMethod, .detail = "pages are only read"};
  problem.allowed = {"GET", "HEAD"};
  return to_reply(problem, request.id);
}

// A life of the website: events of another are not continued.
std::string new_boot() {
  const uint32_t bits = std::random_device()();
  return to_hex(std::string_view(reinterpret_cast<const char*>(&bits), sizeof bits));
}

}  // namespace

Website::Website(Options options)
    : archive_(options.database),
      events_(new_boot()),
      watch_({.status = std::move(options.status),
              .archive = archive_,
              .board = board_,
              .events = events_,
              .on_news = options.on_news}),
      on_news_(options.on_news) {}

Website::~Website() { http_.reset(); }

Result<std::unique_ptr<Website>> Website::open(Options options) {
  const Address address = options.address;
  std::unique_ptr<Website> website(new Website(std::move(options)));
  MUSTER_TRY_STATUS(website->listen(address));
  website->watch_.begin();
  return website;
}

Status Website::listen(const Address& address) {
  const auto routes =
      std::make_shared<const Routes>(api_routes({.archive = archive_,
                                                 .board = board_,
                                                 .events = events_,
                                                 .now = [this] { return watch_.now(); },
                                                 .silence = [this] { return watch_.silence(); }}));
  MUSTER_TRY(http_, HttpServer::open(
                        address,
                        {.answer =
                             [routes](const Request& request) {
                               Reply reply = is_of_api(request) ? api_reply(*routes, request)
                                                                : page_reply(request);
                               secure(reply);
                               compress(request, reply);
                               return reply;
                             },
                         .refuse =
                             [](int status, const std::string& why, const std::string& id) {
                               Reply reply = to_reply({.kind = kind_of(status), .detail = why}, id);
                               secure(reply);
                               return reply;
                             },
                         .on_fault = on_news_}));
  return {};
}

void Website::say_bye() { events_.end(R"({"retry_ms":3000})"); }

}  // namespace muster::web
