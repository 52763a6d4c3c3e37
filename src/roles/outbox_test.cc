// A record counts once every member and joiner of one view has it; when the view changes, it starts
// again towards all of the new one.
#include "roles/outbox.h"

#include <gtest/gtest.h>

#include "wire/record.h"

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
  EXPECT_EQ(outbox.acknowledge(kStart, "a", done(1, record("x"))), Tags{});
  EXPECT_EQ(outbox.acknowledge(kStart, "a", done(1, record("x"))), Tags{});  // Twice is once.
  EXPECT_EQ(outbox.acknowledge(kStart, "stranger", done(1, record("x"))), Tags{});
  EXPECT_EQ(outbox.acknowledge(kStart, "b", done(1, record("x"))), Tags{7});
  EXPECT_EQ(outbox.size(), 0u);
}

TEST(Outbox, TellsHowLongARecordTook) {
  Outbox outbox;
  outbox.add(record("x"), 7);
  outbox.set_view(view(1, {"a", "b"}));
  targets(outbox, kStart);
  outbox.acknowledge(kStart + milliseconds(3), "a", done(1, record("x")));
  outbox.acknowledge(kStart + seconds(5), "b", done(1, record("x")));
  Effects effects;
  outbox.send_due(kStart + seconds(5), effects);
  outbox.send_due(kStart + seconds(5), effects);  // Once.
  EXPECT_EQ(effects.acknowledged, std::vector<Duration>{seconds(5)}) << "the last store counts";
}

TEST(Outbox, RepeatsToThoseWhoHaveNotAnswered) {
  Outbox outbox;
  outbox.set_view(view(1, {"a", "b"}));
  outbox.add(record("x"), 7);
  targets(outbox, kStart);
  EXPECT_EQ(targets(outbox, kStart + milliseconds(1)), Names{});
  outbox.acknowledge(kStart, "a", done(1, record("x")));
  EXPECT_EQ(targets(outbox, kStart + kRepeatEvery), Names{"b"});
}

TEST(Outbox, StartsAgainUnderANewView) {
  Outbox outbox;
  outbox.set_view(view(1, {"a", "b"}));
  outbox.add(record("x"), 7);
  targets(outbox, kStart);
  outbox.acknowledge(kStart, "a", done(1, record("x")));
  outbox.set_view(view(2, {"a", "c"}));
  outbox.set_view(view(2, {"a", "c"}));  // The same once more changes nothing.
  EXPECT_EQ(outbox.acknowledge(kStart, "a", done(1, record("x"))),
            Tags{});  // Nor does an older answer.
  EXPECT_EQ(targets(outbox, kStart), (Names{"a", "c"}));
  EXPECT_EQ(outbox.acknowledge(kStart, "c", done(2, record("x"))), Tags{});
  EXPECT_EQ(outbox.acknowledge(kStart, "a", done(2, record("x"))), Tags{7});
}

// A view with a lower number is that of a server that was restored: it is as true.
TEST(Outbox, TakesTheViewAsTheServerSaysIt) {
  Outbox outbox;
  outbox.set_view(view(7, {"a"}));
  outbox.add(record("x"), 7);
  targets(outbox, kStart);
  outbox.set_view(view(5, {"b"}));
  EXPECT_EQ(targets(outbox, kStart), Names{"b"});
  EXPECT_EQ(outbox.acknowledge(kStart, "b", done(5, record("x"))), Tags{7});
}

size_t bytes_sent(Outbox& outbox, Instant now, const std::string& to) {
  Effects effects;
  outbox.send_due(now, effects);
  size_t bytes = 0;
  for (const auto& send : effects.send) {
    if (send.envelope.to().machine() != to) continue;
    for (const auto& sent : send.envelope.put().records()) bytes += sent.ByteSizeLong();
  }
  return bytes;
}

TEST(Outbox, KeepsAWindow) {
  Outbox outbox;
  outbox.set_view(view(1, {"a"}));
  const size_t each = Outbox::kWindowBytes / 4;
  std::vector<pb::SignedRecord> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(record(std::string(each - 8, static_cast<char>('a' + i))));
    outbox.add(records.back(), static_cast<uint64_t>(i));
  }
  EXPECT_LE(bytes_sent(outbox, kStart, "a"), Outbox::kWindowBytes);
  EXPECT_EQ(bytes_sent(outbox, kStart, "a"), 0u) << "nothing more while nothing is acknowledged";
  EXPECT_EQ(outbox.acknowledge(kStart, "a", done(1, records[0])), Tags{0});
  EXPECT_EQ(bytes_sent(outbox, kStart, "a"), records[4].ByteSizeLong()) << "the next in order";
  // Only what was sent is repeated.
  EXPECT_LE(bytes_sent(outbox, kStart + kRepeatEvery, "a"), Outbox::kWindowBytes);
}

TEST(Outbox, ASlowStoreDoesNotHoldUpTheOther) {
  Outbox outbox;
  outbox.set_view(view(1, {"a", "b"}));
  size_t of_a = 0;
  for (int i = 0; i < 20; ++i) {
    const auto one = record(std::string(Outbox::kWindowBytes / 3, static_cast<char>('a' + i)));
    outbox.add(one, 1);
    of_a += bytes_sent(outbox, kStart, "a");
    outbox.acknowledge(kStart, "a", done(1, one));  // b says nothing.
  }
  EXPECT_GT(of_a, 6 * Outbox::kWindowBytes);
}

TEST(Outbox, NoticesWhoIsSilent) {
  Outbox outbox;
  outbox.set_view(view(1, {"a", "b"}));
  const Instant late = kStart + Outbox::kPatience;
  EXPECT_EQ(outbox.silent(late), Names{}) << "nothing was asked of anybody";
  outbox.add(record("x"), 1);
  targets(outbox, kStart);
  outbox.acknowledge(late, "a", done(1, record("x")));
  EXPECT_EQ(outbox.silent(late), Names{"b"});
  outbox.on_answer(late, "b");
  EXPECT_EQ(outbox.silent(late), Names{}) << "it refuses; it is there";
  EXPECT_EQ(outbox.silent(late + Outbox::kPatience), Names{"b"});
}

TEST(Outbox, NoticesWhoOwesTheSameForLong) {
  Outbox outbox;
  outbox.set_view(view(1, {"a"}));
  for (const char* body : {"owed", "1", "2", "3", "4", "5", "6"}) outbox.add(record(body), 1);
  targets(outbox, kStart);
  Instant now = kStart;
  for (const char* body : {"1", "2", "3"}) {  // One at a time, and never the first.
    now += seconds(3);
    outbox.acknowledge(now, "a", done(1, record(body)));
    outbox.on_answer(now, "a");
    EXPECT_EQ(outbox.silent(now), Names{}) << body;
  }
  now += seconds(1);
  outbox.on_answer(now, "a");
  EXPECT_EQ(outbox.silent(now), Names{"a"});
  outbox.on_resumed(now);
  EXPECT_EQ(outbox.silent(now), Names{}) << "it was this process that stood still";
}

TEST(Outbox, KeepsAPutSmall) {
  Outbox outbox;
  outbox.set_view(view(1, {"a"}));
  for (int i = 0; i < 10; ++i)
    outbox.add(record(std::string(kMaxPutBytes / 3, static_cast<char>('a' + i))), 1);
  Effects effects;
  outbox.send_due(kStart, effects);
  EXPECT_GE(effects.send.size(), 2u);
  for (const auto& send : effects.send)
    EXPECT_LE(send.envelope.ByteSizeLong(), kMaxPutBytes + 1024);
}

}  // namespace
}  // namespace muster::roles
