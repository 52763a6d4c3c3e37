#include "roles/coordinator/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/named_keys.h"
#include "wire/run_key.h"

namespace muster::roles::coordinator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// This coordinator has the run under epoch 3; "before" had it under epoch 2; "pool" is a
// coordinator of the pool that never had it. The view is of the stores "s" and "t".
class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    state.add_coordinators(machine_id("me"));
    state.add_coordinators(machine_id("pool"));
    set_stores({"s", "t"});
    for (const auto& [epoch, name] : {std::pair(2, "before"), {3, "me"}}) {
      pb::Assignment& assignment = *assignments.Add();
      assignment.set_epoch(static_cast<uint64_t>(epoch));
      assignment.set_coordinator(machine_id(name));
    }
    journal.begin_reading(now);
    journal.on_server_heard(now);
  }
  static pb::JobKey key_under(uint64_t epoch) {
    pb::JobKey key;
    key.set_job("job");
    key.set_run(1);
    key.set_epoch(epoch);
    return key;
  }
  void set_stores(const std::vector<std::string>& names) {
    state.mutable_view()->set_number(state.view().number() + 1);
    state.mutable_view()->clear_members();
    for (const std::string& name : names) state.mutable_view()->add_members()->set_machine(name);
    journal.set_view(now, state);
  }

  // ---- Records.

  static pb::Record begin(uint64_t epoch) {
    pb::Record record;
    record.set_job("job");
    record.set_run(1);
    record.set_epoch(epoch);
    return record;
  }
  static pb::SignedRecord settled(const std::string& author, uint64_t epoch, uint32_t item = 0) {
    pb::Record record = begin(epoch);
    record.mutable_settled()->set_item(item);
    return sign_record(record, NamedKeys(author));
  }
  static pb::SignedRecord seal(const std::string& author, uint64_t epoch, uint64_t life = 1) {
    pb::Record record = begin(epoch);
    record.mutable_seal()->set_life(life);
    return sign_record(record, NamedKeys(author));
  }
  // The answer of "worker" to item 0, for which `asked_by` asks it under the epoch.
  static pb::SignedRecord answer(const std::string& asked_by, uint64_t epoch, uint32_t item = 0) {
    pb::GrantTerms terms;
    terms.set_machine(machine_id("worker"));
    terms.set_owner("lab");
    terms.add_items(0);
    pb::Record record = begin(epoch);
    record.mutable_answer()->set_item(item);
    *record.mutable_answer()->mutable_grant() =
        sign_grant(key_under(epoch), terms, NamedKeys(asked_by));
    return sign_record(record, NamedKeys("worker"));
  }

  // ---- Stores.

  bool feed(const std::string& store, int records = 0, uint64_t epoch = 3) {
    pb::Feed batch;
    batch.set_view(state.view().number());
    batch.set_epoch(epoch);
    batch.set_at_end(true);
    batch.set_from(cursors[store]);
    batch.set_next(batch.from() + static_cast<uint64_t>(records));
    if (!journal.take_batch(now, store, batch)) return false;
    cursors[store] = batch.next();
    return true;
  }
  std::optional<Journal::Taken> take(const std::string& store, const pb::SignedRecord& record) {
    return journal.take(now, store, record, assignments, grants);
  }
  // Says that it keeps what it was told to put.
  Journal::Acknowledged acknowledge(const std::string& store) {
    pb::PutDone done;
    done.set_view(state.view().number());
    for (const pb::SignedRecord& record : put[store]) {
      done.add_digests(std::string(record_digest(record).view()));
    }
    return journal.acknowledge(now, store, done);
  }
  void send_puts() {
    Effects step;
    journal.put_due(now, step);
    for (const Send& send : step.send) {
      EXPECT_EQ(send.envelope.put().view(), state.view().number());
      for (const auto& record : send.envelope.put().records()) {
        put[send.envelope.to().machine()].push_back(record);
      }
    }
  }
  // Both say every second that there is nothing new, and the server is heard.
  void pass(Duration time) {
    for (const Instant until = now + time; now < until;) {
      now += seconds(1);
      journal.on_server_heard(now);
      for (const char* store : {"s", "t"}) (void)feed(store);
    }
  }
  // Who is named to the server in this step, and for what.
  std::map<std::string, std::string> named() {
    Effects step;
    journal.name_silent(now, step);
    wake_at = step.wake_at;
    std::map<std::string, std::string> names;
    for (const Send& send : step.send) {
      EXPECT_EQ(send.envelope.to().role(), pb::ROLE_SERVER);
      EXPECT_TRUE(same_key(send.envelope.silent_store().key(), key_under(3)));
      names[send.envelope.silent_store().machine()] = send.envelope.silent_store().what();
    }
    return names;
  }

  Instant now = Instant() + seconds(100);
  NamedKeys me{"me"};
  pb::PoolState state;
  Assignments assignments;
  Grants grants{me};
  Journal journal{key_under(3), me};
  std::map<std::string, uint64_t> cursors;
  std::map<std::string, std::vector<pb::SignedRecord>> put;
  std::optional<Instant> wake_at;
};

