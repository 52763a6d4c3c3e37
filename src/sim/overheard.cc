#include "sim/overheard.h"

#include <algorithm>

namespace muster::sim {
namespace {

constexpr size_t kLongest = 64u << 10;  // Of a message that is kept.

template <typename Map>
auto& some_of(Map& map, Rng& rng) {
  return *std::next(map.begin(), static_cast<std::ptrdiff_t>(rng.below(map.size())));
}

}  // namespace

OverheardRun& Overheard::run_of(const pb::JobKey& key) {
  OverheardRun& run = runs_[wire::run_key(key)];
  if (key.epoch() >= run.key.epoch()) run.key = key;
  return run;
}

void Overheard::note_grant(const pb::Envelope& envelope) {
  const pb::Grant& grant = envelope.grant();
  OverheardRun& run = run_of(grant.key());
  OverheardRun::Lease& lease = run.leases.emplace_back();
  lease.machine = envelope.to().machine();
  *lease.grant.mutable_key() = grant.key();
  *lease.grant.mutable_lease() = grant.lease();
  *lease.grant.mutable_terms() = grant.terms();
  for (const auto& item : grant.items()) {
    lease.grant.add_items()->set_item(item.item());
    run.items.try_emplace(item.item(), item);
  }
  if (run.leases.size() > kMostLeases) run.leases.pop_front();
}

void Overheard::note_records(const pb::Put& put) {
  for (const pb::SignedRecord& signed_record : put.records()) {
    if (signed_record.ByteSizeLong() > kLongest) continue;
    records_.push_back(signed_record);
    if (records_.size() > kMostRecords) records_.pop_front();
  }
}

void Overheard::note_pool_state(const pb::PoolState& state) {
  if (state.view().number() >= view_.number()) view_ = state.view();
  revision_ = std::max(revision_, state.revision());
  if (state.has_lent()) run_of(state.lent()).model = state.model();
  live_.clear();
  for (const pb::LiveJob& live : state.live()) live_.insert(wire::run_key(live));
}

void Overheard::note(const pb::Envelope& envelope) {
  switch (envelope.body_case()) {
    case pb::Envelope::kHeartbeat:
      return;
    case pb::Envelope::kPoolState:
      note_pool_state(envelope.pool_state());
      break;
    case pb::Envelope::kGrant:
      note_grant(envelope);
      break;
    case pb::Envelope::kPut:
      note_records(envelope.put());
      break;
    case pb::Envelope::kPrepare: {
      OverheardRun& run = run_of(envelope.prepare().key());
      run.coordinator = envelope.from().machine();
      break;
    }
    case pb::Envelope::kReady: {
      OverheardRun& run = run_of(envelope.ready().key());
      if (run.numeric_class.empty()) run.numeric_class = envelope.ready().numeric_class();
      break;
    }
    case pb::Envelope::kClassCommitted: {
      const pb::ClassCommitted& committed = envelope.class_committed();
      if (!committed.numeric_classes().empty())
        run_of(committed.key()).numeric_class = committed.numeric_classes(0);
      break;
    }
    default:
      break;
  }
  // One in eight, and all of the rare ones.
  auto& said = said_[envelope.body_case()];
  if (said.size() >= kMostOfABody && ++heard_ % 8 != 0) return;
  if (envelope.ByteSizeLong() > kLongest) return;
  said.push_back(envelope);
  if (said.size() > kMostOfABody) said.pop_front();
}

const OverheardRun* Overheard::some_run(Rng& rng) const {
  std::vector<const OverheardRun*> going_on;
  for (const auto& [id, run] : runs_) {
    if (live_.contains(id) && run.key.epoch() > 0) going_on.push_back(&run);
  }
  if (!going_on.empty()) return going_on[rng.below(going_on.size())];
  return runs_.empty() ? nullptr : &some_of(runs_, rng).second;
}

const pb::Envelope* Overheard::some_message(Rng& rng) const {
  if (said_.empty()) return nullptr;
  const auto& said = some_of(said_, rng).second;
  return said.empty() ? nullptr : &said[rng.below(said.size())];
}

const pb::SignedRecord* Overheard::some_record(Rng& rng) const {
  return records_.empty() ? nullptr : &records_[rng.below(records_.size())];
}

}  // namespace muster::sim
