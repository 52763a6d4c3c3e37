// A job's phases: frozen requests, feeds, reports, the result.
#include "roles/coordinator/job.h"

#include <algorithm>

#include "base/probe.h"
#include "eval/metric.h"
#include "roles/record.h"

namespace muster::roles::coordinator {
namespace {

constexpr uint64_t kSealTag = UINT64_MAX;
constexpr Duration kServerPatience = seconds(5);  // It answers what is asked every 2 s.
constexpr size_t kMostTallies = 4096;

}  // namespace

Job::Job(pb::JobRow row, const Keys& keys, Rng rng, Instant now)
    : row_(std::move(row)),
      key_(key_of(row_)),
      keys_(keys),
      rng_(rng),
      started_(now),
      items_(row_.request().redundancy(), [this](const Item& item) { return votes_enough(item); }),
      grants_(keys),
      machines_(key_.epoch()),
      standings_(key_),
      leases_(key_.epoch()) {
  items_.set_classes({row_.numeric_classes().begin(), row_.numeric_classes().end()});
  if (row_.epoch() > 1) machines_.expect_others(now + kServerGrace);
}

void Job::start(Effects& effects) {
  effects.run.push_back(FreezeRequests{row_.job(), row_.run(), row_.request()});
}

void Job::on_frozen(Instant, const RequestsFrozen& frozen, Effects& effects) {
  if (phase_ != Phase::kFreezing) return;
  if (!frozen.tasks) return give_up(frozen.tasks.error(), effects);
  items_.freeze(*frozen.tasks, rng_);
  // Whoever was quarantined before there were items: their votes do not count either.
  for (const std::string& machine : standings_.quarantined()) {
    for (const Item& item : items_) (void)items_.distrust(item.index(), machine);
  }
  if (const std::string why = items_.too_large(); !why.empty()) {
    return give_up({Code::kUnsupported, why}, effects);
  }
  if (!row_.frozen_digest().empty() && row_.frozen_digest() != items_.digest()) {
    return give_up(
        {Code::kFailed, "data set changed: the requests are not those the job began with"},
        effects);
  }
  effects.note("job " + short_id(key_.job()) + ": " + std::to_string(items_.size()) + " items of " +
               std::to_string(items_.tasks().size()) + " tasks");
  phase_ = Phase::kCommitting;
  repeated_ = envelope_to_server();
  *repeated_.mutable_commit_frozen()->mutable_key() = key_;
  repeated_.mutable_commit_frozen()->set_digest(items_.digest());
  repeat_due_ = {};
}

void Job::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  if (envelope.from().role() == pb::ROLE_SERVER) {
    on_server_heard(now);
    // It knows; what it had said otherwise came late.
    if (overtaken_ && overtaken_->key().epoch() < key_.epoch()) overtaken_.reset();
  }
  switch (envelope.body_case()) {
    case pb::Envelope::kFrozenCommitted:
      if (phase_ == Phase::kCommitting) seal(effects);
      return;
    case pb::Envelope::kLend:
      return on_lend(now, envelope.lend(), effects);
    case pb::Envelope::kClassCommitted:
      return on_class_committed(now, envelope.class_committed(), effects);
    case pb::Envelope::kChargeNoted:
      return standings_.on_noted(envelope.charge_noted());
    case pb::Envelope::kFinished:
      if (phase_ == Phase::kFinishing) phase_ = Phase::kOver;
      return;
    case pb::Envelope::kPreparing:
      return machines_.on_preparing(now, from, envelope.preparing().what());
    case pb::Envelope::kReady:
      return on_ready(now, from, envelope.ready(), effects);
    case pb::Envelope::kUnable:
      return on_unable(now, from, envelope.unable(), effects);
    case pb::Envelope::kProgress:
      return on_progress(now, from, envelope.progress().lease());
    case pb::Envelope::kLeaseFailed:
      return on_lease_failed(now, from, envelope.lease_failed(), effects);
    case pb::Envelope::kPutRefused:
      return on_put_refused(now, from, envelope.put_refused());
    case pb::Envelope::kFeed:
      return on_feed(now, from, envelope.feed(), effects);
    case pb::Envelope::kPutDone:
      for (uint64_t tag : outbox_.acknowledge(now, from, envelope.put_done())) {
        if (tag == kSealTag) feeds_.on_acknowledged(now, seal_);
        if (tag == kSealTag && phase_ == Phase::kSealing) begin_reading(now);
        if (tag != kSealTag) items_.acknowledge(static_cast<uint32_t>(tag));
      }
      return;
    default:
      return;
  }
}