// ---- What counts of what the stores feed.

TEST_F(JournalTest, AnAnswerCountsWithTheTermsThatAskedForIt) {
  const auto taken = take("s", answer("me", 3));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->record.machine, machine_id("worker"));
  EXPECT_EQ(taken->owner, "lab");
  EXPECT_TRUE(take("s", answer("before", 2))) << "under an epoch before";
}

TEST_F(JournalTest, ARecordIsTakenOnceWhoeverFeedsIt) {
  EXPECT_TRUE(take("s", answer("me", 3)));
  EXPECT_FALSE(take("s", answer("me", 3)));
  EXPECT_FALSE(take("t", answer("me", 3)));
  EXPECT_THAT(named(), IsEmpty());
}

TEST_F(JournalTest, WhatSomebodyWroteWhoHadTheRunCounts) {
  EXPECT_TRUE(take("s", settled("before", 2)));
  EXPECT_TRUE(take("s", seal("before", 2)));
  EXPECT_TRUE(take("s", settled("me", 3)));
  EXPECT_THAT(named(), IsEmpty());
}

TEST_F(JournalTest, NonsenseIsHeldAgainstTheStoreThatFeedsIt) {
  pb::SignedRecord forged = settled("before", 2);
  forged.set_public_key("me");
  pb::Record elsewhere = begin(3);
  elsewhere.set_run(2);
  elsewhere.mutable_seal();
  struct Case {
    const char* name;
    pb::SignedRecord record;
    const char* what;
  };
  const Case cases[] = {
      {"a signature that does not fit", forged, "feeds what nobody signed"},
      {"another run", sign_record(elsewhere, me), "feeds records of another run"},
      {"a stranger's verdict", settled("stranger", 3), "feeds what nobody asked for"},
      {"a verdict under an epoch that was another's", settled("before", 3),
       "feeds what nobody asked for"},
      {"an answer that a stranger asked for", answer("stranger", 3), "feeds what nobody asked for"},
      {"an answer to another item", answer("me", 3, 1), "feeds what nobody asked for"},
  };
  for (const Case& c : cases) {
    set_stores({"t"});
    set_stores({"s", "t"});  // So that nothing is known against it.
    EXPECT_FALSE(take("s", c.record)) << c.name;
    EXPECT_THAT(named(), ElementsAre(Pair("s", c.what))) << c.name;
  }
}

TEST_F(JournalTest, WhatWasDoneForAnotherCoordinatorOfThePoolIsLeftOver) {
  EXPECT_FALSE(take("s", answer("pool", 3)));
  EXPECT_FALSE(take("s", settled("pool", 2)));
  pass(seconds(100));
  EXPECT_THAT(named(), IsEmpty()) << "the other store need not have it";
}

