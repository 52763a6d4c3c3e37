#include "web/http/http_server.h"

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <map>
#include <random>
#include <thread>
#include <unordered_map>

#include "base/digest.h"
#include "io/listening_socket.h"

namespace muster::web {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr int kBadRequest = 400, kTooLarge = 413, kHeadTooLarge = 431, kFault = 500, kBusy = 503;

// Whether a reply may go on to another one on its connection.
struct Ending {
  bool is_head = false, closes = false;
};

std::string head_of(const Reply& reply, const Ending& ending) {
  const auto status = http::int_to_status(static_cast<unsigned>(reply.status));
  const beast::string_view words = http::obsolete_reason(status);
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  head.append(words.data(), words.size());
  for (const auto& [name, value] : reply.fields) head += "\r\n" + name + ": " + value;
  if (!reply.type.empty()) head += "\r\nContent-Type: " + reply.type;
  const bool has_length = !reply.events && reply.status != 204 && reply.status != 304;
  if (has_length) {
    head += "\r\nContent-Length: " + std::to_string(reply.body ? reply.body->size() : 0);
  }
  if (ending.closes) head += "\r\nConnection: close";
  return head + "\r\n\r\n";
}

Request to_request(Parser& parser, Target target) {
  auto message = parser.release();
  Request request{.method = std::string(message.method_string()), .target = std::move(target)};
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) {
      return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
    });
    auto& value = request.fields[name];
    value += (value.empty() ? "" : ", ") + std::string(field.value());
  }
  request.body = std::move(message.body());
  return request;
}

int status_for(const error_code& error) {
  if (error == http::error::body_limit) return kTooLarge;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return kHeadTooLarge;
  }
  const bool is_gone = error == http::error::end_of_stream || error == http::error::partial_message;
  const bool is_http = error.category() == make_error_code(http::error::end_of_stream).category();
  return is_http && !is_gone ? kBadRequest : 0;  // 0: his time may be over, too.
}

}  // namespace

// All but the workers' calls is on one thread.
class HttpServer::Running {
 public:
  Running(int socket, Handlers handlers)
      : handlers_(std::move(handlers)), acceptor_(io_), workers_(kWorkers) {
    acceptor_.assign(is_v6(socket) ? tcp::v6() : tcp::v4(), socket);
    spawn(accept());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Running() {
    io_.stop();
    thread_.join();
    workers_.stop();
    workers_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] int port() const { return acceptor_.local_endpoint().port(); }

 private:
  using Strand = asio::io_context::executor_type;
  using Stream = beast::tcp_stream;

  // One of the connections, for as long as it is open.
  class Place {
   public:
    Place(Running& running, std::string peer) : running_(running), peer_(std::move(peer)) {
      ++running_.open_;
      ++running_.open_of_[peer_];
    }
    ~Place() {
      --running_.open_;
      const auto of_peer = running_.open_of_.find(peer_);
      if (--of_peer->second == 0) running_.open_of_.erase(of_peer);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] const std::string& peer() const { return peer_; }

   private:
    Running& running_;
    const std::string peer_;
  };

  // A queue that tells its stream of news, until either is gone.
  class Listening {
   public:
    Listening(Running& running, std::shared_ptr<EventQueue> queue)
        : running_(running),
          queue_(std::move(queue)),
          timer_(std::make_shared<Timer>(running.io_)) {
      ++running_.streams_;
      queue_->on_news([timer = timer_, io = running.io_.get_executor()] {
        asio::post(io, [timer] {
          timer->has_news = true;
          timer->timer.cancel();
        });
      });
    }
    ~Listening() {
      queue_->on_news({});
      queue_->close();
      --running_.streams_;
    }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

    // Whether there is something new, at last; not within kSignOfLife.
    asio::awaitable<bool> wait() {
      if (!std::exchange(timer_->has_news, false)) {
        timer_->timer.expires_after(kSignOfLife);
        error_code over;
        co_await timer_->timer.async_wait(asio::redirect_error(asio::use_awaitable, over));
        if (!over) co_return false;
        timer_->has_news = false;
      }
      co_return true;
    }
    EventQueue& queue() { return *queue_; }

   private:
    struct Timer {
      explicit Timer(asio::io_context& io) : timer(io) {}
      asio::steady_timer timer;
      bool has_news = false;
    };
    Running& running_;
    const std::shared_ptr<EventQueue> queue_;
    const std::shared_ptr<Timer> timer_;
  };

  static bool is_v6(int socket) {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    return getsockname(socket, reinterpret_cast<sockaddr*>(&address), &bytes) == 0 &&
           address.ss_family == AF_INET6;
  }

  void spawn(asio::awaitable<void> work) {
    asio::co_spawn(io_, std::move(work), [this](const std::exception_ptr& thrown) {
      if (thrown) fault(thrown);
    });
  }

  void fault(const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      handlers_.on_fault(error.what());
    }
  }

  asio::awaitable<void> accept() {
    while (true) {
      error_code error;
      tcp::socket socket(io_);
      co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (error) {
        co_await pause();
        continue;
      }
      const auto from = socket.remote_endpoint(error);
      if (error || open_ >= kMostConnections) continue;
      std::string peer = from.address().to_string();
      const auto of_peer = open_of_.find(peer);
      if (of_peer != open_of_.end() && of_peer->second >= kMostOfAnAddress) continue;
      spawn(serve(Stream(std::move(socket)), std::make_unique<Place>(*this, std::move(peer))));
    }
  }

