// What waits for a slow line: bounded, shared fairly, and never a reason to close it.
#include "io/mesh/send_queue.h"

#include <gtest/gtest.h>

namespace muster::io {
namespace {

using Pushed = SendQueue::Pushed;

pb::Envelope control(uint64_t number) {
  pb::Envelope envelope;
  envelope.mutable_progress()->mutable_lease()->set_number(number);
  return envelope;
}
pb::Envelope bulk(size_t bytes) {
  pb::Envelope envelope;
  envelope.mutable_put()->add_records()->set_body(std::string(bytes, 'x'));
  return envelope;
}
uint64_t number(const pb::Envelope& envelope) { return envelope.progress().lease().number(); }

// How many of these a sender gets in.
size_t fill(SendQueue& queue, const std::string& sender) {
  size_t count = 0;
  while (queue.push(bulk(1000 << 10), sender) == Pushed::kYes) ++count;
  return count;
}

TEST(SendQueue, ControlGoesBeforeBulk) {
  SendQueue queue;
  queue.push(bulk(10), "a");
  queue.push(control(1), "a");
  EXPECT_TRUE(queue.pop().has_progress());
  EXPECT_TRUE(queue.pop().has_put());
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, SendersTakeTurnsAndTheOwnerGoesFirst) {
  SendQueue queue;
  for (uint64_t n : {1, 2, 3}) queue.push(control(n), "a");
  queue.push(control(10), "b");
  queue.push(control(20));
  queue.push(control(21));
  for (uint64_t expected : {20, 21, 1, 10, 2, 3}) EXPECT_EQ(number(queue.pop()), expected);
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, AFloodLeavesRoomForOthersAndTheOwner) {
  SendQueue queue;
  EXPECT_EQ(fill(queue, "flood"), 16u);  // A quarter.
  EXPECT_EQ(queue.push(control(1), "flood"), Pushed::kYes);
  EXPECT_EQ(queue.push(control(1), "honest"), Pushed::kYes);
  EXPECT_EQ(fill(queue, "a"), 16u);
  EXPECT_GE(fill(queue, "b"), 15u);
  EXPECT_LE(fill(queue, "c"), 1u);  // Together three quarters.
  EXPECT_EQ(queue.push(bulk(1000 << 10), "c"), Pushed::kFull);
  EXPECT_EQ(fill(queue, ""), 16u);
}

TEST(SendQueue, RoomComesBackAsItIsWritten) {
  SendQueue queue;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(fill(queue, "a"), 16u);
    while (!queue.empty()) queue.pop();
  }
}

TEST(SendQueue, WhatNobodyWouldTakeIsLeftOut) {
  SendQueue queue;
  EXPECT_EQ(queue.push(bulk(wire::kMaxEnvelopeBytes)), Pushed::kTooLarge);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace muster::io
