// What a coordinator takes for its own when messages overtake one another.
#include "roles/coordinator/coordinator.h"

#include <gtest/gtest.h>

#include "eval/item.h"
#include "roles/grants.h"
#include "wire/no_keys.h"
#include "wire/record.h"
#include "wire/run_key.h"

namespace muster::roles::coordinator {
namespace {

class CoordinatorTest : public ::testing::Test {
 protected:
  void pool_state(uint64_t revision, uint64_t live_epoch) {
    pb::Envelope envelope;
    envelope.mutable_pool_state()->set_revision(revision);
    if (live_epoch > 0) {
      auto* live = envelope.mutable_pool_state()->add_live();
      live->set_job("job");
      live->set_run(1);
      live->set_epoch(live_epoch);
    }
    (void)coordinator.step(Instant(), Received{envelope});
  }
  Effects assign(uint64_t revision, uint64_t epoch) {
    pb::Envelope envelope;
    envelope.mutable_assign()->set_revision(revision);
    envelope.mutable_assign()->mutable_row()->set_job("job");
    envelope.mutable_assign()->mutable_row()->set_run(1);
    envelope.mutable_assign()->mutable_row()->set_epoch(epoch);
    return coordinator.step(Instant(), Received{envelope});
  }
  // The epoch from which the server is told to go on; 0: it is told nothing.
  static uint64_t overtaken(const Effects& effects) {
    for (const auto& send : effects.send) {
      if (send.envelope.has_overtaken()) return send.envelope.overtaken().epoch();
    }
    return 0;
  }
  // The number by which a look-up is asked for.
  uint64_t pin(uint64_t call, const std::string& model) {
    pb::Envelope envelope;
    envelope.mutable_pin_model()->set_call(call);
    envelope.mutable_pin_model()->set_model(model);
    const Effects effects = coordinator.step(Instant(), Received{envelope});
    return std::get<PinModel>(effects.run.at(0)).call;
  }
  // What the server is told when it is done: the call and the model; nothing: (0, "").
  std::pair<uint64_t, std::string> pinned(uint64_t number, const std::string& model) {
    pb::ModelPin pin;
    pin.set_name(model);
    for (const auto& send : coordinator.step(Instant(), ModelPinned{number, pin}).send) {
      const pb::Pinned& said = send.envelope.pinned();
      if (send.envelope.has_pinned()) return {said.call(), said.model().name()};
    }
    return {};
  }
  [[nodiscard]] bool has_job() const { return coordinator.pending() > 0; }