  // Without a free descriptor.
  asio::awaitable<void> pause() {
    asio::steady_timer timer(io_, std::chrono::milliseconds(100));
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> serve(Stream stream, std::unique_ptr<Place> place) {
    beast::flat_buffer received(kMostHeadBytes);
    bool goes_on = true;
    while (goes_on) {
      Parser parser;
      parser.header_limit(kMostHeadBytes);
      parser.body_limit(kMostBodyBytes);
      stream.expires_after(kPatience);
      const error_code error = co_await read(stream, received, parser);
      if (error && status_for(error) == 0) break;
      if (error) {
        const Reply refusal = refused(status_for(error), "this is no request that can be read");
        co_await write(stream, refusal, {.closes = true});
        break;
      }
      goes_on = co_await reply_to(stream, parser, place->peer());
    }
    error_code error;  // He may be gone.
    [[maybe_unused]] const auto ended = stream.socket().shutdown(tcp::socket::shutdown_send, error);
  }

  asio::awaitable<error_code> read(Stream& stream, beast::flat_buffer& received, Parser& parser) {
    error_code error;
    co_await http::async_read_header(stream, received, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    if (parser.get()[http::field::expect] == "100-continue") {
      static constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(stream, asio::buffer(kGoOn),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return error;
    }
    co_await http::async_read(stream, received, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  // Whether another request may follow.
  asio::awaitable<bool> reply_to(Stream& stream, Parser& parser, const std::string& peer) {
    const std::string text(parser.get().target());
    Ending ending{.is_head = parser.get().method() == http::verb::head,
                  .closes = !parser.keep_alive()};
    Reply reply;
    if (auto target = parse_target(text)) {
      Request request = to_request(parser, std::move(*target));
      request.peer = peer;
      request.id = next_id();
      reply = co_await answer(request);
    } else {
      reply = refused(kBadRequest, target.error().message);
    }
    if (reply.events && streams_ >= kMostStreams) {
      reply.events->close();
      reply = refused(kBusy, "too many pages are open; ask again instead of waiting for events");
    }
    if (reply.events && !ending.is_head) {
      co_await stream_events(stream, reply);
      co_return false;
    }
    const bool written = co_await write(stream, reply, ending);
    co_return written && !ending.closes;
  }

  asio::awaitable<Reply> answer(const Request& request) {
    if (waiting_ >= kMostWaiting) co_return refused(kBusy, "too many requests wait", request.id);
    ++waiting_;
    auto work = [this, &request]() -> asio::awaitable<Reply> { co_return on_worker(request); };
    Reply reply = co_await asio::co_spawn(workers_.get_executor(), work, asio::use_awaitable);
    --waiting_;
    co_return reply;
  }

  Reply on_worker(const Request& request) {
    try {
      return handlers_.answer(request);
    } catch (const std::exception& error) {
      handlers_.on_fault("request " + request.id + ": " + error.what());
      return refused(kFault, "something is wrong here; the log of the website has more",
                     request.id);
    }
  }

  asio::awaitable<bool> write(Stream& stream, const Reply& reply, const Ending& ending) {
    const std::string head = head_of(reply, ending);
    std::vector<asio::const_buffer> parts{asio::buffer(head)};
    if (reply.body && !ending.is_head) parts.push_back(asio::buffer(*reply.body));
    stream.expires_after(kPatience);
    error_code error;
    co_await asio::async_write(stream, parts, asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  asio::awaitable<void> stream_events(Stream& stream, const Reply& reply) {
    Listening listening(*this, reply.events);
    if (!co_await write(stream, reply, {.closes = true})) co_return;
    // Who reads events says nothing: what comes is his end.
    stream.socket().async_wait(tcp::socket::wait_read,
                               [queue = reply.events](error_code) { queue->close(); });
    std::string text;
    while (true) {
      const bool has_news = co_await listening.wait();
      auto taken = listening.queue().take();
      text = has_news ? std::move(taken.text) : std::string(":\n\n");
      stream.expires_after(kPatience);
      error_code error;
      co_await asio::async_write(stream, asio::buffer(text),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error || taken.is_over) break;
    }
    stream.close();
  }

  Reply refused(int status, const std::string& why, const std::string& id) {
    return handlers_.refuse(status, why, id);
  }
  Reply refused(int status, const std::string& why) { return refused(status, why, next_id()); }

  // So that a person can be told which line of the log is about him; no secret.
  std::string next_id() {
    uint64_t bits = ids_();
    return to_hex(std::string_view(reinterpret_cast<const char*>(&bits), sizeof bits));
  }

  const Handlers handlers_;
  std::mt19937_64 ids_{std::random_device()()};
  size_t open_ = 0, streams_ = 0, waiting_ = 0;
  std::unordered_map<std::string, size_t> open_of_;  // By address.
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::thread_pool workers_;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(const Address& address, Handlers handlers) {
  MUSTER_TRY(const int socket, io::open_listening_socket(address, "--listen"));
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_unique<Running>(socket, std::move(handlers))));
}

int HttpServer::port() const { return running_->port(); }

}  // namespace muster::web
