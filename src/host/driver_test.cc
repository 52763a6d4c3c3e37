// What every promise of the roles rests on: the order of messages and writes, what is kept inside
// the process, who is heard, and what silence and standing still mean.
#include "host/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <utility>

#include "wire/bounds.h"

namespace muster::host {
namespace {

using roles::Effects;
using roles::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

// Does what the test says, and notes what it was told.
class ScriptedRole final : public roles::Role {
 public:
  explicit ScriptedRole(std::vector<roles::Event>& heard) : heard_(heard) {}
  Effects next;  // What its next step returns.
  std::function<void()> on_step = [] {};
  [[nodiscard]] Effects step(Instant, const roles::Event& event) override {
    heard_.push_back(event);
    on_step();
    return std::exchange(next, {});
  }
  [[nodiscard]] size_t pending() const override { return 0; }
  void measure(roles::Gauges& gauges) const override { gauges.jobs["heard"] += heard_.size(); }

 private:
  std::vector<roles::Event>& heard_;
};

class Recorder final : public Net, public Records, public Console {
 public:
  void send(pb::Envelope envelope) override { sent.push_back(std::move(envelope)); }
  void reopen_line() override { ++reopened; }
  void write(pb::Role, roles::RecordWrite write) override { writes.push_back(std::move(write)); }
  void read(pb::Role, const roles::ReadRecords&) override {}
  void read_digests(pb::Role, const roles::ReadDigests&) override {}
  void note(pb::Role, const roles::Note& note) override { notes.push_back(note.text); }

  std::vector<pb::Envelope> sent;
  std::vector<roles::RecordWrite> writes;
  std::vector<std::string> notes;
  int reopened = 0;
};

pb::Envelope put(const std::string& to, pb::Role role) {
  pb::Envelope envelope;
  envelope.mutable_to()->set_machine(to);
  envelope.mutable_to()->set_role(role);
  envelope.mutable_put();
  return envelope;
}

// The machine "me", which computes and stores.
class DriverTest : public testing::Test {
 protected:
  DriverTest() : driver("me", {.net = &outside, .console = &outside, .records = &outside}) {
    worker = add(pb::ROLE_WORKER, worker_heard);
    storage = add(pb::ROLE_STORAGE, storage_heard);
  }
  void worker_says(Effects effects) {
    worker->next = std::move(effects);
    driver.deliver(now, pb::ROLE_WORKER, roles::Tick{});
  }
  void stored(roles::WriteId id, Outcome outcome) {
    driver.deliver(now, pb::ROLE_WORKER, roles::Stored{id, outcome, ""});
  }
  [[nodiscard]] static Effects sends(pb::Envelope envelope, roles::WriteId after = 0) {
    Effects effects;
    effects.send.push_back({std::move(envelope), after});
    return effects;
  }
  template <typename Kind>
  static size_t count(const std::vector<roles::Event>& heard) {
    return static_cast<size_t>(std::count_if(heard.begin(), heard.end(), [](const auto& event) {
      return std::holds_alternative<Kind>(event);
    }));
  }

  Recorder outside;
  Driver driver;
  ScriptedRole *worker = nullptr, *storage = nullptr;
  std::vector<roles::Event> worker_heard, storage_heard;
  Instant now{seconds(100)};

