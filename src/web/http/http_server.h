#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/address.h"
#include "base/result.h"
#include "web/http/reply.h"
#include "web/http/request.h"

namespace muster::web {

// Answers HTTP/1.1 for people's browsers and programs. What is not well-formed, too large or too
// slow never gets to `answer`, and costs no more than its connection: kMostConnections are open at
// once, kMostOfAnAddress of one address, a request is whole within kPatience of the answer before,
// however it dribbles, and what is sent to who does not read is given up after as long.
//
// One thread reads and writes; `answer` is called on kWorkers others, and may block them: where
// kMostWaiting requests wait already, the next is told to come again (503).
class HttpServer {
 public:
  static constexpr size_t kMostConnections = 1024, kMostOfAnAddress = 64, kMostStreams = 600;
  static constexpr size_t kMostHeadBytes = 16 << 10, kMostBodyBytes = 1 << 20;
  static constexpr size_t kWorkers = 4, kMostWaiting = 256;
  static constexpr std::chrono::seconds kPatience{30};
  static constexpr std::chrono::seconds kSignOfLife{15};  // A comment, on a stream without events.

  // What it throws is a 500, whose reason is told to `on_fault` alone.
  using Answer = std::function<Reply(const Request&)>;
  // What is wrong with a request that `answer` does not get, as a reply.
  using Refuse = std::function<Reply(int status, const std::string& why, const std::string& id)>;
  struct Handlers {
    Answer answer;
    Refuse refuse;
    std::function<void(const std::string& news)> on_fault;
  };

  // kUnavailable when the port is in use. Port 0: any that is free.
  static Result<std::unique_ptr<HttpServer>> open(const Address& address, Handlers handlers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;

 private:
  class Running;
  explicit HttpServer(std::unique_ptr<Running> running);

  std::unique_ptr<Running> running_;
};

}  // namespace muster::web
