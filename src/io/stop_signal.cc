#include "io/stop_signal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/signals.h"

namespace muster::io {

StopSignal::StopSignal() : signals_(ending_signals()) {
  sigaddset(&signals_, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { run(); });
}

// The next of them, or 0 when none came in time.
int StopSignal::wait_for_signal(std::chrono::milliseconds patience) const {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + patience;
  while (true) {
    const auto left = std::max(until - Clock::now(), Clock::duration::zero());
    const auto nanoseconds = std::chrono::nanoseconds(left).count();
    const timespec wait{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    const int signal = sigtimedwait(&signals_, nullptr, &wait);
    if (signal > 0) return signal;
    if (errno != EINTR) return 0;
  }
}

void StopSignal::on_stop(std::function<void()> stop) {
  std::lock_guard lock(mutex_);
  stop_ = std::move(stop);
  if (told_) stop_();
}

void StopSignal::say_as(std::function<std::string(const std::string& sentence)> line) {
  std::lock_guard lock(mutex_);
  line_ = std::move(line);
}

void StopSignal::tell() {
  std::lock_guard lock(mutex_);
  told_ = true;
  if (stop_) stop_();
}

void StopSignal::run() {
  int signal = 0;
  sigwait(&signals_, &signal);
  if (signal == SIGUSR2) return;  // The process ends by itself.
  tell();
  signal = wait_for_signal(kPatience);
  if (signal == 0) give_up();
  if (signal != SIGUSR2) _exit(130);
}

// Past the log, whose lock a thread that hangs may hold, and only if stderr takes it at once.
void StopSignal::give_up() {
  const std::unique_lock lock(mutex_);
  const std::string line = line_(std::string("told to stop and still waiting for ") +
                                 waited_for_.load() + "; ended without it");
  pollfd stderr_takes{STDERR_FILENO, POLLOUT, 0};
  if (poll(&stderr_takes, 1, 0) == 1) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  }
  _exit(0);
}

StopSignal::~StopSignal() {
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

}  // namespace muster::io
