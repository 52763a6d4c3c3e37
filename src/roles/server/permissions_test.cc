#include "roles/server/permissions.h"

#include <gtest/gtest.h>

#include "wire/pool_role.h"

namespace muster::roles::server {
namespace {

using wire::make_holder;

pb::Envelope call_of(pb::PoolRole role, void (*body)(pb::Envelope&)) {
  pb::Envelope call;
  *call.mutable_holder() = make_holder(role);
  body(call);
  return call;
}

TEST(Permissions, AResearcherAsksForJobsAndAnOperatorForAll) {
  struct Case {
    const char* name;
    void (*body)(pb::Envelope&);
    bool researcher;
  };
  const Case cases[] = {
      {"submit", [](pb::Envelope& e) { e.mutable_submit(); }, true},
      {"watch", [](pb::Envelope& e) { e.mutable_watch(); }, true},
      {"list", [](pb::Envelope& e) { e.mutable_list_jobs(); }, true},
      {"status", [](pb::Envelope& e) { e.mutable_get_status(); }, true},
      {"cancel", [](pb::Envelope& e) { e.mutable_cancel_job(); }, true},
      {"why", [](pb::Envelope& e) { e.mutable_why(); }, true},
      {"pardon", [](pb::Envelope& e) { e.mutable_pardon(); }, false},
      {"create token", [](pb::Envelope& e) { e.mutable_create_token(); }, false},
      {"list tokens", [](pb::Envelope& e) { e.mutable_list_tokens(); }, false},
      {"revoke token", [](pb::Envelope& e) { e.mutable_revoke_token(); }, false},
  };
  for (const Case& c : cases) {
    EXPECT_TRUE(may_ask(call_of(pb::POOL_ROLE_OPERATOR, c.body))) << c.name;
    EXPECT_EQ(may_ask(call_of(pb::POOL_ROLE_RESEARCHER, c.body)).has_value(), c.researcher)
        << c.name;
    for (const auto role : {pb::POOL_ROLE_WORKER, pb::POOL_ROLE_COORDINATOR,
                            pb::POOL_ROLE_UNSPECIFIED, static_cast<pb::PoolRole>(99)}) {
      EXPECT_EQ(may_ask(call_of(role, c.body)).error().code, Code::kPermission) << c.name;
    }
  }
}

TEST(Permissions, AnOperatorsJobIsNoResearchers) {
  EXPECT_EQ(researcher_of(make_holder(pb::POOL_ROLE_RESEARCHER, "alice")), "alice");
  EXPECT_EQ(researcher_of(make_holder(pb::POOL_ROLE_OPERATOR, "boss")), "");
}

TEST(Permissions, AJobIsEndedByWhoseItIsOrAnOperator) {
  pb::JobRow job;
  job.set_researcher("alice");
  EXPECT_TRUE(may_cancel(make_holder(pb::POOL_ROLE_RESEARCHER, "alice"), job));
  EXPECT_TRUE(may_cancel(make_holder(pb::POOL_ROLE_OPERATOR, "boss"), job));
  EXPECT_EQ(may_cancel(make_holder(pb::POOL_ROLE_RESEARCHER, "bob"), job).error().message,
            "that job is of alice: they or an operator may cancel it");
  job.set_researcher("");
  EXPECT_FALSE(may_cancel(make_holder(pb::POOL_ROLE_RESEARCHER, ""), job)) << "nobody's is not his";
  EXPECT_TRUE(may_cancel(make_holder(pb::POOL_ROLE_OPERATOR), job));
}

}  // namespace
}  // namespace muster::roles::server
