#include "io/stop_signal.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace muster::io {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void StopSignal::on_stop(std::function<void()> stop) {
  thread_ = std::thread([stop = std::move(stop)] {
    const sigset_t set = ending_signals();
    int signal = 0;
    for (bool told = false;; told = true) {
      sigwait(&set, &signal);
      if (signal == SIGUSR2) return;  // The process ends by itself.
      if (told) _exit(130);
      stop();
    }
  });
}

StopSignal::~StopSignal() {
  if (!thread_.joinable()) return;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

}  // namespace muster::io
