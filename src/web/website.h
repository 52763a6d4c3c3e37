#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "io/database/archive.h"
#include "web/board/shared_board.h"
#include "web/http/http_server.h"
#include "web/live/event_log.h"
#include "web/live/pool_watch.h"

namespace muster::web {

// The pages of a pool and their API, over HTTP. Reads the database beside the server, and asks the
// server how the pool is, once for all who look. Threads of its own.
class Website {
 public:
  struct Options {
    Address address;
    io::DatabaseAddress database;
    std::function<Result<pb::PoolStatus>()> status;  // May block.
    std::function<void(const std::string& news)> on_news;
  };
  // kUnavailable: the port is in use.
  static Result<std::unique_ptr<Website>> open(Options options);
  ~Website();
  Website(const Website&) = delete;
  Website& operator=(const Website&) = delete;

  [[nodiscard]] int port() const { return http_->port(); }
  // Why the pool's server, or its database, was not heard at the last look; empty: it was.
  [[nodiscard]] std::string silence() const { return watch_.silence(); }
  // Tells the pages that are open that it ends, so that they come again.
  void say_bye();

 private:
  explicit Website(Options options);
  Status listen(const Address& address);

  io::Archive archive_;
  SharedBoard board_;
  EventLog events_;
  PoolWatch watch_;
  std::function<void(const std::string& news)> on_news_;
  std::unique_ptr<HttpServer> http_;  // Last: it asks all of the above.
};

}  // namespace muster::web
