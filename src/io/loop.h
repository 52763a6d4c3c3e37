#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <variant>

#include "host/driver.h"
#include "io/intake.h"

namespace muster::io {

// The one thread that owns a process's Driver: waits for what comes in or for the next wake-up,
// and hands it over with the time. Others post.
//
// What comes from outside is bounded: envelopes of kMaxForeignBytes may wait. Each line bounds what
// it gives by itself (mesh/read_budget.h); this holds against very many lines, and what comes on
// top is dropped like anything a line loses. Events of this process's own ports are always taken: a
// port answers what it was asked, once each, and what may wait at a port is bounded there. Of lines
// they tell how they begin, end and misspeak, as often as a line may (mesh/admissions.h). Who asks
// (status/readings.h) has one question at a time.
class Loop final : public Intake {
 public:
  static constexpr size_t kMaxForeignBytes = 256u << 20;

  void post(pb::Role role, roles::Event event) override;
  bool offer(pb::Envelope envelope, std::function<void()> taken) override;
  // Has run() call this on its thread, soon; never, if it ends before.
  void ask(std::function<void()> what);
  // Makes run() return soon. Safe from any thread, not from a signal handler.
  void stop();

  // Has the driver leave its pool (Driver::leave). From any thread, too.
  void leave(std::function<void()> may_leave);

  // Runs until stop(). The driver must not be touched by anyone else meanwhile.
  void run(host::Driver& driver);

  // For how long run() has been at one and the same thing; it moves once in kMovesEvery though
  // nothing happens. 0 while it does not run. Safe from any thread.
  static constexpr Duration kMovesEvery = seconds(1);
  [[nodiscard]] Duration still_for() const;

  // The time now, on the clock that step() is given.
  static Instant now();

 private:
  struct Posted {
    pb::Role role;
    roles::Event event;
  };
  struct Offered {
    pb::Envelope envelope;
    std::function<void()> taken;
    size_t bytes;
  };
  struct Asked {
    std::function<void()> what;
  };
  static constexpr Instant kNotRunning = Instant::max();
  using Entry = std::variant<Posted, Offered, Asked>;
  std::deque<Entry> wait(const host::Driver& driver);
  void hand_over(host::Driver& driver, Posted& posted);
  void hand_over(host::Driver& driver, Offered& offered);
  void hand_over(host::Driver& driver, Asked& asked);
  // Returns the time, at which it moved.
  Instant move();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> entries_;        // Offered ones: kMaxForeignBytes. Others: see above.
  size_t foreign_bytes_ = 0;         // Offered and not yet dealt with.
  std::function<void()> may_leave_;  // Of a leave() that the driver was not told yet.
  bool stopped_ = false;
  std::atomic<Instant> moved_{kNotRunning};
};

}  // namespace muster::io