TEST_F(JournalTest, WhatIsOfAnEpochThatTheServerHasForgottenCountsForNothing) {
  EXPECT_FALSE(take("s", settled("stranger", 1)));
  EXPECT_FALSE(take("s", answer("stranger", 7)));
  EXPECT_THAT(named(), IsEmpty());
}

TEST_F(JournalTest, WhatCountsEveryStoreShouldFeed) {
  EXPECT_TRUE(take("s", answer("me", 3)));
  pass(seconds(59));
  EXPECT_THAT(named(), IsEmpty());
  pass(seconds(2));
  EXPECT_THAT(named(), ElementsAre(Pair("t", "lacks what another store feeds")));
}

TEST_F(JournalTest, ABatchIsOfThisEpochTheNextOneAndOfAStore) {
  EXPECT_FALSE(feed("s", 1, 2));
  EXPECT_FALSE(feed("stranger", 1));
  EXPECT_TRUE(feed("s", 1));
  cursors["s"] = 0;
  EXPECT_FALSE(feed("s", 1)) << "once more";
  cursors["s"] = 1;
  EXPECT_FALSE(journal.all_read()) << "nothing of t";
  EXPECT_TRUE(feed("t"));
  EXPECT_TRUE(journal.all_read());
}

TEST_F(JournalTest, AsksEachStoreForWhatComesNext) {
  (void)feed("s", 5);
  Effects step;
  journal.ask_due(now, step);
  ASSERT_EQ(step.send.size(), 2u);
  const pb::Envelope& asked = step.send[0].envelope;
  EXPECT_EQ(asked.to().machine(), "s");
  EXPECT_EQ(asked.subscribe().job(), "job");
  EXPECT_EQ(asked.subscribe().cursor(), 5u);
  EXPECT_EQ(asked.subscribe().epoch(), 3u);
  EXPECT_EQ(asked.subscribe().view(), state.view().number());
}

// ---- What is put there.

TEST_F(JournalTest, IsSealedAndWrittenWhenAllStoresSaySo) {
  journal.seal(7);
  send_puts();
  ASSERT_EQ(put["s"].size(), 1u);
  const auto opened = open_record(put["s"][0], me);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->machine, machine_id("me"));
  EXPECT_EQ(opened->record.epoch(), 3u);
  EXPECT_EQ(opened->record.seal().life(), 7u);
  EXPECT_FALSE(acknowledge("s").seal) << "t has not";
  const auto sealed = acknowledge("t");
  EXPECT_TRUE(sealed.seal);
  EXPECT_THAT(sealed.items, IsEmpty());
  pb::Settled verdict;
  verdict.set_item(5);
  journal.write(verdict);
  send_puts();
  EXPECT_EQ(open_record(put["t"].back(), me)->record.settled().item(), 5u);
  (void)acknowledge("t");
  const auto kept = acknowledge("s");
  EXPECT_FALSE(kept.seal);
  EXPECT_THAT(kept.items, ElementsAre(5u));
}

TEST_F(JournalTest, AStoreThatHasAcknowledgedTheSealFeedsIt) {
  journal.seal(7);
  send_puts();
  (void)acknowledge("s");
  (void)acknowledge("t");
  EXPECT_TRUE(take("s", put["s"][0]));
  pass(seconds(61));
  EXPECT_THAT(named(), ElementsAre(Pair("t", "does not feed what it acknowledged")));
}

