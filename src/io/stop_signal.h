#pragma once

#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace muster::io {

// Calls `stop` once when the process is told to end (SIGTERM, SIGINT, SIGHUP, less those that it
// was started to ignore, as nohup and scripts in the background do), then sees to it that it does:
// a process that has not ended by itself within kPatience is ended with code 0 and a line on stderr
// that says what was still going on. A second signal ends at once.
//
// That is right because nothing here relies on an orderly end: every promise is kept by what is on
// disk, which also survives kill -9. A disk that hangs, a Hub that dribbles or a thread with much
// to do must not keep a machine from its lender.
//
// Make it before any other thread exists, so that the signals reach nobody else, and after what
// `stop` uses: it joins its thread when it is destroyed.
class StopSignal {
 public:
  static constexpr std::chrono::milliseconds kPatience{1800};

  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // A signal that came before is told at once.
  void on_stop(std::function<void()> stop);

  // For who has something to hand over first: `leave` is called before `stop`, which follows when
  // leave_now() is called, or after `at_most`. Who was told before this is not asked to leave.
  void on_leave(std::function<void()> leave, std::chrono::milliseconds at_most);
  // From any thread.
  void leave_now();

  // How a sentence of its own becomes a line of the log; else it is the sentence.
  void say_as(std::function<std::string(const std::string& sentence)> line);

  // Declared behind an object whose end may take long: says that it is what is waited for from now
  // on, when its destruction begins.
  class Ending {
   public:
    Ending(StopSignal& signal, const char* what) : signal_(signal), what_(what) {}
    ~Ending() { signal_.waited_for_ = what_; }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

   private:
    StopSignal& signal_;
    const char* what_;  // A literal.
  };

 private:
  void run();
  [[nodiscard]] int wait_for_signal(std::chrono::milliseconds patience) const;
  void tell();
  [[nodiscard]] bool ask_to_leave();
  [[noreturn]] void give_up();

  sigset_t signals_{};
  std::mutex mutex_;
  std::function<void()> stop_, leave_;
  std::chrono::milliseconds leave_at_most_{};
  std::function<std::string(const std::string&)> line_ = [](const std::string& sentence) {
    return sentence + "\n";
  };
  bool told_ = false;
  std::atomic<const char*> waited_for_ = "what its loop was busy with";
  std::thread thread_;
};

}  // namespace muster::io