 private:
  ScriptedRole* add(pb::Role name, std::vector<roles::Event>& heard) {
    auto role = std::make_unique<ScriptedRole>(heard);
    ScriptedRole* kept = role.get();
    driver.add_role(name, std::move(role));
    return kept;
  }
};

TEST_F(DriverTest, AMessageLeavesWhenTheWriteItNamesIsDurable) {
  worker_says(sends(put("other", pb::ROLE_STORAGE), 7));
  EXPECT_TRUE(outside.sent.empty());
  EXPECT_EQ(driver.pending(), 1u);
  stored(8, Outcome::kDone);
  EXPECT_TRUE(outside.sent.empty()) << "that was another write";
  driver.deliver(now, pb::ROLE_STORAGE, roles::Stored{7, Outcome::kDone, ""});
  EXPECT_TRUE(outside.sent.empty()) << "that was another role's";
  stored(7, Outcome::kDone);
  EXPECT_EQ(outside.sent.size(), 1u);
  EXPECT_EQ(driver.pending(), 0u);
}

TEST_F(DriverTest, ItIsDroppedWhenTheWriteFailedOrMayHave) {
  for (const Outcome outcome : {Outcome::kFailed, Outcome::kUnknown}) {
    worker_says(sends(put("other", pb::ROLE_STORAGE), 7));
    stored(7, outcome);
    stored(7, Outcome::kDone);
    EXPECT_TRUE(outside.sent.empty());
    EXPECT_EQ(driver.pending(), 0u);
  }
}

TEST_F(DriverTest, TheRoleHearsOfItsWriteAfterTheMessagesLeft) {
  worker_says(sends(put("other", pb::ROLE_STORAGE), 7));
  size_t sent_before = 99;
  worker->on_step = [&] { sent_before = outside.sent.size(); };
  stored(7, Outcome::kDone);
  EXPECT_EQ(sent_before, 1u);
}

TEST_F(DriverTest, WhatOneRoleTellsAnotherOfItsMachineStaysInside) {
  worker_says(sends(put("me", pb::ROLE_STORAGE)));
  EXPECT_TRUE(outside.sent.empty());
  ASSERT_EQ(count<roles::Received>(storage_heard), 1u);
  const auto& from = std::get<roles::Received>(storage_heard.back()).envelope.from();
  EXPECT_EQ(from.machine(), "me");
  EXPECT_EQ(from.role(), pb::ROLE_WORKER);
}

TEST_F(DriverTest, ARoleSpeaksInItsOwnNameAndWithinTheBounds) {
  pb::Envelope envelope = put("", pb::ROLE_SERVER);
  envelope.mutable_from()->set_machine("somebody else");
  envelope.mutable_unable()->mutable_failure()->set_message(std::string(1u << 20, 'a'));
  worker_says(sends(envelope));
  ASSERT_EQ(outside.sent.size(), 1u);
  EXPECT_EQ(outside.sent[0].from().machine(), "me");
  EXPECT_TRUE(wire::check_bounds(outside.sent[0]).has_value());
}

TEST_F(DriverTest, WhoMayNotSaySomethingIsNotHeard) {
  pb::Envelope envelope;
  envelope.mutable_to()->set_machine("me");
  envelope.mutable_pool_state()->set_revision(1u << 30);
  for (const pb::Role from : {pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
    envelope.mutable_from()->set_role(from);
    driver.receive(now, envelope);
    envelope.mutable_to()->set_role(pb::ROLE_STORAGE);
    driver.receive(now, envelope);
    envelope.mutable_to()->clear_role();
  }
  EXPECT_TRUE(worker_heard.empty());
  EXPECT_TRUE(storage_heard.empty());
  envelope.mutable_from()->set_role(pb::ROLE_SERVER);
  driver.receive(now, envelope);
  EXPECT_EQ(worker_heard.size(), 1u) << "what has no role is for all";
  EXPECT_EQ(storage_heard.size(), 1u);
}

TEST_F(DriverTest, CountsWhatRolesCountAndAsksThemHowThingsStand) {
  using What = roles::Count::What;
  for (int times = 0; times < 2; ++times) {
    Effects effects;
    effects.count(What::kLeaseGranted);
    effects.count(What::kLeaseExpired, times == 0 ? "too_slow" : "no_progress");
    effects.acknowledged = {milliseconds(5), milliseconds(6)};
    worker_says(std::move(effects));
  }
  const Measures measures = driver.measure();
  EXPECT_EQ(measures.counts,
            (decltype(measures.counts){{{What::kLeaseGranted, ""}, 2},
                                       {{What::kLeaseExpired, "too_slow"}, 1},
                                       {{What::kLeaseExpired, "no_progress"}, 1}}));
  EXPECT_EQ(measures.roles, (std::set{pb::ROLE_WORKER, pb::ROLE_STORAGE}));
  EXPECT_EQ(measures.acknowledged.count(2), 2u) << "of 2 to 5 ms";
  EXPECT_EQ(measures.acknowledged.count(3), 2u) << "of 5 to 10 ms";
  EXPECT_EQ(measures.acknowledged.sum(), milliseconds(22));
  EXPECT_EQ(measures.gauges.jobs, (decltype(measures.gauges.jobs){{"heard", 2}}));
}

TEST(Durations, LongerThanAllBoundsIsCounted) {
  Durations durations;
  durations.add(seconds(61));
  durations.add(seconds(60));
  EXPECT_EQ(durations.count(Durations::kBounds.size()), 1u);
  EXPECT_EQ(durations.count(Durations::kBounds.size() - 1), 1u);
}

TEST_F(DriverTest, AnEventThatARoleCannotTakeInEndsNothing) {
  worker->on_step = [] { throw std::out_of_range("map::at"); };
  driver.deliver(now, pb::ROLE_WORKER, roles::Tick{});
  EXPECT_THAT(outside.notes, ElementsAre(HasSubstr("map::at")));
  worker->on_step = [] {};
  worker_says(sends(put("other", pb::ROLE_STORAGE)));
  EXPECT_EQ(outside.sent.size(), 1u) << "the process goes on";
}

TEST_F(DriverTest, ALineBeatsAndASilentOneIsOpenedAnew) {
  driver.deliver(now, pb::ROLE_WORKER, roles::LineUp{});
  for (int ticks = 0; ticks < 4; ++ticks) driver.tick(now = *driver.wake_at());
  EXPECT_EQ(outside.sent.size(), 4u);
  EXPECT_EQ(outside.reopened, 0) << "silent for " << to_seconds(roles::kSilence) << " s only";
  driver.tick(now = *driver.wake_at());
  EXPECT_EQ(outside.reopened, 1);
  EXPECT_EQ(driver.wake_at(), std::nullopt) << "nothing to beat for until it is up";
}

TEST_F(DriverTest, WhatIsHeardKeepsALine) {
  driver.deliver(now, pb::ROLE_WORKER, roles::LineUp{});
  pb::Envelope heartbeat;
  heartbeat.mutable_heartbeat();
  for (int ticks = 0; ticks < 20; ++ticks) {
    driver.tick(now = *driver.wake_at());
    driver.receive(now, heartbeat);
  }
  EXPECT_EQ(outside.reopened, 0);
  EXPECT_EQ(count<roles::Received>(worker_heard), 0u) << "a heartbeat is the driver's alone";
}

TEST_F(DriverTest, AProcessThatStoodStillSaysSoBeforeAnythingElse) {
  driver.deliver(now, pb::ROLE_WORKER, roles::LineUp{});
  now += seconds(60);
  pb::Envelope envelope = put("me", pb::ROLE_STORAGE);
  envelope.mutable_from()->set_role(pb::ROLE_WORKER);
  driver.receive(now, envelope);
  driver.tick(now);
  EXPECT_EQ(outside.reopened, 0) << "it was not the line that was silent";
  ASSERT_EQ(storage_heard.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<roles::Resumed>(storage_heard[0]));
  EXPECT_TRUE(std::holds_alternative<roles::Received>(storage_heard[1]));
}

TEST_F(DriverTest, ARoleIsWokenWhenItWantedToBe) {
  Effects effects;
  effects.wake_at = now + seconds(1);
  worker_says(effects);
  effects.wake_at = now + seconds(5);
  worker_says(effects);
  EXPECT_EQ(driver.wake_at(), now + seconds(1)) << "the earliest counts";
  const size_t before = worker_heard.size();
  driver.tick(now + milliseconds(999));
  EXPECT_EQ(worker_heard.size(), before);
  driver.tick(now + seconds(1));
  EXPECT_EQ(worker_heard.size(), before + 1);
}

TEST_F(DriverTest, WhoLeavesSaysSoWithEveryHeartbeatUntilItMay) {
  int may_leave = 0;
  driver.deliver(now, pb::ROLE_WORKER, roles::LineUp{});
  driver.leave(now, [&] { ++may_leave; });
  ASSERT_EQ(outside.sent.size(), 1u) << "at once";
  EXPECT_TRUE(outside.sent[0].heartbeat().leaving());
  pb::Envelope heartbeat;
  heartbeat.mutable_heartbeat();
  driver.receive(now, heartbeat);
  driver.tick(now = *driver.wake_at());
  ASSERT_EQ(outside.sent.size(), 2u);
  EXPECT_TRUE(outside.sent[1].heartbeat().leaving());
  EXPECT_EQ(may_leave, 0);
  heartbeat.mutable_heartbeat()->set_may_leave(true);
  for ([[maybe_unused]] int times : {1, 2}) driver.receive(now, heartbeat);
  EXPECT_EQ(may_leave, 1);
}

TEST_F(DriverTest, WithoutALineThereIsNobodyToLeaveTo) {
  int may_leave = 0;
  pb::Envelope heartbeat;
  heartbeat.mutable_heartbeat()->set_may_leave(true);
  driver.receive(now, heartbeat);
  EXPECT_EQ(may_leave, 0) << "nobody asked";
  driver.leave(now, [&] { ++may_leave; });
  EXPECT_EQ(may_leave, 1);
}

TEST_F(DriverTest, WhoLeavesDoesNotWaitForALineThatBreaks) {
  int may_leave = 0;
  driver.deliver(now, pb::ROLE_WORKER, roles::LineUp{});
  driver.leave(now, [&] { ++may_leave; });
  EXPECT_EQ(may_leave, 0);
  for ([[maybe_unused]] int times : {1, 2}) driver.deliver(now, pb::ROLE_WORKER, roles::LineDown{});
  EXPECT_EQ(may_leave, 1);
}

TEST_F(DriverTest, WhoLeavesDoesNotWaitForAServerThatIsSilent) {
  int may_leave = 0;
  driver.deliver(now, pb::ROLE_WORKER, roles::LineUp{});
  driver.leave(now, [&] { ++may_leave; });
  const Instant silent = now + roles::kSilence;
  while (now <= silent) driver.tick(now = *driver.wake_at());
  EXPECT_EQ(may_leave, 1);
}

}  // namespace
}  // namespace muster::host