TEST_F(JournalTest, KnowsASealOverItsOwn) {
  journal.seal(7);
  pb::SignedRecord forged = seal("pool", 4);
  forged.set_public_key("me");
  pb::Record elsewhere = begin(4);
  elsewhere.set_job("other");
  elsewhere.mutable_seal();
  struct Case {
    const char* name;
    pb::SignedRecord seal;
    std::optional<uint64_t> over;
  };
  const Case cases[] = {
      {"of a coordinator of the pool", seal("pool", 5), 5},
      {"of one who had the run", seal("before", 4), 4},
      {"of another life of this epoch", seal("me", 3, 8), 3},
      {"its own", seal("me", 3, 7), std::nullopt},
      {"of an epoch before", seal("before", 2), std::nullopt},
      {"of a stranger", seal("stranger", 5), std::nullopt},
      {"that nobody signed", forged, std::nullopt},
      {"of another job", sign_record(elsewhere, NamedKeys("pool")), std::nullopt},
      {"that is none", settled("pool", 5), std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(journal.sealed_over(c.seal, assignments), c.over) << c.name;
}

// ---- Stores that do not do their duty.

TEST_F(JournalTest, WhoAcknowledgesNothingIsNamedUnlessItRefuses) {
  journal.seal(7);
  send_puts();
  pass(seconds(7));
  EXPECT_THAT(named(), IsEmpty());
  (void)acknowledge("s");
  now += seconds(1);
  EXPECT_THAT(named(), IsEmpty()) << "not due";
  now += seconds(1);
  EXPECT_THAT(named(), ElementsAre(Pair("t", "has acknowledged nothing for 8 s")));
  journal.on_refused(now, "t");
  journal.on_server_heard(now);
  now += milliseconds(500);
  EXPECT_THAT(named(), IsEmpty());
}

TEST_F(JournalTest, WhoFeedsNothingIsNamedAgainAndAgain) {
  for (int second = 0; second < 8; ++second) {
    now += seconds(1);
    journal.on_server_heard(now);
    (void)feed("s");
  }
  const auto silent = ElementsAre(Pair("t", "has fed nothing for 8 s"));
  EXPECT_THAT(named(), silent);
  EXPECT_EQ(wake_at, now + kRepeatEvery);
  EXPECT_THAT(named(), IsEmpty());
  EXPECT_EQ(wake_at, now + kRepeatEvery);
  now += kRepeatEvery;
  EXPECT_THAT(named(), silent);
}

TEST_F(JournalTest, NobodyIsNamedWhileTheServerIsNotHeard) {
  now += seconds(60);
  EXPECT_THAT(named(), IsEmpty());
  journal.on_server_heard(now);
  EXPECT_THAT(named(), IsEmpty()) << "all that stores say comes through it";
  for (int second = 0; second < 8; ++second) {
    now += seconds(1);
    journal.on_server_heard(now);
  }
  EXPECT_EQ(named().size(), 2u);
}

TEST_F(JournalTest, NobodyWasSilentWhileThisProcessStoodStill) {
  journal.seal(7);
  send_puts();
  for (int second = 0; second < 7; ++second) {
    now += seconds(1);
    journal.on_server_heard(now);
  }
  now += seconds(4);
  journal.on_resumed(now);
  EXPECT_THAT(named(), IsEmpty());
}

TEST_F(JournalTest, NonsenseIsNamedAtOnce) {
  EXPECT_THAT(named(), IsEmpty());
  EXPECT_FALSE(take("s", settled("stranger", 3)));
  EXPECT_THAT(named(), ElementsAre(Pair("s", "feeds what nobody asked for")));
}

TEST_F(JournalTest, TheOnlyStoreIsBlamedForWhatNobodySees) {
  journal.blame_the_only("feeds nothing of what machines answer");
  EXPECT_THAT(named(), IsEmpty()) << "there are two";
  set_stores({"s"});
  journal.blame_the_only("feeds nothing of what machines answer");
  now += kRepeatEvery;
  EXPECT_THAT(named(), ElementsAre(Pair("s", "feeds nothing of what machines answer")));
}

TEST_F(JournalTest, RemembersWhoWasAStore) {
  EXPECT_TRUE(journal.has_stores());
  set_stores({});
  EXPECT_FALSE(journal.has_stores());
  EXPECT_FALSE(journal.all_read());
  EXPECT_TRUE(journal.was_store("s"));
  EXPECT_FALSE(journal.was_store("worker"));
}

}  // namespace
}  // namespace muster::roles::coordinator
