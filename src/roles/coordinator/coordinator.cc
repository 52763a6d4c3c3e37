#include "roles/coordinator/coordinator.h"

#include <algorithm>

#include "base/overloaded.h"
#include "base/probe.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/run_key.h"
#include "wire/short_id.h"

namespace muster::roles::coordinator {
namespace {

// The assignment a message names; messages of another one are stale.
const pb::JobKey* key_of(const pb::Envelope& envelope) {
  switch (envelope.body_case()) {
    case pb::Envelope::kFrozenCommitted:
      return &envelope.frozen_committed().key();
    case pb::Envelope::kLend:
      return &envelope.lend().key();
    case pb::Envelope::kClassCommitted:
      return &envelope.class_committed().key();
    case pb::Envelope::kChargeNoted:
      return &envelope.charge_noted().key();
    case pb::Envelope::kFinished:
      return &envelope.finished().key();
    case pb::Envelope::kPreparing:
      return &envelope.preparing().key();
    case pb::Envelope::kReady:
      return &envelope.ready().key();
    case pb::Envelope::kUnable:
      return &envelope.unable().key();
    case pb::Envelope::kProgress:
      return &envelope.progress().key();
    case pb::Envelope::kLeaseFailed:
      return &envelope.lease_failed().key();
    default:
      return nullptr;
  }
}

// Which job a message is about; nullptr when it is about none.
const std::string* job_of(const pb::Envelope& envelope) {
  if (const pb::JobKey* key = key_of(envelope)) return &key->job();
  return envelope.has_feed() ? &envelope.feed().job() : nullptr;
}

}  // namespace

Coordinator::Coordinator(const Keys& keys, Rng rng) : keys_(keys), rng_(rng) {}

Effects Coordinator::step(Instant now, const Event& event) {
  Effects effects;
  std::visit(
      overloaded{[&](const Received& received) { on_message(now, received.envelope, effects); },
                 [&](const ModelPinned& pinned) { on_pinned(pinned, effects); },
                 [&](const RequestsFrozen& frozen) { on_frozen(now, frozen, effects); },
                 [&](const LineUp&) { on_line(now, true); },
                 [&](const LineDown&) { on_line(now, false); },
                 [&](const Resumed&) {
                   for (auto& [id, job] : jobs_) job.on_resumed(now);
                 },
                 Ignores<Tick, Stored, NodeJoined, NodeLeft, Misspoken, ModelLoading, ModelLoaded,
                         Scoring, ItemScored, RecordsRead, DigestsRead, JobsFound>{}},
      event);
  for (auto& [id, job] : jobs_) {
    // On a new line nothing is said of a job before it is known whose pool this is: one that begins
    // anew counts its runs and epochs alike.
    if (intake_.revision() > 0) job.advance(now, effects);
  }
  std::erase_if(jobs_, [](const auto& entry) { return entry.second.over(); });
  std::erase_if(assigned_, [this](const auto& entry) { return !jobs_.contains(entry.first); });
  return effects;
}

size_t Coordinator::pending() const { return jobs_.size() + assigned_.size(); }

void Coordinator::check() const {
  for (const auto& [id, job] : jobs_) job.check();
}

void Coordinator::on_line(Instant now, bool up) {
  if (up) {  // Another server may count from another number.
    intake_.on_line_up();
    pins_.clear();
    for (auto& [id, revision] : assigned_) revision = 0;
  }
  for (auto& [id, job] : jobs_) job.on_line(now, up);
}

void Coordinator::on_frozen(Instant now, const RequestsFrozen& frozen, Effects& effects) {
  const auto job = jobs_.find(frozen.run.job);
  const bool current = job != jobs_.end() && is_of(frozen.run, job->second.key());
  if (current) job->second.on_frozen(now, frozen, effects);
}

void Coordinator::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  if (envelope.has_assign()) return on_assign(now, envelope.assign(), effects);
  if (envelope.has_pool_state()) return on_pool_state(now, envelope.pool_state(), effects);
  if (envelope.has_pin_model()) {
    return on_pin_model(envelope.pin_model(), effects);
  }
  if (const std::string* id = job_of(envelope)) {
    auto job = jobs_.find(*id);
    const pb::JobKey* key = key_of(envelope);
    const bool current =
        job != jobs_.end() && (key == nullptr || same_key(*key, job->second.key()));
    if (current) job->second.on_message(now, envelope, effects);
    return;
  }
  for (auto& [id, job] : jobs_) job.on_message(now, envelope, effects);  // PutDone, PutRefused.
}

