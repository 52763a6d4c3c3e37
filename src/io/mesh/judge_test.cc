// What of a node is passed on at all.
#include "io/mesh/judge.h"

#include <gtest/gtest.h>

#include "io/mesh/limits.h"

namespace muster::io {
namespace {

pb::Envelope progress(pb::Role from) {
  pb::Envelope envelope;
  envelope.mutable_from()->set_role(from);
  envelope.mutable_to()->set_role(pb::ROLE_COORDINATOR);
  envelope.mutable_progress();
  return envelope;
}

TEST(Judge, ANodeSpeaksInTheRolesItJoinedFor) {
  const Speaker worker{"w", pb::ROLE_FLAG_AUTO}, coordinator{"c", pb::ROLE_FLAG_COORDINATOR};
  for (pb::Role role : {pb::ROLE_WORKER, pb::ROLE_STORAGE}) {
    EXPECT_FALSE(why_refused(worker, progress(role)));
    EXPECT_TRUE(why_refused(coordinator, progress(role)));
  }
  EXPECT_FALSE(why_refused(coordinator, progress(pb::ROLE_COORDINATOR)));
  for (pb::Role role : {pb::ROLE_COORDINATOR, pb::ROLE_SERVER, pb::ROLE_CLIENT}) {
    EXPECT_TRUE(why_refused(worker, progress(role)));
  }
}

TEST(Judge, AHeartbeatNeedsNoRoleButGoesToTheServerAlone) {
  pb::Envelope beat;
  beat.mutable_heartbeat();
  EXPECT_TRUE(why_refused({"w", pb::ROLE_FLAG_AUTO}, beat));
  beat.mutable_to()->set_role(pb::ROLE_SERVER);
  EXPECT_FALSE(why_refused({"w", pb::ROLE_FLAG_AUTO}, beat));
}

TEST(Judge, NothingAndTooMuchAreRefused) {
  const Speaker worker{"w", pb::ROLE_FLAG_AUTO};
  pb::Envelope envelope = progress(pb::ROLE_WORKER);
  envelope.clear_body();
  EXPECT_TRUE(why_refused(worker, envelope));
  envelope.mutable_preparing()->set_what(std::string(kMaxEnvelopeBytes, 'x'));
  EXPECT_TRUE(why_refused(worker, envelope));
}

}  // namespace
}  // namespace muster::io
