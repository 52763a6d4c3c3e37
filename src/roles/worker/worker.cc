#include "roles/worker/worker.h"

#include <algorithm>

#include "base/overloaded.h"
#include "base/probe.h"
#include "eval/item.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/item_requests.h"
#include "wire/record.h"
#include "wire/run_key.h"
#include "wire/short_id.h"

namespace muster::roles::worker {
namespace {

constexpr size_t kMaxWaitingAnswers = 2000;
constexpr size_t kMaxLeases = 64, kMaxItems = 64;
constexpr Duration kProgressEvery = seconds(1);

// Names what was scored, whatever the grant called it.
std::string digest_of(const pb::ItemRequests& item) {
  return std::string(eval::request_digest(unpack_requests<eval::Request>(item)).view());
}

}  // namespace

Worker::Worker(const Keys& keys) : keys_(keys) {}

Effects Worker::step(Instant now, const Event& event) {
  Effects effects;
  std::visit(
      overloaded{[&](const Received& received) { on_message(now, received.envelope, effects); },
                 [&](const ModelLoading& loading) { on_loading(loading, effects); },
                 [&](const ModelLoaded& loaded) { on_loaded(loaded, effects); },
                 [&](const Scoring& scoring) { on_scoring(now, scoring, effects); },
                 [&](const ItemScored& scored) { on_scored(now, scored, effects); },
                 [&](const LineUp&) { intake_.on_line_up(); },
                 Ignores<Tick, Stored, NodeJoined, NodeLeft, Misspoken, LineDown, Resumed,
                         ModelPinned, RequestsFrozen, RecordsRead, DigestsRead, JobsFound>{}},
      event);
  score_next(effects);
  outbox_.send_due(now, effects);
  return effects;
}

size_t Worker::pending() const {
  return leases_.size() + order_.size() + outbox_.size() + waiting_answers_.size();
}

void Worker::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  switch (envelope.body_case()) {
    case pb::Envelope::kPoolState:
      return on_pool_state(envelope.pool_state(), effects);
    case pb::Envelope::kPutDone:
      return on_put_done(now, from, envelope.put_done(), effects);
    default:
      if (!coordinator_.empty() && from == coordinator_) on_coordinator(envelope, effects);
      return;
  }
}

void Worker::on_coordinator(const pb::Envelope& envelope, Effects& effects) {
  switch (envelope.body_case()) {
    case pb::Envelope::kPrepare:
      return on_prepare(envelope.prepare(), effects);
    case pb::Envelope::kGrant:
      return on_grant(envelope.grant(), effects);
    case pb::Envelope::kWithdraw:
      return on_withdraw(envelope.withdraw(), effects);
    default:
      return;
  }
}

// What is not for a live job is of no use: its leases are dropped, its answers forgotten. What was
// computed for a live one is kept and repeated, even when this machine is lent to it no longer.
void Worker::on_pool_state(const pb::PoolState& state, Effects& effects) {
  if (!intake_.take(state, effects)) return;
  outbox_.set_view(state.view());
  auto is_live = [&](const pb::JobKey& key) {
    return std::any_of(state.live().begin(), state.live().end(), [&](const pb::LiveJob& live) {
      return live.job() == key.job() && live.run() == key.run();
    });
  };
  const bool other_pool = !pool_.empty() && pool_ != state.pool();
  pool_ = state.pool();
  std::erase_if(waiting_answers_, [&](const auto& entry) {
    if (is_live(entry.second.key) && !other_pool) return false;
    outbox_.drop(entry.first);
    return true;
  });
  if (job_ && (other_pool || !is_live(*job_))) end_job("is over", effects);
  state.lent_known() ? on_lent(state, effects) : say_holding(effects);
}

// The server has not known this machine on this line: what it works for goes on unless it says no.
void Worker::say_holding(Effects& effects) const {
  pb::Envelope say = envelope_to_server();
  say.mutable_holding();
  if (job_) *say.mutable_holding()->mutable_key() = *job_;
  effects.send.push_back({std::move(say)});
}

void Worker::end_job(const char* why, Effects& effects) {
  effects.note("job " + short_id(job_->job()) + " " + why + "; waiting for work",
               {.job = job_->job()});
  job_.reset();
  drop_leases(effects);
}

bool Worker::is_mine(const pb::JobKey& key) const { return job_ && same_key(*job_, key); }

pb::Envelope Worker::to_coordinator() const {
  return envelope_to(address(pb::ROLE_COORDINATOR, coordinator_));
}

