#include "web/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "web/http/visitor_for_test.h"

namespace muster::web {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Reply text(std::string body) {
  return {.type = "text/plain", .body = std::make_shared<const std::string>(std::move(body))};
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    auto opened = HttpServer::open(
        {"127.0.0.1", 0},
        {.answer = [this](const Request& request) { return answer(request); },
         .refuse =
             [](int status, const std::string& why, const std::string& id) {
               Reply reply = text(why + " " + std::to_string(id.size()));
               reply.status = status;
               return reply;
             },
         .on_fault = [this](const std::string& news) { faults_.push_back(news); }});
    server_ = std::move(*opened);
  }

  Reply answer(const Request& request) {
    if (request.target.segments.empty()) return text("start");
    const std::string& what = request.target.segments.front();
    if (what == "body") return text(request.method + " " + request.body);
    if (what == "field") return text(std::string(request.field("x-muster-csrf")));
    if (what == "throw") throw std::runtime_error("it broke");
    if (what == "wait") released_.get_future().wait();
    if (what == "events") return {.type = "text/event-stream", .events = events_};
    return text("else");
  }

  std::string ask(const std::string& request) const {
    Visitor visitor(server_->port());
    visitor.say(request);
    visitor.say_no_more();
    return visitor.hear();
  }

  std::promise<void> released_;
  std::vector<std::string> faults_;
  std::shared_ptr<EventQueue> events_ = std::make_shared<EventQueue>();
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersOneAfterTheOtherOnAConnection) {
  Visitor visitor(server_->port());
  visitor.say(
      "GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST /body HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(visitor.hear("POST abc"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\n\r\nstartHTTP/1.1 200"),
                    HasSubstr("Content-Length: 8\r\n\r\nPOST abc")));
}

TEST_F(HttpServerTest, HeadHasNoBodyButItsLength) {
  EXPECT_THAT(ask("HEAD / HTTP/1.1\r\n\r\n"), EndsWith("Content-Length: 5\r\n\r\n"));
}

TEST_F(HttpServerTest, FieldsAreFoundInLowerCase) {
  EXPECT_THAT(ask("GET /field HTTP/1.1\r\nX-Muster-CSRF: abc\r\n\r\n"), EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /%zz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(
      ask("GET / HTTP/1.1\r\nA: " + std::string(HttpServer::kMostHeadBytes, 'x') + "\r\n\r\n"),
      StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("POST /body HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff0000\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(ask("GET / HT"), "");  // Its maker has gone.
}

TEST_F(HttpServerTest, WaitsForALargeBodyOnlyIfItTakesIt) {
  Visitor visitor(server_->port());
  visitor.say("POST /body HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(visitor.hear("Continue\r\n\r\n"), StartsWith("HTTP/1.1 100"));
  visitor.say("ok");
  EXPECT_THAT(visitor.hear("POST ok"), EndsWith("POST ok"));
}

TEST_F(HttpServerTest, AFaultIsToldInTheLogAlone) {
  const std::string said = ask("GET /throw HTTP/1.1\r\n\r\n");
  EXPECT_THAT(said, AllOf(StartsWith("HTTP/1.1 500"), Not(HasSubstr("it broke"))));
  server_.reset();
  EXPECT_THAT(faults_, testing::ElementsAre(HasSubstr("it broke")));
}

TEST_F(HttpServerTest, OneThatWaitsHoldsNobodyUp) {
  Visitor waits(server_->port());
  waits.say("GET /wait HTTP/1.1\r\n\r\n");
  EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), EndsWith("start"));
  released_.set_value();
  EXPECT_THAT(waits.hear("else"), EndsWith("else"));
}

TEST_F(HttpServerTest, SendsEventsUntilTheyEnd) {
  Visitor reader(server_->port());
  reader.say("GET /events HTTP/1.1\r\n\r\n");
  events_->push("data: 1\n\n");
  EXPECT_THAT(reader.hear("data: 1\n\n"), HasSubstr("Connection: close\r\n\r\ndata: 1\n\n"));
  events_->push("data: 2\n\n");
  EXPECT_EQ(reader.hear("data: 2\n\n"), "data: 2\n\n");
  events_->push("data: 3\n\n");
  events_->close();
  EXPECT_EQ(reader.hear(), "data: 3\n\n");
}

TEST_F(HttpServerTest, WhoLeavesIsToldNothingMore) {
  {
    Visitor reader(server_->port());
    reader.say("GET /events HTTP/1.1\r\n\r\n");
    EXPECT_NE(reader.hear("\r\n\r\n"), "");
  }
  while (events_->push("data: 1\n\n")) std::this_thread::yield();
}

TEST_F(HttpServerTest, WhoDoesNotReadIsCutOff) {
  EventQueue queue;
  size_t taken = 0;
  while (queue.push("data: x\n\n")) ++taken;
  EXPECT_EQ(taken, EventQueue::kMostEvents);
  EventQueue large;
  EXPECT_FALSE(large.push(std::string(EventQueue::kMostBytes + 1, 'x')));
}

TEST_F(HttpServerTest, AnAddressHasSoManyConnections) {
  std::vector<std::unique_ptr<Visitor>> silent;
  for (size_t count = 0; count < HttpServer::kMostOfAnAddress; ++count) {
    silent.push_back(std::make_unique<Visitor>(server_->port()));
    silent.back()->say("GET / HTTP/1.1\r\n\r\n");
    EXPECT_NE(silent.back()->hear("start"), "");
  }
  EXPECT_EQ(Visitor(server_->port()).hear(), "");
  silent.pop_back();
  while (ask("GET / HTTP/1.1\r\n\r\n").empty()) std::this_thread::yield();
}

TEST_F(HttpServerTest, EndsWhileSomebodyReads) {
  Visitor reader(server_->port());
  reader.say("GET /events HTTP/1.1\r\n\r\n");
  EXPECT_NE(reader.hear("\r\n\r\n"), "");
  server_.reset();
  EXPECT_EQ(reader.hear(), "");
  EXPECT_FALSE(events_->push("data: 1\n\n"));
}

}  // namespace
}  // namespace muster::web