void Coordinator::on_assign(Instant now, const pb::Assign& assign, Effects& effects) {
  const pb::JobRow& row = assign.row();
  auto found = jobs_.find(row.job());
  if (found != jobs_.end()) {
    const pb::JobKey& mine = found->second.key();
    // Each new line brings a new epoch; one that is here already is of a restored database.
    const bool known =
        mine.epoch() > row.epoch() || (mine.epoch() == row.epoch() && assigned_[row.job()] == 0);
    if (mine.run() == row.run() && known)
      found->second.on_overtaken(wire::key_of(row), mine.epoch());
    if (std::pair(mine.run(), mine.epoch()) >= std::pair(row.run(), row.epoch())) return;
  }
  const pb::JobKey key = wire::key_of(row);
  if (assign.revision() < intake_.revision() && !is_live(key)) {
    MUSTER_PROBE("an assignment comes after the news that its job is over");
    return;
  }
  if (found != jobs_.end()) jobs_.erase(found);
  effects.note("job " + short_id(row.job()) + " is mine: " + row.model().name(),
               {.job = row.job()});
  const Rng rng = rng_.fork(row.job() + std::to_string(row.epoch()));
  Job& job = jobs_.try_emplace(row.job(), row, keys_, rng, now).first->second;
  assigned_[row.job()] = assign.revision();
  job.on_pool_state(now, pool_);
  job.start(effects);
}

void Coordinator::on_pool_state(Instant now, const pb::PoolState& state, Effects& effects) {
  if (!intake_.take(state, effects)) return;
  // Another pool knows nothing of what was done for the one before, though it may count alike.
  if (!pool_.pool().empty() && pool_.pool() != state.pool()) jobs_.clear();
  pool_ = state;
  drop_lost_jobs(effects);
  for (auto& [id, job] : jobs_) job.on_pool_state(now, pool_);
}

// Under no later epoch.
bool Coordinator::is_live(const pb::JobKey& key) const {
  return std::any_of(pool_.live().begin(), pool_.live().end(), [&](const pb::LiveJob& live) {
    return live.job() == key.job() && live.run() == key.run() && live.epoch() <= key.epoch();
  });
}

// A job that is over, cancelled or another's is dropped. What was said before it was assigned here
// does not count.
void Coordinator::drop_lost_jobs(Effects& effects) {
  std::erase_if(jobs_, [&](const auto& entry) {
    const pb::JobKey& mine = entry.second.key();
    if (intake_.revision() < assigned_[entry.first]) return false;
    const bool still_mine = is_live(mine);
    if (!still_mine)
      effects.note("job " + short_id(entry.first) + " is no longer mine", {.job = entry.first});
    return !still_mine;
  });
}

void Coordinator::on_pin_model(const pb::PinModel& ask, Effects& effects) {
  pins_[next_pin_] = ask.call();
  effects.run.push_back(PinModel{next_pin_++, ask.model()});
}

void Coordinator::on_pinned(const ModelPinned& pinned, Effects& effects) {
  const auto asked = pins_.extract(pinned.call);
  if (asked.empty()) return;  // On an earlier line.
  pb::Envelope answer = envelope_to_server();
  answer.mutable_pinned()->set_call(asked.mapped());
  if (pinned.model) {
    *answer.mutable_pinned()->mutable_model() = *pinned.model;
  } else {
    *answer.mutable_pinned()->mutable_failure() = to_failure(pinned.model.error());
  }
  effects.send.push_back({std::move(answer)});
}

}  // namespace muster::roles::coordinator
