#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/api/cursors.h"
#include "web/api/parameters.h"
#include "web/api/problem.h"
#include "web/api/routes.h"

namespace muster::web {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Request request_for(const std::string& target, const std::string& method = "GET") {
  return {.method = method, .target = *parse_target(target), .id = "1"};
}

// What is wrong, a pointer each.
std::vector<std::string> wrong(const Parameters& parameters) {
  std::vector<std::string> pointers;
  const auto checked = parameters.check();
  if (checked) return pointers;
  for (const FieldError& error : checked.error().errors) pointers.push_back(error.pointer);
  return pointers;
}

TEST(ParametersTest, ReadsWhatIsThere) {
  const Request request = request_for("/x?q=a+b&limit=20&mine=true&state=a,b&show=all");
  Parameters parameters(request, {"q", "limit", "mine", "state", "show", "else"});
  EXPECT_EQ(parameters.text("q", 10), "a b");
  EXPECT_EQ(page_size(parameters), 20);
  EXPECT_TRUE(parameters.flag("mine"));
  EXPECT_FALSE(parameters.flag("else"));
  EXPECT_THAT(parameters.list("state", 2), ElementsAre("a", "b"));
  EXPECT_EQ(parameters.word("show", {"full", "all"}), "all");
  EXPECT_EQ(parameters.number("else", 0, 9), std::nullopt);
  EXPECT_THAT(wrong(parameters), IsEmpty());
}

TEST(ParametersTest, CollectsWhatIsWrong) {
  const Request request =
      request_for("/x?q=&limit=201&mine=1&state=a,b,c&show=x&what=1&q=2&number=1e3&other=-1");
  Parameters parameters(request, {"q", "limit", "mine", "state", "show", "number", "other"});
  EXPECT_THAT(wrong(parameters), ElementsAre("?what", "?q"));
  EXPECT_EQ(parameters.text("q", 10), std::nullopt);
  EXPECT_EQ(page_size(parameters), kPage);
  EXPECT_FALSE(parameters.flag("mine"));
  EXPECT_THAT(parameters.list("state", 2), IsEmpty());
  EXPECT_EQ(parameters.word("show", {"full", "all"}), "full");
  EXPECT_EQ(parameters.number("number", 0, 9), std::nullopt);
  EXPECT_EQ(parameters.number("other", 0, 9), std::nullopt);
  EXPECT_THAT(wrong(parameters), ElementsAre("?what", "?q", "?q", "?limit", "?mine", "?state",
                                             "?show", "?number", "?other"));
}

TEST(CursorsTest, IsGoodForItsList) {
  const Cursors cursors("pool");
  const Json place = Json::array({17, "abc", 1});
  const std::string cursor = cursors.make("jobs\ndone", place);
  EXPECT_EQ(*cursors.read("jobs\ndone", cursor, place), place);
  EXPECT_EQ(*Cursors("pool").read("jobs\ndone", cursor, place), place);
  EXPECT_FALSE(cursors.read("jobs", cursor, place));
  EXPECT_FALSE(Cursors("another").read("jobs\ndone", cursor, place));
}

TEST(CursorsTest, RefusesWhatWasAltered) {
  const Cursors cursors("pool");
  const std::string cursor = cursors.make("jobs", Json::array({1}));
  for (size_t at = 0; at < cursor.size(); ++at) {
    std::string altered = cursor;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(cursors.read("jobs", altered, Json::array({1}))) << at;
  }
  for (const std::string text : {"", "x", "%%%", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(cursors.read("jobs", text, Json::array({1}))) << text;
  }
}

TEST(CursorsTest, IsMadeAsItsListWantsIt) {
  const Cursors cursors("pool");
  const Json like = Json::array({0, ""});
  EXPECT_TRUE(cursors.read("jobs", cursors.make("jobs", Json::array({7, "x"})), like));
  for (const Json& place :
       {Json(7), Json::array({7}), Json::array({"x", 7}), Json::array({-7, "x"}),
        Json::array({7.5, "x"}), Json::array({7, nullptr})}) {
    EXPECT_FALSE(cursors.read("jobs", cursors.make("jobs", place), like)) << place;
  }
  EXPECT_FALSE(cursors.read("jobs", cursors.make("jobs", Json("7")), Json(0)));
}

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    for (const char* path : {"/jobs/{job}", "/jobs/mine", "/jobs"}) {
      routes_.add("GET", path, [path](const Request&, const Captured& captured) -> Answer {
        const auto job = captured.find("job");
        return Reply{.type = std::string(path) + (job == captured.end() ? "" : " " + job->second)};
      });
    }
    routes_.add("POST", "/jobs",
                [](const Request&, const Captured&) -> Answer { return Reply{.status = 201}; });
  }
  Routes routes_;
};

TEST_F(RoutesTest, TheOneWithFewerNamesCounts) {
  EXPECT_EQ(routes_.answer(request_for("/api/jobs/7"), 1)->type, "/jobs/{job} 7");
  EXPECT_EQ(routes_.answer(request_for("/api/jobs/mine"), 1)->type, "/jobs/mine");
  EXPECT_EQ(routes_.answer(request_for("/api/jobs/", "HEAD"), 1)->type, "/jobs");
  EXPECT_EQ(routes_.answer(request_for("/api/jobs", "POST"), 1)->status, 201);
}

TEST_F(RoutesTest, SaysWhatElseThereIs) {
  EXPECT_EQ(routes_.answer(request_for("/api/else"), 1).error().kind, ProblemKind::kNotFound);
  EXPECT_EQ(routes_.answer(request_for("/api"), 1).error().kind, ProblemKind::kNotFound);
  const auto wrong_way = routes_.answer(request_for("/api/jobs", "DELETE"), 1);
  EXPECT_EQ(wrong_way.error().kind, ProblemKind::kMethod);
  EXPECT_THAT(wrong_way.error().allowed, ElementsAre("GET", "HEAD", "POST"));
  EXPECT_THAT(routes_.list(),
              ElementsAre("GET /jobs", "GET /jobs/mine", "GET /jobs/{job}", "POST /jobs"));
}

TEST(ProblemTest, IsADocument) {
  Problem problem{.kind = ProblemKind::kUnavailable,
                  .detail = "the server\nis \x1b[31maway",
                  .errors = {{"?q", "no"}}};
  const Reply reply = to_reply(problem, "7f3a");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.type, "application/problem+json");
  const Json json = *parse_json(*reply.body, 10'000);
  EXPECT_EQ(json["type"], "/docs/problems/unavailable");
  EXPECT_EQ(json["request"], "7f3a");
  EXPECT_EQ(json["errors"][0]["pointer"], "?q");
  EXPECT_THAT(json["detail"].get<std::string>(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(reply.fields, testing::Contains(testing::Pair("Retry-After", "3")));
}

TEST(ProblemTest, EachKindHasAStatusOfItsOwn) {
  for (const Json& kind : problem_kinds()["items"]) {
    const int status = kind["status"];
    EXPECT_EQ(to_reply({.kind = kind_of(status)}, "1").status, status);
  }
  EXPECT_EQ(kind_of(418), ProblemKind::kInternal);
}

}  // namespace
}  // namespace muster::web
