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

namespace {

// What its thread is told by this process itself.
constexpr int kLeft = SIGUSR1, kEnded = SIGUSR2;

}  // namespace

StopSignal::StopSignal() : signals_(ending_signals()) {
  for (const int own : {kLeft, kEnded}) sigaddset(&signals_, own);
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

void StopSignal::on_leave(std::function<void()> leave, std::chrono::milliseconds at_most) {
  std::lock_guard lock(mutex_);
  leave_ = std::move(leave);
  leave_at_most_ = at_most;
}

void StopSignal::leave_now() { pthread_kill(thread_.native_handle(), kLeft); }

// Whether there is anything to wait for.
bool StopSignal::ask_to_leave() {
  std::lock_guard lock(mutex_);
  if (!leave_ || leave_at_most_.count() == 0) return false;
  leave_();
  return true;
}

void StopSignal::run() {
  int signal = 0;
  sigwait(&signals_, &signal);
  if (signal == kEnded) return;  // The process ends by itself.
  if (ask_to_leave()) {
    signal = wait_for_signal(leave_at_most_);
    if (signal == kEnded) return;
    if (signal != kLeft && signal != 0) _exit(130);
  }
  tell();
  signal = wait_for_signal(kPatience);
  if (signal == 0) give_up();
  if (signal != kEnded) _exit(130);
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
  pthread_kill(thread_.native_handle(), kEnded);
  thread_.join();
}

}  // namespace muster::io