void Job::on_pool_state(Instant now, const pb::PoolState& state) {
  outbox_.set_view(state.view());
  coordinators_ = {state.coordinators().begin(), state.coordinators().end()};
  feeds_.set_view(now, state.view(), state.live_size());
}

void Job::on_line(Instant now, bool up) {
  machines_.on_line(now, up);
  stuck_since_.reset();
  if (!up) return;
  say_classes_again(now);
  on_resumed(now);
}

void Job::on_resumed(Instant now) {
  stuck_since_.reset();
  outbox_.on_resumed(now);
  feeds_.excuse(now);
  leases_.excuse(now + seconds(10));
}

// From here on no coordinator of a lower epoch gets anything acknowledged.
void Job::seal(Effects& effects) {
  phase_ = Phase::kSealing;
  pb::Record record;
  record.set_job(key_.job());
  record.set_run(key_.run());
  record.set_epoch(key_.epoch());
  record.mutable_seal()->set_life(rng_.fork("seal").next());
  const pb::SignedRecord seal = sign_record(record, keys_);
  seal_ = record_digest(seal);
  outbox_.add(seal, kSealTag);
  if (key_.epoch() > 1) effects.note("job " + short_id(key_.job()) + ": taking over");
}

void Job::on_lend(Instant now, const pb::Lend& lend, Effects& effects) {
  if (!machines_.hear(lend)) return;
  owners_.set_many(lend.many_owners());
  on_standings(now, lend, effects);
  work_changed_ = true;
  for (const std::string& name : machines_.arrive(now, lend, effects)) {
    effects.note("machine " + short_id(name) + " is lent to job " + short_id(key_.job()));
    owners_.on_arrival(now, *machines_.owner(name));
  }
  const std::vector<std::string> leaving = machines_.leaving(lend);
  std::vector<LeaseId> gone;
  for (const std::string& name : leaving) {
    gone.insert(gone.end(), leases_.of(name).begin(), leases_.of(name).end());
  }
  std::sort(gone.begin(), gone.end());
  for (const LeaseId& id : gone) {
    const std::string& machine = leases_.find(id)->machine;
    effects.warn("machine " + short_id(machine) + " is gone; lease " + std::to_string(id.second) +
                 " goes to others");
    came_to_nothing(now, machine, effects);
    close_lease(now, id, false);
  }
  for (const std::string& name : leaving) on_machine_left(now, name);
  look_again_at_disputes();
  owners_.set_others({lend.other_owners().begin(), lend.other_owners().end()});
  watch_owners(now, effects);
}

void Job::on_feed(Instant now, const std::string& member, const pb::Feed& feed, Effects& effects) {
  if (feed.epoch() != key_.epoch() || !feeds_.take_batch(now, member, feed)) return;
  for (const auto& record : feed.records()) on_record(now, member, record, effects);
  if (feeds_.has_news()) silent_due_ = {};  // At once: this may be the end.
}

// The store is there, but at another view, which the server will tell of; or a later coordinator
// has the run, which only a server that was restored from an older copy does not know.
void Job::on_put_refused(Instant now, const std::string& store, const pb::PutRefused& refused) {
  outbox_.on_answer(now, store);
  if (!refused.has_seal() || overtaken_) return;
  const auto seal = open_record(refused.seal(), keys_);
  if (!seal || !seal->record.has_seal() || !same_run(seal->record, key_)) return;
  const uint64_t epoch = seal->record.epoch();
  const bool is_over_ours =
      epoch > key_.epoch() || (epoch == key_.epoch() && seal->digest != seal_);
  const bool believed = is_over_ours && (coordinators_.contains(seal->machine) ||
                                         had_run_ever(row_.assignments(), seal->machine));
  if (believed) on_overtaken(key_, seal->record.epoch());
}

void Job::on_overtaken(const pb::JobKey& assigned, uint64_t epoch) {
  MUSTER_PROBE("a run was assigned under an epoch that was there before");
  overtaken_.emplace();
  *overtaken_->mutable_key() = assigned;
  overtaken_->set_epoch(epoch);
  overtaken_due_ = {};
}

