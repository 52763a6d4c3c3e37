#include "roles/request.h"

#include <gtest/gtest.h>

namespace muster::roles {
namespace {

TEST(Request, IsSaidAgainUntilItIsAnswered) {
  Request request;
  Effects effects;
  request.send_due(Instant(), effects);
  EXPECT_TRUE(effects.send.empty());
  EXPECT_EQ(effects.wake_at, std::nullopt);

  pb::Envelope envelope;
  envelope.mutable_finish()->mutable_key()->set_job("job");
  request.say(envelope);
  request.send_due(Instant(), effects);
  request.send_due(Instant() + kRepeatEvery / 2, effects);
  ASSERT_EQ(effects.send.size(), 1u);
  EXPECT_EQ(effects.send[0].envelope.finish().key().job(), "job");
  EXPECT_EQ(effects.wake_at, Instant() + kRepeatEvery);
  request.send_due(Instant() + kRepeatEvery, effects);
  EXPECT_EQ(effects.send.size(), 2u);

  request.on_answer();
  EXPECT_EQ(request.said(), nullptr);
  request.send_due(Instant() + 10 * kRepeatEvery, effects);
  EXPECT_EQ(effects.send.size(), 2u);
}

TEST(Request, AnotherOneIsSaidAtOnce) {
  Request request;
  Effects effects;
  request.say({});
  request.send_due(Instant(), effects);
  request.say({});
  request.send_due(Instant(), effects);
  EXPECT_EQ(effects.send.size(), 2u);
}

}  // namespace
}  // namespace muster::roles
