#include "roles/coordinator/journal.h"

#include <algorithm>

#include "base/probe.h"
#include "wire/envelope.h"
#include "wire/run_key.h"

namespace muster::roles::coordinator {
namespace {

constexpr uint64_t kSealTag = UINT64_MAX;
constexpr Duration kServerPatience = seconds(5);  // It answers what is asked every 2 s.

// Some coordinator had the run under the record's epoch, as far as the server remembers.
bool is_of_known_epoch(const pb::Record& record, const Assignments& assignments) {
  return std::any_of(assignments.begin(), assignments.end(), [&](const pb::Assignment& assignment) {
    return assignment.epoch() == record.epoch();
  });
}

pb::Record begin_record(const pb::JobKey& key) {
  pb::Record record;
  record.set_job(key.job());
  record.set_run(key.run());
  record.set_epoch(key.epoch());
  return record;
}

}  // namespace

void Journal::set_view(Instant now, const pb::PoolState& state) {
  outbox_.set_view(state.view());
  coordinators_ = {state.coordinators().begin(), state.coordinators().end()};
  feeds_.set_view(now, state.view(), state.live_size());
}

void Journal::seal(uint64_t life) {
  pb::Record record = begin_record(key_);
  record.mutable_seal()->set_life(life);
  const pb::SignedRecord seal = sign_record(record, keys_);
  seal_ = record_digest(seal);
  outbox_.add(seal, kSealTag);
}

void Journal::write(const pb::Settled& settled) {
  pb::Record record = begin_record(key_);
  *record.mutable_settled() = settled;
  outbox_.add(sign_record(record, keys_), settled.item());
}

Journal::Acknowledged Journal::acknowledge(Instant now, const std::string& store,
                                           const pb::PutDone& done) {
  Acknowledged acknowledged;
  for (uint64_t tag : outbox_.acknowledge(now, store, done)) {
    if (tag != kSealTag) {
      acknowledged.items.push_back(static_cast<uint32_t>(tag));
      continue;
    }
    feeds_.on_acknowledged(now, seal_);
    acknowledged.seal = true;
  }
  return acknowledged;
}

bool Journal::take_batch(Instant now, const std::string& store, const pb::Feed& feed) {
  if (feed.epoch() != key_.epoch() || !feeds_.take_batch(now, store, feed)) return false;
  hurry_if_there_is_news();
  return true;
}

// At once: what a store was just blamed for may be the end of a job.
void Journal::hurry_if_there_is_news() {
  if (feeds_.has_news()) silent_due_ = {};
}

std::optional<Journal::Taken> Journal::take(Instant now, const std::string& store,
                                            const pb::SignedRecord& record,
                                            const Assignments& assignments, Grants& grants) {
  const Digest digest = record_digest(record);
  if (feeds_.knows(digest)) {
    feeds_.on_genuine(now, store, digest);
    return std::nullopt;
  }
  const auto blame = [&](const char* what) {
    feeds_.on_nonsense(store, what);
    hurry_if_there_is_news();
    return std::nullopt;
  };
  auto opened = open_record(record, digest, keys_);
  if (!opened) return blame("what nobody signed");
  if (!same_run(opened->record, key_)) return blame("records of another run");
  // Who answers for the record.
  Grants::Asked asked{opened->machine, ""};
  if (opened->record.has_answer()) asked = grants.who_asked(*opened);
  if (had_run(assignments, opened->record.epoch(), asked.coordinator)) {
    feeds_.on_genuine(now, store, digest);
    return Taken{std::move(*opened), std::move(asked.owner)};
  }
  // The row remembers the last epochs only, and a restored server has given some of them anew: what
  // was done for a coordinator of the pool is no store's invention, though nobody counts it.
  if (coordinators_.contains(asked.coordinator)) {
    feeds_.on_leftover(store, digest);
    return std::nullopt;
  }
  if (!is_of_known_epoch(opened->record, assignments)) return std::nullopt;
  MUSTER_PROBE("a store feeds what nobody asked for");
  return blame("what nobody asked for");
}

std::optional<uint64_t> Journal::sealed_over(const pb::SignedRecord& seal,
                                             const Assignments& assignments) const {
  const auto opened = open_record(seal, keys_);
  if (!opened || !opened->record.has_seal() || !same_run(opened->record, key_)) return std::nullopt;
  const uint64_t epoch = opened->record.epoch();
  const bool is_over_ours =
      epoch > key_.epoch() || (epoch == key_.epoch() && opened->digest != seal_);
  const bool may_have_had_it =
      coordinators_.contains(opened->machine) || had_run_ever(assignments, opened->machine);
  if (!is_over_ours || !may_have_had_it) return std::nullopt;
  return epoch;
}

void Journal::on_server_heard(Instant now) {
  if (now - server_heard_ > kServerPatience) on_resumed(now);
  server_heard_ = now;
}

void Journal::on_resumed(Instant now) {
  outbox_.on_resumed(now);
  feeds_.excuse(now);
}

void Journal::ask_due(Instant now, Effects& effects) {
  feeds_.send_due(now, key_, outbox_.view().number(), effects);
}

void Journal::name_silent(Instant now, Effects& effects) {
  if (now - server_heard_ > kServerPatience) return;
  if (silent_due_ > now) return effects.wake_by(silent_due_);
  silent_due_ = now + kRepeatEvery;
  effects.wake_by(silent_due_);
  auto silent = feeds_.neglectful(now);
  for (const std::string& machine : outbox_.silent(now)) {
    silent[machine] = "has acknowledged nothing for 8 s";
  }
  for (const auto& [machine, what] : silent) {
    MUSTER_PROBE("a store that does not do its duty is reported");
    pb::Envelope say = envelope_to_server();
    *say.mutable_silent_store()->mutable_key() = key_;
    say.mutable_silent_store()->set_machine(machine);
    say.mutable_silent_store()->set_what(what);
    effects.send.push_back({std::move(say)});
  }
}

}  // namespace muster::roles::coordinator