void Worker::on_lent(const pb::PoolState& state, Effects& effects) {
  if (!state.has_lent()) {
    if (job_) end_job("needs this machine no longer", effects);
    return;
  }
  const bool goes_on = job_ && same_run(*job_, state.lent());
  coordinator_ = state.coordinator();
  model_ = state.model();
  // It may be lower: a restored database knows less.
  if (goes_on && state.lent().epoch() == job_->epoch()) return;
  if (goes_on) MUSTER_PROBE("work goes on under a new epoch");
  if (!goes_on) {
    drop_leases(effects);
    wanted_commit_.clear();
    effects.note("lent to job " + short_id(state.lent().job()), {.job = state.lent().job()});
  }
  job_ = state.lent();
}

void Worker::on_prepare(const pb::Prepare& prepare, Effects& effects) {
  if (!is_mine(prepare.key())) return;
  wanted_commit_ = model_.commit();
  // A load of another model that is under way is ended by this one.
  if (loaded_commit_ != wanted_commit_ && loading_commit_ != wanted_commit_) {
    loading_commit_ = wanted_commit_;
    load_error_.reset();
    loaded_commit_.clear();
    effects.note("loading " + model_.name());
    effects.run.push_back(LoadModel{model_});
  }
  answer_prepare(effects);
}

void Worker::answer_prepare(Effects& effects) {
  if (!job_ || wanted_commit_.empty()) return;
  pb::Envelope answer = to_coordinator();
  if (loaded_commit_ == wanted_commit_) {
    *answer.mutable_ready()->mutable_key() = *job_;
    answer.mutable_ready()->set_numeric_class(numeric_class_);
    for (const auto& [id, lease] : leases_) {
      auto* held = answer.mutable_ready()->add_leases();
      *held->mutable_terms() = lease.terms;
      for (const auto& item : lease.items) held->add_items(item.item());
      for (uint32_t item : lease.unacknowledged) held->add_items(item);
    }
  } else if (load_error_) {
    *answer.mutable_unable()->mutable_key() = *job_;
    *answer.mutable_unable()->mutable_failure() = to_failure(*load_error_);
  } else {
    *answer.mutable_preparing()->mutable_key() = *job_;
  }
  effects.send.push_back({std::move(answer)});
}

void Worker::on_loading(const ModelLoading& loading, Effects& effects) {
  if (!job_ || loading.commit != wanted_commit_) return;
  pb::Envelope say = to_coordinator();
  *say.mutable_preparing()->mutable_key() = *job_;
  say.mutable_preparing()->set_what(loading.what);
  effects.send.push_back({std::move(say)});
}

void Worker::on_loaded(const ModelLoaded& loaded, Effects& effects) {
  if (loaded.commit != loading_commit_) return;  // It was ended for another.
  loading_commit_.clear();
  scoring_lease_.reset();
  if (loaded.numeric_class) {
    loaded_commit_ = loaded.commit;
    numeric_class_ = *loaded.numeric_class;
  } else {
    load_error_ = loaded.numeric_class.error();
    effects.warn("cannot load the model: " + load_error_->message);
  }
  answer_prepare(effects);
}

void Worker::on_grant(const pb::Grant& grant, Effects& effects) {
  const LeaseId id = to_lease_id(grant.lease());
  if (!is_mine(grant.key()) || leases_.contains(id) || leases_.size() >= kMaxLeases) return;
  Lease lease{grant.key(), grant.terms(), {grant.items().begin(), grant.items().end()}, {}};
  if (lease.items.empty() || lease.items.size() > kMaxItems) return;
  effects.note(
      "lease " + std::to_string(id.number) + ": " + std::to_string(lease.items.size()) + " items",
      {.job = lease.key.job(), .lease = name_of(id)});
  leases_.emplace(id, std::move(lease));
  order_.push_back(id);
}

// Lease ids are a job's own: another job's says nothing of one here.
void Worker::on_withdraw(const pb::Withdraw& withdraw, Effects& effects) {
  const LeaseId id = to_lease_id(withdraw.lease());
  auto lease = leases_.find(id);
  if (lease == leases_.end() || !same_run(lease->second.key, withdraw.key())) return;
  leases_.erase(lease);
  std::erase(order_, id);
  if (scoring_lease_ != id) return;
  scoring_lease_.reset();
  effects.run.push_back(StopScoring{});
}