void Job::repeat_overtaken(Instant now, Effects& effects) {
  if (!overtaken_) return;
  if (overtaken_due_ <= now) {
    pb::Envelope say = envelope_to_server();
    *say.mutable_overtaken() = *overtaken_;
    effects.send.push_back({std::move(say)});
    overtaken_due_ = now + kRepeatEvery;
  }
  effects.wake_by(overtaken_due_);
}

// All that stores say comes through the server: while it stood still nobody was silent.
void Job::on_server_heard(Instant now) {
  if (now - server_heard_ > kServerPatience) {
    outbox_.on_resumed(now);
    feeds_.excuse(now);
  }
  server_heard_ = now;
}

// Stores that do not do their duty are named to the server, which takes them out of the view.
void Job::report_silent_stores(Instant now, Effects& effects) {
  if (!machines_.is_line_up() || now - server_heard_ > kServerPatience) return;
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

void Job::begin_reading(Instant now) {
  phase_ = Phase::kReading;
  feeds_.begin(now);
}

// A row that was restored from an older copy may lack the class of what was settled since.
bool Job::classes_are_known(Instant now, Effects& effects) {
  for (const auto& [item, adopted] : adopted_) {
    if (items_.rules().may_give(adopted.settled.numeric_class())) continue;
    MUSTER_PROBE("what was settled is of a class that the row does not know");
    if (class_due_ <= now) ask_for_class(now, adopted.settled.numeric_class(), effects);
    effects.wake_by(class_due_);
    return false;
  }
  return true;
}

// Once all that is stored has been read, what was settled before is adopted and work begins.
void Job::begin_running(Instant now, Effects& effects) {
  // Before the server has said whose votes count, and whether of distinct owners, nothing settles.
  const bool all_read = !feeds_.empty() && feeds_.all_caught_up();
  if (!all_read || !machines_.has_heard() || !classes_are_known(now, effects)) return;
  phase_ = Phase::kRunning;
  started_ = now;
  owners_.on_vote(now);
  for (const auto& [item, adopted] : std::exchange(adopted_, {})) adopt(now, adopted, effects);
  watch_owners(now, effects);
  for (const Item& item : items_) {
    settle_if_agreed(now, item, row_.request().redundancy(), effects);
  }
}

void Job::repeat_requests(Instant now, Effects& effects) {
  if (repeat_due_ <= now) {
    effects.send.push_back({repeated_});
    repeat_due_ = now + kRepeatEvery;
  }
  effects.wake_by(repeat_due_);
}

std::string Job::waiting_reason() const {
  if (phase_ == Phase::kFreezing) return "building the requests";
  if (feeds_.empty()) return "no storage node is there to keep the answers";
  if (phase_ == Phase::kSealing) return "waiting for the storage nodes to seal the run";
  if (phase_ == Phase::kReading) return "reading what the storage nodes hold";
  if (const Item* item = crashes_all()) {
    return describe_barred(*item) + "; waiting for another machine";
  }
  const auto& backoffs = machines_.backoffs().all();
  if (machines_.lent().empty() && !backoffs.empty()) {
    const auto& [name, entry] = *backoffs.begin();
    return "machine " + short_id(name) + ": " + entry.why.message + "; it is asked again later";
  }
  if (machines_.lent().empty()) return "no machine is free to compute";
  if (class_lost_since_) {
    return "waiting for a machine of class " + items_.rules().classes.back() +
           ", which gives the values";
  }
  std::string unable, preparing;
  for (const auto& [name, machine] : machines_.lent()) {
    if (!leases_.of(name).empty()) return "";
    if (!machine.ready && !machine.preparing.empty()) preparing = ": " + machine.preparing;
    if (!machine.unable.empty()) unable = "machine " + short_id(name) + ": " + machine.unable;
  }
  if (!unable.empty()) return unable;
  if (items_.settled() == items_.size())
    return "waiting for the storage nodes to keep what is settled";
  if (stuck_since_) return "too few machines can vote; waiting for another";
  return leases_.empty() ? "machines are loading the model" + preparing : "";
}

// For `muster why`. Told several times, since a report may be lost; what there is no room for is
// lost.
void Job::report(Instant now, Effects& effects) {
  if (!report_.begin(now, effects)) return;
  pb::Envelope progress = envelope_to_server();
  *progress.mutable_job_progress()->mutable_key() = key_;
  progress.mutable_job_progress()->set_settled(
      static_cast<int64_t>(items_.acknowledged() + items_.provisional()));
  progress.mutable_job_progress()->set_total(static_cast<int64_t>(items_.size()));
  progress.mutable_job_progress()->set_reason(waiting_reason());
  report_.add_happenings(now, *progress.mutable_job_progress());
  effects.send.push_back({std::move(progress)});
  ask_for_workers(now, effects);
}

void Job::move(Instant now, Effects& effects) {
  if (phase_ == Phase::kSealing) report(now, effects);
  if (phase_ == Phase::kReading || phase_ == Phase::kRunning) {
    feeds_.send_due(now, key_, outbox_.view().number(), effects);
    report(now, effects);
  }
  if (phase_ >= Phase::kSealing && phase_ <= Phase::kRunning) report_silent_stores(now, effects);
  repeat_overtaken(now, effects);
  if (phase_ == Phase::kReading) begin_running(now, effects);
  if (phase_ == Phase::kRunning) {
    expire_leases(now, effects);
    watch_owners(now, effects);
    prepare_machines(now, effects);
    keep_class(now, effects);
    grant_all(now, effects);
    settle_provisional(now, effects);
    settle_what_waited(now, effects);
    fail_what_crashes_all(now, effects);
    standings_.send_due(now, effects);
  }
  outbox_.send_due(now, effects);
  refusals_.send_due(now, effects);
  const bool complete = items_.acknowledged() == items_.size() && !standings_.has_open_charges();
  if (phase_ == Phase::kRunning && complete) finish(result(now), effects);
  if (phase_ == Phase::kCommitting || phase_ == Phase::kFinishing) repeat_requests(now, effects);
}

pb::TaskResult Job::task_result(size_t index) const {
  const FrozenTask& task = items_.tasks()[index];
  pb::TaskResult out;
  out.set_task(task.task);
  out.set_version(task.version);
  out.set_num_fewshot(task.num_fewshot);
  out.set_documents(task.documents);
  out.set_note(task.note);
  out.set_items(static_cast<int64_t>(task.items.size()));
  out.set_wanted_votes(row_.request().redundancy());
  std::vector<eval::ItemScore> scores;
  uint32_t least = UINT32_MAX;
  std::set<std::string> classes;
  for (const Item& item : items_) {
    if (item.task != index) continue;
    std::vector<eval::Response> responses;
    classes.insert(item.value.numeric_class);
    for (const auto& value : item.value.responses)
      responses.push_back({value.loglikelihood(), value.is_greedy()});
    scores.push_back(eval::score_item(*item.item, responses));
    const auto votes = static_cast<uint32_t>(item.votes_at_settling);
    least = std::min(least, votes);
    if (votes < out.wanted_votes()) out.set_items_below(out.items_below() + 1);
  }
  out.set_least_votes(least);
  for (const std::string& name : items_.rules().classes) {
    if (classes.contains(name)) out.add_numeric_classes(name);
  }
  for (const eval::MetricValue& metric : eval::aggregate(scores)) {
    auto* added = out.add_metrics();
    added->set_name(metric.name);
    added->set_value(metric.value);
    if (metric.stderr_value) added->set_stderr(*metric.stderr_value);
  }
  return out;
}

pb::JobResult Job::result(Instant now) const {
  pb::JobResult out;
  for (size_t task = 0; task < items_.tasks().size(); ++task) *out.add_tasks() = task_result(task);
  *out.mutable_model() = row_.model();
  out.set_seconds(to_seconds(now - started_));
  for (const std::string& name : items_.answered_classes()) out.add_numeric_classes(name);
  return out;
}

void Job::finish(pb::JobResult result, Effects& effects) {
  effects.note("job " + short_id(key_.job()) + ": all " + std::to_string(items_.size()) +
               " items settled");
  phase_ = Phase::kFinishing;
  repeated_ = envelope_to_server();
  *repeated_.mutable_finish()->mutable_key() = key_;
  *repeated_.mutable_finish()->mutable_result() = std::move(result);
  for (pb::Tally& tally : standings_.tallies(kMostTallies)) {
    *repeated_.mutable_finish()->add_tallies() = std::move(tally);
  }
  repeat_due_ = {};
}

void Job::give_up(const Error& error, Effects& effects) {
  effects.warn("job " + short_id(key_.job()) + " failed: " + error.message);
  phase_ = Phase::kFinishing;
  repeated_ = envelope_to_server();
  *repeated_.mutable_finish()->mutable_key() = key_;
  *repeated_.mutable_finish()->mutable_failure() = to_failure(error);
  repeat_due_ = {};
}

}  // namespace muster::roles::coordinator
