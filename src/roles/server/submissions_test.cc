#include "roles/server/submissions.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};
constexpr uint64_t kFirst = 5;

Submission of(const std::string& client, const std::string& model = "ORG/NAME") {
  Submission submission{client, {}};
  submission.submit.mutable_request()->set_model(model);
  return submission;
}

// "machine:call" of each look-up that was asked for; "client!" of each refusal.
std::vector<std::string> said(Effects& effects) {
  std::vector<std::string> out;
  for (const Send& send : std::exchange(effects.send, {})) {
    const std::string& to = send.envelope.to().machine();
    out.push_back(send.envelope.has_pin_model()
                      ? to + ":" + std::to_string(send.envelope.pin_model().call())
                      : to + "!");
  }
  return out;
}

class SubmissionsTest : public testing::Test {
 protected:
  using Said = std::vector<std::string>;
  Submissions submissions_{kFirst};
  Effects effects_;
};

TEST_F(SubmissionsTest, AreAnsweredByWhoWasAskedAndOnce) {
  submissions_.look_up(kStart, "coord", of("c1", "ORG/OTHER"), effects_);
  ASSERT_EQ(effects_.send.size(), 1u);
  EXPECT_EQ(effects_.send[0].envelope.pin_model().model(), "ORG/OTHER");
  EXPECT_EQ(said(effects_), Said{"coord:5"});
  EXPECT_FALSE(submissions_.take_pinned("another", kFirst));
  EXPECT_FALSE(submissions_.take_pinned("coord", kFirst - 1)) << "asked by a server before";
  const auto taken = submissions_.take_pinned("coord", kFirst);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->client, "c1");
  EXPECT_FALSE(submissions_.take_pinned("coord", kFirst));
  submissions_.check();
}

TEST_F(SubmissionsTest, AskAgainWhoComesBack) {
  submissions_.look_up(kStart, "coord", of("c1"), effects_);
  submissions_.look_up(kStart, "another", of("c2"), effects_);
  submissions_.look_up(kStart, "coord", of("c3"), effects_);
  EXPECT_EQ(said(effects_), (Said{"coord:5", "another:6", "coord:7"}));
  submissions_.ask_again("coord", effects_);
  EXPECT_EQ(said(effects_), (Said{"coord:5", "coord:7"}));
}

TEST_F(SubmissionsTest, OfARevokedTokenWaitNoMore) {
  const auto by = [](const std::string& client, const std::string& token) {
    Submission submission = of(client);
    submission.holder.set_token(token);
    return submission;
  };
  submissions_.look_up(kStart, "coord", by("c1", "t"), effects_);
  submissions_.look_up(kStart, "coord", by("c2", "u"), effects_);
  submissions_.wait_for_row("j", by("c3", "t"));
  submissions_.wait_for_row("k", by("c4", "t"));
  submissions_.wait_for_row("k", by("c5", "u"));
  said(effects_);
  submissions_.refuse("t", "revoked", effects_);
  EXPECT_EQ(said(effects_), (Said{"c1!", "c3!", "c4!"}));
  submissions_.check();
  EXPECT_FALSE(submissions_.take_pinned("coord", kFirst));
  EXPECT_TRUE(submissions_.take_pinned("coord", kFirst + 1));
  EXPECT_TRUE(submissions_.take_waiting("j").empty());
  EXPECT_EQ(submissions_.take_waiting("k").size(), 1u);
}

TEST_F(SubmissionsTest, WaitAMinuteForALookUp) {
  submissions_.look_up(kStart, "coord", of("c1"), effects_);
  submissions_.look_up(kStart + seconds(1), "coord", of("c2"), effects_);
  said(effects_);
  submissions_.expire(kStart + seconds(59), effects_);
  EXPECT_EQ(said(effects_), Said{});
  EXPECT_EQ(effects_.wake_at, kStart + seconds(60));
  submissions_.expire(kStart + seconds(60), effects_);
  EXPECT_EQ(said(effects_), Said{"c1!"});
  EXPECT_EQ(submissions_.size(), 1u);
  submissions_.check();
}

TEST_F(SubmissionsTest, AreForgottenWhenTheCallHangsUp) {
  submissions_.look_up(kStart, "coord", of("c1"), effects_);
  submissions_.look_up(kStart, "coord", of("c2"), effects_);
  submissions_.hang_up("c1");
  EXPECT_FALSE(submissions_.take_pinned("coord", kFirst));
  EXPECT_TRUE(submissions_.take_pinned("coord", kFirst + 1));
  submissions_.wait_for_row("j", of("c3"));
  submissions_.wait_for_row("j", of("c4"));
  submissions_.hang_up("c3");
  submissions_.check();
  EXPECT_EQ(submissions_.take_waiting("j").size(), 1u);
  submissions_.wait_for_row("j", of("c3"));
  submissions_.hang_up("c3");
  submissions_.check();
  EXPECT_EQ(submissions_.size(), 0u);
}

TEST_F(SubmissionsTest, WaitForTheRowOfTheirJobInOrder) {
  submissions_.wait_for_row("j", of("c1"));
  submissions_.wait_for_row("k", of("c2"));
  submissions_.wait_for_row("j", of("c3"));
  EXPECT_EQ(submissions_.size(), 3u);
  submissions_.check();
  const auto waiting = submissions_.take_waiting("j");
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0].client, "c1");
  EXPECT_EQ(waiting[1].client, "c3");
  EXPECT_TRUE(submissions_.take_waiting("j").empty());
  EXPECT_EQ(submissions_.size(), 1u);
}

TEST_F(SubmissionsTest, AreBounded) {
  for (size_t i = 0; i < Submissions::kMostPinning; ++i) {
    ASSERT_TRUE(submissions_.has_room());
    submissions_.look_up(kStart, "coord", of("c1"), effects_);
  }
  EXPECT_FALSE(submissions_.has_room());
  for (size_t i = 0; i <= Submissions::kMostAsking; ++i) submissions_.wait_for_row("j", of("c1"));
  EXPECT_EQ(submissions_.take_waiting("j").size(), Submissions::kMostAsking);
}

}  // namespace
}  // namespace muster::roles::server
