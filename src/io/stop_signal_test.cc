// A daemon ends when it is told to, whatever its threads do.
#include "io/stop_signal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <future>

namespace muster::io {
namespace {

void hang() { std::promise<void>().get_future().wait(); }

TEST(StopSignalDeathTest, AProcessThatHangsIsEndedAndSaysWhatItWaitedFor) {
  const auto told_while_it_hangs = [] {
    StopSignal signal;
    signal.on_stop([] {});
    { const StopSignal::Ending ending(signal, "a disk"); }
    kill(getpid(), SIGTERM);
    hang();
  };
  EXPECT_EXIT(told_while_it_hangs(), testing::ExitedWithCode(0), "still waiting for a disk; ended");
}

TEST(StopSignalDeathTest, ASignalThatCameBeforeItWasReadyIsNotLost) {
  const auto told_early = [] {
    StopSignal signal;
    kill(getpid(), SIGTERM);
    signal.on_stop([] { _exit(7); });
    hang();
  };
  EXPECT_EXIT(told_early(), testing::ExitedWithCode(7), "");
}

TEST(StopSignalDeathTest, ASecondSignalEndsAtOnce) {
  const auto told_twice = [] {
    StopSignal signal;
    signal.on_stop([] { kill(getpid(), SIGINT); });
    kill(getpid(), SIGTERM);
    hang();
  };
  EXPECT_EXIT(told_twice(), testing::ExitedWithCode(130), "");
}

TEST(StopSignalDeathTest, AProcessThatEndsByItselfIsLetBe) {
  const auto ends_itself = [] {
    {
      StopSignal signal;
      std::promise<void> told;
      signal.on_stop([&] { told.set_value(); });
      kill(getpid(), SIGTERM);
      told.get_future().wait();
    }
    _exit(5);
  };
  EXPECT_EXIT(ends_itself(), testing::ExitedWithCode(5), "^$");
}

TEST(StopSignalDeathTest, WhoHasSomethingToHandOverLeavesFirst) {
  const auto leaves = [] {
    StopSignal signal;
    bool left = false;
    signal.on_stop([&] { _exit(left ? 7 : 8); });
    signal.on_leave(
        [&] {
          left = true;
          signal.leave_now();
        },
        std::chrono::hours(1));
    kill(getpid(), SIGTERM);
    hang();
  };
  EXPECT_EXIT(leaves(), testing::ExitedWithCode(7), "");
}

TEST(StopSignalDeathTest, LeavingTakesNoLongerThanItMay) {
  const auto takes_long = [](std::chrono::milliseconds at_most) {
    StopSignal signal;
    signal.on_stop([] { _exit(7); });
    signal.on_leave([] {}, at_most);
    kill(getpid(), SIGTERM);
    hang();
  };
  for (const auto at_most : {std::chrono::milliseconds(0), std::chrono::milliseconds(20)}) {
    EXPECT_EXIT(takes_long(at_most), testing::ExitedWithCode(7), "");
  }
}

TEST(StopSignalDeathTest, ASecondSignalEndsWhoIsLeaving) {
  const auto told_twice = [] {
    StopSignal signal;
    signal.on_stop([] { _exit(7); });
    signal.on_leave([] { kill(getpid(), SIGTERM); }, std::chrono::hours(1));
    kill(getpid(), SIGINT);
    hang();
  };
  EXPECT_EXIT(told_twice(), testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace muster::io
