// Whoever looks from outside can tell a loop that waits from one that is stuck.
#include "io/loop.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace muster::io {
namespace {

// Stands still in a step until it is let go.
class Sleeper final : public roles::Role {
 public:
  explicit Sleeper(std::shared_future<void> until) : until_(std::move(until)) {}
  [[nodiscard]] roles::Effects step(Instant, const roles::Event&) override {
    until_.wait();
    return {};
  }
  [[nodiscard]] size_t pending() const override { return 0; }

 private:
  std::shared_future<void> until_;
};

template <typename What>
void wait_until(What holds) {
  while (!holds()) std::this_thread::sleep_for(milliseconds(1));
}

TEST(Loop, TellsForHowLongItHasStoodStill) {
  std::promise<void> let_go;
  Loop loop;
  host::Driver driver("", {});
  driver.add_role(pb::ROLE_SERVER, std::make_unique<Sleeper>(let_go.get_future().share()));
  EXPECT_EQ(loop.still_for(), Duration::zero()) << "it does not run yet";
  std::thread thread([&] { loop.run(driver); });
  loop.post(pb::ROLE_SERVER, roles::Tick{});
  const Duration idle = 2 * Loop::kMovesEvery;  // Longer than a loop that waits says.
  wait_until([&] { return loop.still_for() > idle; });
  let_go.set_value();
  for (int round = 0; round < 2; ++round) {  // It moves though nothing happens.
    wait_until([&] { return loop.still_for() < Loop::kMovesEvery / 4; });
    wait_until([&] { return loop.still_for() > Loop::kMovesEvery / 2; });
  }
  loop.stop();
  thread.join();
  EXPECT_EQ(loop.still_for(), Duration::zero()) << "it has ended";
}

}  // namespace
}  // namespace muster::io
