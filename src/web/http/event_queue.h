#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace muster::web {

// What one reader of events has yet to be sent. Whoever has news fills it, on any thread; his
// connection empties it. Who leaves kMostEvents or kMostBytes unread is cut off: he comes again and
// reads the state anew.
class EventQueue {
 public:
  static constexpr size_t kMostEvents = 256, kMostBytes = 256 << 10;

  // False: nobody reads it any more.
  bool push(std::string_view event);
  void close();

  // ---- Of his connection.

  // Called on any thread whenever there is something new to take; it must not call back. The last
  // one counts: none before it is called once this has returned.
  void on_news(std::function<void()> wake);
  struct Taken {
    std::string text;  // All that has come since.
    bool is_over = false;
  };
  Taken take();

 private:
  std::mutex mutex_;  // Guards what follows.
  std::function<void()> wake_;
  std::string text_;
  size_t events_ = 0;
  bool is_over_ = false;
};

}  // namespace muster::web