void Worker::drop_leases(Effects& effects) {
  if (scoring_lease_) effects.run.push_back(StopScoring{});
  scoring_lease_.reset();
  leases_.clear();
  order_.clear();
}

void Worker::score_next(Effects& effects) {
  if (scoring_lease_ || loaded_commit_.empty() || loaded_commit_ != wanted_commit_) return;
  if (outbox_.size() >= kMaxWaitingAnswers) return;
  while (!order_.empty() && leases_.at(order_.front()).items.empty()) order_.pop_front();
  if (order_.empty()) return;
  scoring_lease_ = order_.front();
  const pb::ItemRequests& item = leases_.at(*scoring_lease_).items.front();
  effects.run.push_back(ScoreItem{++scoring_id_, unpack_requests<ScoreItem::Request>(item)});
}

void Worker::report_progress(Instant now, const LeaseId& id, Effects& effects) {
  if (now < progress_due_) return;
  progress_due_ = now + kProgressEvery;
  pb::Envelope say = to_coordinator();
  *say.mutable_progress()->mutable_key() = *job_;
  *say.mutable_progress()->mutable_lease() = to_message(id);
  effects.send.push_back({std::move(say)});
}

void Worker::on_scoring(Instant now, const Scoring& scoring, Effects& effects) {
  if (scoring.id == scoring_id_ && scoring_lease_) report_progress(now, *scoring_lease_, effects);
}

void Worker::on_scored(Instant now, const ItemScored& scored, Effects& effects) {
  if (scored.id != scoring_id_ || !scoring_lease_) return;
  const LeaseId id = *std::exchange(scoring_lease_, std::nullopt);
  Lease& lease = leases_.at(id);
  const pb::ItemRequests item = std::move(lease.items.front());
  lease.items.pop_front();
  if (!scored.scores) return fail_lease(id, item, scored.scores.error(), effects);
  lease.unacknowledged.insert(item.item());
  store_answer(id, lease, item, *scored.scores);
  report_progress(now, id, effects);
}

void Worker::store_answer(const LeaseId& id, const Lease& lease, const pb::ItemRequests& item,
                          const Scores& scores) {
  pb::Record record;
  record.set_job(lease.key.job());
  record.set_run(lease.key.run());
  record.set_epoch(lease.key.epoch());
  auto* answer = record.mutable_answer();
  answer->set_item(item.item());
  answer->set_request_digest(digest_of(item));
  *answer->mutable_grant() = lease.terms;
  answer->set_numeric_class(numeric_class_);
  answer->set_model_digest(scores.model_digest);
  answer->mutable_responses()->Add(scores.responses.begin(), scores.responses.end());
  waiting_answers_[next_answer_] = {lease.key, id, item.item()};
  outbox_.add(sign_record(record, keys_), next_answer_++);
}

void Worker::fail_lease(const LeaseId& id, const pb::ItemRequests& item, const Error& error,
                        Effects& effects) {
  pb::Envelope say = to_coordinator();
  auto* failed = say.mutable_lease_failed();
  *failed->mutable_key() = *job_;
  *failed->mutable_lease() = to_message(id);
  failed->set_item(item.item());
  failed->set_users_fault(is_users_fault(error.code));
  failed->set_message(error.message);
  effects.send.push_back({std::move(say)});
  effects.warn("item " + std::to_string(item.item()) + " failed: " + error.message,
               {.job = job_->job(), .lease = name_of(id)});
  leases_.erase(id);
  std::erase(order_, id);
}

void Worker::on_put_done(Instant now, const std::string& machine, const pb::PutDone& done,
                         Effects& effects) {
  for (uint64_t tag : outbox_.acknowledge(now, machine, done)) {
    const auto answer = waiting_answers_.extract(tag);
    if (answer.empty()) continue;
    auto lease = leases_.find(answer.mapped().lease);
    if (lease == leases_.end() || !same_run(lease->second.key, answer.mapped().key)) continue;
    lease->second.unacknowledged.erase(answer.mapped().item);
    finish_if_done(answer.mapped().lease, effects);
  }
}

void Worker::finish_if_done(const LeaseId& id, Effects& effects) {
  const Lease& lease = leases_.at(id);
  if (!lease.items.empty() || !lease.unacknowledged.empty()) return;
  effects.note("lease " + std::to_string(id.number) + " done and stored",
               {.job = lease.key.job(), .lease = name_of(id)});
  leases_.erase(id);
  std::erase(order_, id);
}

}  // namespace muster::roles::worker
