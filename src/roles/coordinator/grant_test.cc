#include "roles/coordinator/grant.h"

#include "roles/coordinator/situation_stage.h"
#include "roles/grants.h"
#include "wire/named_keys.h"
#include "wire/record.h"
#include "wire/run_key.h"

namespace muster::roles::coordinator {
namespace {

class GrantTest : public SituationStage {
 protected:
  NamedKeys coordinator{"coordinator"}, worker{"worker"};
};

TEST_F(GrantTest, IsTheTermsSignedAndTheRequestsInTheirOrder) {
  const std::string machine = machine_id("worker");
  const Lease lease{.machine = machine, .items = {2, 3, 0}};
  const pb::Envelope envelope = grant_of(key, {3, 7}, lease, "lab", items, coordinator);
  EXPECT_EQ(envelope.to().role(), pb::ROLE_WORKER);
  EXPECT_EQ(envelope.to().machine(), machine);
  const pb::Grant& grant = envelope.grant();
  EXPECT_TRUE(same_key(grant.key(), key));
  EXPECT_EQ(to_lease_id(grant.lease()), (LeaseId{3, 7}));
  ASSERT_EQ(grant.items_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(grant.items(i).SerializeAsString(),
              items[lease.items[i]].requests.SerializeAsString());
  }
  const auto opened = open_record(grant.terms(), coordinator);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->machine, machine_id("coordinator"));
  EXPECT_TRUE(same_run(opened->record, key));
  EXPECT_EQ(opened->record.epoch(), 3u);
  const pb::GrantTerms& terms = opened->record.grant();
  EXPECT_EQ(terms.lease(), 7u);
  EXPECT_EQ(terms.machine(), machine);
  EXPECT_EQ(terms.owner(), "lab");
  EXPECT_EQ(std::vector<uint32_t>(terms.items().begin(), terms.items().end()), lease.items);
}

TEST_F(GrantTest, ProvesThatItsMachineWasAskedForEachOfItsItems) {
  const Lease lease{.machine = machine_id("worker"), .items = {1, 2}};
  const pb::Envelope envelope = grant_of(key, {3, 7}, lease, "lab", items, coordinator);
  Assignments assignments;
  pb::Assignment& assignment = *assignments.Add();
  assignment.set_epoch(3);
  assignment.set_coordinator(machine_id("coordinator"));
  Grants grants(worker);
  for (uint32_t item = 0; item < 4; ++item) {
    pb::Record answer;
    answer.set_job(key.job());
    answer.set_run(key.run());
    answer.set_epoch(key.epoch());
    answer.mutable_answer()->set_item(item);
    *answer.mutable_answer()->mutable_grant() = envelope.grant().terms();
    const auto opened = open_record(sign_record(answer, worker), worker);
    EXPECT_EQ(grants.was_asked_for(*opened, assignments), item == 1 || item == 2) << item;
  }
}

TEST(DescribeItems, IsARangeWhereItIsOne) {
  EXPECT_EQ(describe({3}), "item 3");
  EXPECT_EQ(describe({0, 1, 2}), "items 0..2");
  EXPECT_EQ(describe({0, 2}), "items 0 to 2");
  EXPECT_EQ(describe({0, 5, 2}), "items 0 to 2") << "no range, for all that its ends say";
  EXPECT_EQ(describe({98, 99, 0}), "items 98 to 0") << "from an item drawn by lot onwards";
}

}  // namespace
}  // namespace muster::roles::coordinator
