// What an intruder owes and does not say.
#include "roles/message.h"
#include "sim/intruder.h"

namespace muster::sim {
namespace {

constexpr Duration kNonsenseEvery = milliseconds(500);
constexpr Duration kDropEvery = seconds(7);  // Just often enough to seem alive.

bool is_work(const pb::Envelope& envelope) {
  return envelope.from().role() == pb::ROLE_WORKER &&
         (envelope.has_put() || envelope.has_progress() || envelope.has_lease_failed());
}

}  // namespace

bool Intruder::keeps_back(const pb::Envelope& envelope) {
  const bool copies =
      (envelope.has_subscribe() && envelope.subscribe().copying()) || envelope.has_copied();
  if (does(Act::kCopiesNothing) && copies) return true;
  if (does(Act::kAcknowledgesNothing) && (envelope.has_put_done() || envelope.has_put_refused()))
    return true;
  if (does(Act::kFeedsNothing) && envelope.has_feed()) return true;
  return (does(Act::kOnlyProgress) || does(Act::kTakesLeases) || does(Act::kOwnClass)) &&
         is_work(envelope);
}

// True: it is not said.
bool Intruder::spoils_acknowledgement(pb::Envelope& envelope) {
  if (!envelope.has_put_done()) return false;
  if (does(Act::kRefuses)) {
    const uint64_t view = envelope.put_done().view();
    envelope.mutable_put_refused()->set_view(view);
    return false;
  }
  if (!does(Act::kDrips)) return false;
  Instant& last = dripped_[envelope.to().machine()];
  if (world_.now() - last < kDropEvery) return true;
  last = world_.now();
  pb::PutDone& done = *envelope.mutable_put_done();
  if (done.digests_size() > 1) done.mutable_digests()->DeleteSubrange(1, done.digests_size() - 1);
  return false;
}

void Intruder::withhold_answers(pb::Feed& feed) const {
  auto& records = *feed.mutable_records();
  for (int n = records.size() - 1; n >= 0; --n) {
    pb::Record record;
    const bool is_others = records[n].public_key() != node_.keys->public_key() &&
                           record.ParseFromString(records[n].body()) && record.has_answer();
    if (is_others) records.DeleteSubrange(n, 1);
  }
}

// True: it is not said now, but, spoiled, a little later.
bool Intruder::spoils_feed(pb::Envelope& envelope) {
  if (!envelope.has_feed()) return false;
  if (does(Act::kWithholds)) withhold_answers(*envelope.mutable_feed());
  if (does(Act::kTrickles)) {
    pb::Feed& feed = *envelope.mutable_feed();
    feed.set_at_end(false);
    feed.set_next(feed.from() + 1);
    if (feed.records_size() > 1) feed.mutable_records()->DeleteSubrange(1, feed.records_size() - 1);
    world_.agenda.in(kDropEvery, [this, envelope] {
      if (node_.session != 0) world_.send(node_, envelope);
    });
    return true;
  }
  const bool nonsense = does(Act::kFeedsNonsense);
  if (!nonsense && !does(Act::kNeverAtEnd)) return false;
  pb::Feed& feed = *envelope.mutable_feed();
  feed.set_at_end(false);
  if (nonsense) {
    feed.clear_records();
    for (int n = 0; n < 20; ++n) {
      pb::SignedRecord& record = *feed.add_records();
      record.set_body("nonsense " + std::to_string(rng_.next()));
      record.set_public_key(node_.keys->public_key());
      record.set_signature("none");
    }
    feed.set_next(feed.from() + 20);
  }
  world_.agenda.in(kNonsenseEvery, [this, envelope] {
    if (node_.session != 0) world_.send(node_, envelope);
  });
  return true;
}

// Of every lease it ever got, whether or not it was taken away.
void Intruder::say_progress() {
  for (const auto& [coordinator, grant] : leases_) {
    pb::Envelope envelope;
    *envelope.mutable_progress()->mutable_key() = grant.key();
    *envelope.mutable_progress()->mutable_lease() = grant.lease();
    say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, coordinator, std::move(envelope));
  }
}

void Intruder::be_ready_at_once(const pb::Prepare& prepare, const std::string& coordinator) {
  pb::Envelope envelope;
  *envelope.mutable_ready()->mutable_key() = prepare.key();
  envelope.mutable_ready()->set_numeric_class("exact, of " + node_.name);
  say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, coordinator, std::move(envelope));
}

}  // namespace muster::sim
