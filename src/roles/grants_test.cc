#include "roles/grants.h"

#include <gtest/gtest.h>

#include "wire/named_keys.h"

namespace muster::roles {
namespace {

class GrantsTest : public testing::Test {
 protected:
  GrantsTest() {
    key.set_job("job");
    key.set_run(1);
    key.set_epoch(3);
    auto* assignment = assignments.Add();
    assignment->set_epoch(3);
    assignment->set_coordinator(machine_id("coordinator"));
  }
  pb::SignedRecord granted(const std::vector<uint32_t>& items, const Keys& signer) {
    pb::GrantTerms terms;
    terms.set_lease(7);
    terms.set_machine(machine_id("worker"));
    terms.set_owner("lab");
    terms.mutable_items()->Add(items.begin(), items.end());
    return sign_grant(key, terms, signer);
  }
  OpenedRecord answer(uint32_t item, const pb::SignedRecord& grant) {
    pb::Record record;
    record.set_job("job");
    record.set_run(1);
    record.set_epoch(3);
    record.mutable_answer()->set_item(item);
    *record.mutable_answer()->mutable_grant() = grant;
    return *open_record(sign_record(record, worker), worker);
  }

  NamedKeys coordinator{"coordinator"}, worker{"worker"}, stranger{"stranger"};
  pb::JobKey key;
  Assignments assignments;
  Grants grants{worker};
};

TEST_F(GrantsTest, AnAnswerThatWasAskedForCounts) {
  EXPECT_TRUE(grants.was_asked_for(answer(5, granted({4, 5}, coordinator)), assignments));
}

TEST_F(GrantsTest, WhatWasNotAskedForDoesNot) {
  const auto good = granted({4, 5}, coordinator);
  EXPECT_FALSE(grants.was_asked_for(answer(6, good), assignments)) << "another item";
  EXPECT_FALSE(grants.was_asked_for(answer(5, {}), assignments)) << "no terms at all";
  EXPECT_FALSE(grants.was_asked_for(answer(5, granted({5}, stranger)), assignments));
  EXPECT_FALSE(grants.was_asked_for(answer(5, granted({5}, worker)), assignments)) << "its own";
  OpenedRecord of_another = answer(5, good);
  of_another.machine = machine_id("stranger");
  EXPECT_FALSE(grants.was_asked_for(of_another, assignments)) << "somebody else's terms";
  for (auto alter :
       {+[](pb::Record& r) { r.set_job("other"); }, +[](pb::Record& r) { r.set_run(2); },
        +[](pb::Record& r) { r.set_epoch(2); }}) {
    OpenedRecord elsewhere = answer(5, good);
    alter(elsewhere.record);
    EXPECT_FALSE(grants.was_asked_for(elsewhere, assignments))
        << elsewhere.record.ShortDebugString();
  }
}

TEST_F(GrantsTest, WhoHadTheRunIsAskedEachTime) {
  const auto good = answer(5, granted({5}, coordinator));
  EXPECT_TRUE(grants.was_asked_for(good, assignments));
  assignments.Mutable(0)->set_coordinator(machine_id("stranger"));
  EXPECT_FALSE(grants.was_asked_for(good, assignments)) << "though the terms are remembered";
}

TEST_F(GrantsTest, OtherRecordsOfACoordinatorAreNoTerms) {
  pb::Record seal;
  seal.set_job("job");
  seal.set_run(1);
  seal.set_epoch(3);
  seal.mutable_seal();
  EXPECT_FALSE(grants.open(sign_record(seal, coordinator), assignments));
}

TEST_F(GrantsTest, TellsWhoAskedThoughItMightNot) {
  const Grants::Asked asked = grants.who_asked(answer(5, granted({5}, stranger)));
  EXPECT_EQ(asked.coordinator, machine_id("stranger"));
  EXPECT_EQ(asked.owner, "lab");
  EXPECT_EQ(grants.who_asked(answer(6, granted({5}, stranger))).coordinator, "");
  EXPECT_EQ(grants.who_asked(answer(5, {})).coordinator, "");
}

}  // namespace
}  // namespace muster::roles
