#include "roles/server/watchers.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

// Who is told of a change of the job, in order.
std::string told(const Watchers& watchers, const std::string& job) {
  pb::JobRow row;
  row.set_job(job);
  Effects effects;
  watchers.tell(row, "a word", effects);
  std::string out;
  for (const Send& send : effects.send) {
    EXPECT_EQ(send.envelope.to().role(), pb::ROLE_CLIENT);
    EXPECT_EQ(send.envelope.job_update().row().job(), job);
    EXPECT_EQ(send.envelope.job_update().message(), "a word");
    out += send.envelope.to().machine();
  }
  return out;
}

TEST(Watchers, HearOfTheirJobUntilItIsOver) {
  Watchers watchers;
  for (const char* client : {"b", "a", "b"}) watchers.add("j", client);
  watchers.add("k", "c");
  EXPECT_EQ(told(watchers, "j"), "ab");
  EXPECT_EQ(told(watchers, "another"), "");
  EXPECT_EQ(watchers.size(), 3u);
  watchers.end("j");
  EXPECT_EQ(told(watchers, "j"), "");
  EXPECT_EQ(watchers.size(), 1u);
}

TEST(Watchers, HangUpOnWhateverTheyWatch) {
  Watchers watchers;
  for (const char* job : {"j", "k"}) watchers.add(job, "a");
  watchers.add("j", "b");
  watchers.hang_up("a");
  EXPECT_EQ(told(watchers, "j"), "b");
  EXPECT_EQ(told(watchers, "k"), "");
  EXPECT_EQ(watchers.size(), 1u);
}

TEST(Watchers, HearThatAJobIsNotThereAfterAll) {
  Watchers watchers;
  for (const char* client : {"a", "b"}) watchers.add("j", client);
  Effects effects;
  watchers.fail("j", {Code::kTryLater, "the disk is full"}, effects);
  ASSERT_EQ(effects.send.size(), 2u);
  EXPECT_EQ(effects.send[0].envelope.to().machine(), "a");
  EXPECT_EQ(effects.send[1].envelope.job_update().failure().message(), "the disk is full");
  EXPECT_EQ(watchers.size(), 0u);
}

}  // namespace
}  // namespace muster::roles::server