  NoKeys keys;
  Coordinator coordinator{keys, Rng(1)};
};

TEST_F(CoordinatorTest, TakesAJobBeforeItHearsThatItIsLive) {
  pool_state(5, 0);
  assign(6, 1);
  EXPECT_TRUE(has_job());
  pool_state(5, 0);  // Repeated; older than the assignment.
  EXPECT_TRUE(has_job());
  pool_state(7, 1);
  EXPECT_TRUE(has_job());
}

TEST_F(CoordinatorTest, LeavesAJobThatIsOver) {
  assign(6, 1);
  pool_state(7, 0);
  EXPECT_FALSE(has_job());
}

TEST_F(CoordinatorTest, LeavesAJobThatIsAnothers) {
  assign(6, 1);
  pool_state(7, 2);
  EXPECT_FALSE(has_job());
}

TEST_F(CoordinatorTest, AnAssignmentThatComesAfterTheEndOfItsJobIsNoNews) {
  pool_state(7, 0);
  assign(6, 1);
  EXPECT_FALSE(has_job());
}

TEST_F(CoordinatorTest, SaysWhenTheServersDatabaseIsOlderThanWhatWasDone) {
  pool_state(5, 3);
  EXPECT_EQ(overtaken(assign(6, 3)), 0u);
  EXPECT_EQ(overtaken(assign(7, 3)), 0u) << "repeated";
  EXPECT_EQ(overtaken(assign(8, 2)), 3u);
  (void)coordinator.step(Instant(), LineUp{});
  pool_state(1, 3);
  EXPECT_EQ(overtaken(assign(2, 3)), 3u) << "a new line brings a new epoch";
  EXPECT_EQ(overtaken(assign(3, 4)), 0u);
}

// Another server, on an empty database, counts its calls from the beginning.
TEST_F(CoordinatorTest, AnswersNoServerWhatAnotherAsked) {
  const uint64_t first = pin(1, "a");
  (void)coordinator.step(Instant(), LineUp{});
  const uint64_t second = pin(1, "b");
  EXPECT_EQ(pinned(first, "a").first, 0u);
  EXPECT_EQ(pinned(second, "b"), std::pair(uint64_t{1}, std::string("b")));
  EXPECT_EQ(pinned(second, "b").first, 0u) << "once";
}

TEST_F(CoordinatorTest, AnAssignmentThatComesLateCountsWhileItsJobGoesOn) {
  pool_state(7, 1);
  assign(6, 1);
  EXPECT_TRUE(has_job());
}

// What happened to a job before it was under way.
struct Before {
  std::string quarantined;             // A machine, before the requests were built.
  std::vector<pb::SignedRecord> read;  // By the coordinator, from its only store.
};

const eval::Item& question() {
  static const eval::Item item{.requests = {{"question", " answer"}}};
  return item;
}

// A job of one item that is under way; its values may be of the classes "a" and "b".
class RunningJob : public ::testing::Test {
 protected:
  explicit RunningJob(const Before& before = {}) {
    pb::Envelope assign, committed, feed, lend;
    pool_state.mutable_pool_state()->set_revision(1);
    pool_state.mutable_pool_state()->set_pool("one");
    pool_state.mutable_pool_state()->mutable_view()->set_number(1);
    pool_state.mutable_pool_state()->mutable_view()->add_members()->set_machine("store");
    hear(pool_state);
    assign.mutable_assign()->set_revision(2);
    pb::JobRow& row = *assign.mutable_assign()->mutable_row();
    row.set_job("job");
    row.set_run(1);
    row.set_epoch(1);
    row.add_numeric_classes("a");
    row.add_numeric_classes("b");
    row.mutable_request()->set_redundancy(2);
    row.mutable_request()->set_quorum_wait_ms(10'000);
    row.add_assignments()->set_epoch(1);
    row.mutable_assignments(0)->set_coordinator(machine_id(keys.public_key()));
    hear(assign);
    *lend.mutable_lend()->mutable_key() = key_of(row);
    if (!before.quarantined.empty()) {
      lend.mutable_lend()->add_quarantined(before.quarantined);
      hear(lend);
    }
    auto tasks = std::make_shared<FrozenTasks>(1);
    tasks->front().items.push_back(question());
    (void)coordinator.step(Instant(), RequestsFrozen{{"job", 1}, {tasks}});
    *committed.mutable_frozen_committed()->mutable_key() = key_of(row);
    keep(hear(committed));
    feed.mutable_from()->set_machine("store");
    feed.mutable_feed()->set_job("job");
    feed.mutable_feed()->set_run(1);
    feed.mutable_feed()->set_epoch(1);
    feed.mutable_feed()->set_at_end(true);
    feed.mutable_feed()->set_next(before.read.size());
    for (const auto& record : before.read) *feed.mutable_feed()->add_records() = record;
    has_settled = settles(hear(feed));
    has_settled |= settles(hear(lend));
    *answer.mutable_class_committed()->mutable_key() = key_of(row);
    auto* live = pool_state.mutable_pool_state()->add_live();
    live->set_job("job");
    live->set_run(1);
    live->set_epoch(1);
  }
  // Another line, on which the server tells what it knows.
  Effects reconnect() {
    (void)coordinator.step(Instant(), LineUp{});
    return hear(pool_state);
  }
  Effects hear(const pb::Envelope& envelope) {
    return coordinator.step(Instant(), Received{envelope});
  }
  // The store has what it was told to keep.
  void keep(const Effects& effects) {
    pb::Envelope done;
    done.mutable_from()->set_machine("store");
    done.mutable_put_done()->set_view(1);
    for (const auto& send : effects.send) {
      for (const auto& record : send.envelope.put().records()) {
        done.mutable_put_done()->add_digests(std::string(record_digest(record).view()));
      }
    }
    hear(done);
  }
  static std::string said_class(const Effects& effects) {
    for (const auto& send : effects.send) {
      if (send.envelope.has_commit_class()) return send.envelope.commit_class().numeric_class();
    }
    return "";
  }

  static bool settles(const Effects& effects) {
    pb::Record body;
    for (const auto& send : effects.send) {
      for (const auto& record : send.envelope.put().records()) {
        if (body.ParseFromString(record.body()) && body.has_settled()) return true;
      }
    }
    return false;
  }

  NoKeys keys;
  Coordinator coordinator{keys, Rng(1)};
  bool has_settled = false;  // The item, by what was read.
  pb::Envelope answer;       // The server's, which knows what has been said to it.
  pb::Envelope pool_state;
};

TEST_F(RunningJob, IsNotSpokenOfBeforeItIsKnownWhosePoolItIs) {
  for (const auto& send : coordinator.step(Instant(), LineUp{}).send) {
    EXPECT_EQ(send.envelope.body_case(), pb::Envelope::BODY_NOT_SET);
  }
  pool_state.mutable_pool_state()->set_pool("another");
  for (const auto& send : hear(pool_state).send) {
    EXPECT_EQ(send.envelope.body_case(), pb::Envelope::kPoolStateSeen);
  }
}

TEST_F(RunningJob, SaysItsClassesAgainToAServerOnAnOlderCopy) {
  EXPECT_EQ(said_class(reconnect()), "a");
  answer.mutable_class_committed()->add_numeric_classes("a");
  EXPECT_EQ(said_class(hear(answer)), "b");
  answer.mutable_class_committed()->add_numeric_classes("b");
  EXPECT_EQ(said_class(hear(answer)), "");
}

TEST_F(RunningJob, SaysEachClassOnce) {
  (void)reconnect();
  answer.mutable_class_committed()->add_numeric_classes("another");  // It has room for no more.
  EXPECT_EQ(said_class(hear(answer)), "b");
  EXPECT_EQ(said_class(hear(answer)), "");
}

// The answer of a machine that was asked for it.
pb::SignedRecord answer_of(const std::string& public_key) {
  pb::Record record;
  record.set_job("job");
  record.set_run(1);
  record.set_epoch(1);
  pb::GrantTerms terms;
  terms.set_lease(1);
  terms.set_machine(machine_id(public_key));
  terms.add_items(0);
  pb::JobKey key;
  key.set_job("job");
  key.set_run(1);
  key.set_epoch(1);
  pb::Answer& answer = *record.mutable_answer();
  *answer.mutable_grant() = sign_grant(key, terms, NoKeys());
  answer.set_request_digest(std::string(eval::request_digest(question().requests).view()));
  answer.set_numeric_class("a");
  answer.add_responses()->set_loglikelihood(-1);
  pb::SignedRecord signed_record = sign_record(record, NoKeys());
  signed_record.set_public_key(public_key);
  return signed_record;
}

class TwoHaveVoted : public RunningJob {
 protected:
  explicit TwoHaveVoted(const std::string& quarantined = "")
      : RunningJob({quarantined, {answer_of("one"), answer_of("two")}}) {}
};
class OneOfThemIsQuarantined : public TwoHaveVoted {
 protected:
  OneOfThemIsQuarantined() : TwoHaveVoted(machine_id("two")) {}
};

TEST_F(TwoHaveVoted, TheItemSettles) { EXPECT_TRUE(has_settled); }

TEST_F(OneOfThemIsQuarantined, TheItemDoesNot) { EXPECT_FALSE(has_settled); }

}  // namespace
}  // namespace muster::roles::coordinator
