// A record counts once every member and joiner of one view has it; when the view changes, it starts
// again towards all of the new one.
#include "roles/outbox.h"

#include <gtest/gtest.h>

namespace muster::roles {
namespace {

constexpr Instant kStart{seconds(1)};

pb::View view(uint64_t number, std::vector<std::string> members,
              std::vector<std::string> joiners = {}) {
  pb::View out;
  out.set_number(number);
  for (auto& name : members) out.add_members()->set_machine(name);
  for (auto& name : joiners) out.add_joiners()->set_machine(name);
  return out;
}

pb::SignedRecord record(const std::string& body) {
  pb::SignedRecord out;
  out.set_body(body);
  return out;
}

pb::PutDone done(uint64_t number, const pb::SignedRecord& record) {
  pb::PutDone out;
  out.set_view(number);
  out.add_digests(std::string(record_digest(record).view()));
  return out;
}

std::vector<std::string> targets(Outbox& outbox, Instant now) {
  Effects effects;
  outbox.send_due(now, effects);
  std::vector<std::string> names;
  for (const auto& send : effects.send) names.push_back(send.envelope.to().machine());
  return names;
}

using Names = std::vector<std::string>;
using Tags = std::vector<uint64_t>;

TEST(Outbox, WaitsForEveryMemberAndJoiner) {
  Outbox outbox;
  outbox.set_view(view(1, {"a"}, {"b"}));
  outbox.add(record("x"), 7);
  EXPECT_EQ(targets(outbox, kStart), (Names{"a", "b"}));
  EXPECT_EQ(outbox.acknowledge("a", done(1, record("x"))), Tags{});
  EXPECT_EQ(outbox.acknowledge("a", done(1, record("x"))), Tags{});  // Twice is once.
  EXPECT_EQ(outbox.acknowledge("stranger", done(1, record("x"))), Tags{});
  EXPECT_EQ(outbox.acknowledge("b", done(1, record("x"))), Tags{7});
  EXPECT_EQ(outbox.size(), 0u);
}

TEST(Outbox, RepeatsToThoseWhoHaveNotAnswered) {
  Outbox outbox;
  outbox.set_view(view(1, {"a", "b"}));
  outbox.add(record("x"), 7);
  targets(outbox, kStart);
  EXPECT_EQ(targets(outbox, kStart + milliseconds(1)), Names{});
  outbox.acknowledge("a", done(1, record("x")));
  EXPECT_EQ(targets(outbox, kStart + kRepeatEvery), Names{"b"});
}

TEST(Outbox, StartsAgainUnderANewView) {
  Outbox outbox;
  outbox.set_view(view(1, {"a", "b"}));
  outbox.add(record("x"), 7);
  targets(outbox, kStart);
  outbox.acknowledge("a", done(1, record("x")));
  outbox.set_view(view(2, {"a", "c"}));
  outbox.set_view(view(1, {"a", "b"}));  // An older view changes nothing.
  EXPECT_EQ(outbox.acknowledge("a", done(1, record("x"))), Tags{});  // Nor does an older answer.
  EXPECT_EQ(targets(outbox, kStart), (Names{"a", "c"}));
  EXPECT_EQ(outbox.acknowledge("c", done(2, record("x"))), Tags{});
  EXPECT_EQ(outbox.acknowledge("a", done(2, record("x"))), Tags{7});
}

TEST(Outbox, KeepsAPutSmall) {
  Outbox outbox;
  outbox.set_view(view(1, {"a"}));
  for (int i = 0; i < 10; ++i)
    outbox.add(record(std::string(kMaxPutBytes / 3, static_cast<char>('a' + i))), 1);
  Effects effects;
  outbox.send_due(kStart, effects);
  EXPECT_GE(effects.send.size(), 4u);
  for (const auto& send : effects.send)
    EXPECT_LE(send.envelope.ByteSizeLong(), kMaxPutBytes + 1024);
}

}  // namespace
}  // namespace muster::roles
