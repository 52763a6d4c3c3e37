#include "sim/intruder_silence.h"

namespace muster::sim {
namespace {

constexpr Duration kNonsenseEvery = milliseconds(500);
constexpr Duration kDropEvery = seconds(7);  // Just often enough to seem alive.

bool is_work(const pb::Envelope& envelope) {
  return envelope.from().role() == pb::ROLE_WORKER &&
         (envelope.has_put() || envelope.has_progress() || envelope.has_lease_failed());
}

// Of what was to be fed; the rest is there, it says, for who asks again.
void leave_one(pb::Feed& feed) {
  feed.set_at_end(false);
  feed.set_next(feed.from() + 1);
  if (feed.records_size() > 1) feed.mutable_records()->DeleteSubrange(1, feed.records_size() - 1);
}

}  // namespace

Silence::Silence(Voice& voice, const OwnLeases& leases)
    : voice_(voice),
      leases_(leases),
      world_(voice.world()),
      node_(voice.node()),
      rng_(voice.rng()) {}

bool Silence::keeps_back(const pb::Envelope& envelope) {
  const bool copies =
      (envelope.has_subscribe() && envelope.subscribe().copying()) || envelope.has_caught_up();
  if (voice_.does(Act::kCopiesNothing) && copies) return true;
  if (voice_.does(Act::kAcknowledgesNothing) &&
      (envelope.has_put_done() || envelope.has_put_refused()))
    return true;
  if (voice_.does(Act::kFeedsNothing) && envelope.has_feed()) return true;
  return (voice_.does(Act::kOnlyProgress) || voice_.does(Act::kTakesLeases) ||
          voice_.does(Act::kOwnClass)) &&
         is_work(envelope);
}

bool Silence::spoils_acknowledgement(pb::Envelope& envelope) {
  if (!envelope.has_put_done()) return false;
  if (voice_.does(Act::kRefuses)) {
    const uint64_t view = envelope.put_done().view();
    envelope.mutable_put_refused()->set_view(view);
    return false;
  }
  if (!voice_.does(Act::kDrips)) return false;
  Instant& last = dripped_[envelope.to().machine()];
  if (world_.now() - last < kDropEvery) return true;
  last = world_.now();
  pb::PutDone& done = *envelope.mutable_put_done();
  if (done.digests_size() > 1) done.mutable_digests()->DeleteSubrange(1, done.digests_size() - 1);
  return false;
}

void Silence::withhold_answers(pb::Feed& feed) const {
  auto& records = *feed.mutable_records();
  for (int n = records.size() - 1; n >= 0; --n) {
    pb::Record record;
    const bool is_others = records[n].public_key() != node_.keys->public_key() &&
                           record.ParseFromString(records[n].body()) && record.has_answer();
    if (is_others) records.DeleteSubrange(n, 1);
  }
}

bool Silence::spoils_feed(pb::Envelope& envelope) {
  if (!envelope.has_feed()) return false;
  pb::Feed& feed = *envelope.mutable_feed();
  if (voice_.does(Act::kWithholds)) withhold_answers(feed);
  if (voice_.does(Act::kTrickles)) {
    leave_one(feed);
    voice_.say_later(kDropEvery, envelope);
    return true;
  }
  const bool nonsense = voice_.does(Act::kFeedsNonsense);
  if (!nonsense && !voice_.does(Act::kNeverAtEnd)) return false;
  feed.set_at_end(false);
  if (nonsense) fill_with_nonsense(feed);
  voice_.say_later(kNonsenseEvery, envelope);
  return true;
}

void Silence::fill_with_nonsense(pb::Feed& feed) {
  feed.clear_records();
  for (int n = 0; n < 20; ++n) {
    pb::SignedRecord& record = *feed.add_records();
    record.set_body("nonsense " + std::to_string(rng_.next()));
    record.set_public_key(node_.keys->public_key());
    record.set_signature("none");
  }
  feed.set_next(feed.from() + 20);
}

void Silence::say_progress() {
  for (const auto& [coordinator, grant] : leases_.all()) {
    pb::Envelope envelope;
    *envelope.mutable_progress()->mutable_key() = grant.key();
    *envelope.mutable_progress()->mutable_lease() = grant.lease();
    voice_.say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, coordinator, std::move(envelope));
  }
}

bool Silence::keeps_prepare(const pb::Envelope& envelope) {
  if (!envelope.has_prepare() || !voice_.does(Act::kOwnClass)) return false;
  be_ready_at_once(envelope.prepare(), envelope.from().machine());
  return true;
}

void Silence::be_ready_at_once(const pb::Prepare& prepare, const std::string& coordinator) {
  pb::Envelope envelope;
  *envelope.mutable_ready()->mutable_key() = prepare.key();
  envelope.mutable_ready()->set_numeric_class("exact, of " + node_.name);
  voice_.say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, coordinator, std::move(envelope));
}

}  // namespace muster::sim
