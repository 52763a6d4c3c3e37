// A job's phases, from frozen requests to the result, and who works on what meanwhile.
#include "roles/coordinator/job.h"

#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/allocation.h"
#include "roles/coordinator/grant.h"
#include "roles/coordinator/job_result.h"
#include "roles/coordinator/voters.h"
#include "roles/record.h"

namespace muster::roles::coordinator {
namespace {

constexpr size_t kMostTallies = 4096;
constexpr size_t kMostWanted = 4096;  // Machines at once.
constexpr Duration kChosenFor = seconds(30);

}  // namespace

Job::Job(pb::JobRow row, const Keys& keys, Rng rng, Instant now)
    : row_(std::move(row)),
      key_(key_of(row_)),
      keys_(keys),
      rng_(rng),
      started_(now),
      items_(redundancy(),
             [this](const Item& item) { return votes_enough(situation(), item, redundancy()); }),
      journal_(key_, keys),
      grants_(keys),
      leases_(key_.epoch()),
      machines_(key_.epoch()),
      standings_(key_),
      classes_(key_) {
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
  pb::Envelope commit = envelope_to_server();
  *commit.mutable_commit_frozen()->mutable_key() = key_;
  commit.mutable_commit_frozen()->set_digest(items_.digest());
  say_until_answered(std::move(commit));
}

void Job::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  if (envelope.from().role() == pb::ROLE_SERVER) {
    journal_.on_server_heard(now);
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
      return on_put_done(now, from, envelope.put_done());
    default:
      return;
  }
}

void Job::on_pool_state(Instant now, const pb::PoolState& state) { journal_.set_view(now, state); }

void Job::on_line(Instant now, bool up) {
  machines_.on_line(now, up);
  stuck_since_.reset();
  if (!up) return;
  classes_.say_again(now, items_.rules());
  on_resumed(now);
}

void Job::on_resumed(Instant now) {
  stuck_since_.reset();
  journal_.on_resumed(now);
  leases_.excuse(now + Lease::kWithoutProgress);
}

void Job::on_overtaken(const pb::JobKey& assigned, uint64_t epoch) {
  MUSTER_PROBE("a run was assigned under an epoch that was there before");
  overtaken_.emplace();
  *overtaken_->mutable_key() = assigned;
  overtaken_->set_epoch(epoch);
  overtaken_due_ = {};
}

void Job::move(Instant now, Effects& effects) {
  if (phase_ == Phase::kSealing) report(now, effects);
  if (phase_ == Phase::kReading || phase_ == Phase::kRunning) {
    journal_.ask_due(now, effects);
    report(now, effects);
  }
  const bool has_stores_to_watch = phase_ >= Phase::kSealing && phase_ <= Phase::kRunning;
  if (has_stores_to_watch && machines_.is_line_up()) journal_.name_silent(now, effects);
  repeat_overtaken(now, effects);
  if (phase_ == Phase::kReading) begin_running(now, effects);
  if (phase_ == Phase::kRunning) run(now, effects);
  journal_.put_due(now, effects);
  refusals_.send_due(now, effects);
  const bool complete = items_.acknowledged() == items_.size() && !standings_.has_open_charges();
  if (phase_ == Phase::kRunning && complete) {
    finish(job_result(row_, items_, to_seconds(now - started_)), effects);
  }
  if (phase_ == Phase::kCommitting || phase_ == Phase::kFinishing) repeat_request(now, effects);
}

void Job::run(Instant now, Effects& effects) {
  expire_leases(now, effects);
  watch_owners(now, effects);
  prepare_machines(now, effects);
  classes_.keep(now, situation(), work_changed_, quorum_wait(), effects);
  grant_all(now, effects);
  settle_provisional(now, effects);
  settle_what_waited(now, effects);
  fail_what_crashes_all(now, effects);
  standings_.send_due(now, effects);
}

// ---- The records of the run.

void Job::seal(Effects& effects) {
  phase_ = Phase::kSealing;
  journal_.seal(rng_.fork("seal").next());
  if (key_.epoch() > 1) effects.note("job " + short_id(key_.job()) + ": taking over");
}

void Job::on_put_done(Instant now, const std::string& store, const pb::PutDone& done) {
  const Journal::Acknowledged acknowledged = journal_.acknowledge(now, store, done);
  for (uint32_t item : acknowledged.items) items_.acknowledge(item);
  if (!acknowledged.seal || phase_ != Phase::kSealing) return;
  phase_ = Phase::kReading;
  journal_.begin_reading(now);
}

// The store is there, but at another view, which the server will tell of; or a later coordinator
// has the run, which only a server that was restored from an older copy does not know.
void Job::on_put_refused(Instant now, const std::string& store, const pb::PutRefused& refused) {
  journal_.on_refused(now, store);
  if (!refused.has_seal() || overtaken_) return;
  const auto epoch = journal_.sealed_over(refused.seal(), row_.assignments());
  if (epoch) on_overtaken(key_, *epoch);
}

void Job::on_feed(Instant now, const std::string& store, const pb::Feed& feed, Effects& effects) {
  if (!journal_.take_batch(now, store, feed)) return;
  for (const pb::SignedRecord& record : feed.records()) {
    const auto taken = journal_.take(now, store, record, row_.assignments(), grants_);
    if (!taken) continue;
    if (taken->record.record.has_answer()) on_answer(now, taken->record, taken->owner, effects);
    if (taken->record.record.has_settled()) on_settled(taken->record);
  }
}

// Once all that is stored has been read, what was settled before is adopted and work begins.
void Job::begin_running(Instant now, Effects& effects) {
  // Before the server has said whose votes count, and whether of distinct owners, nothing settles.
  if (!journal_.all_read() || !machines_.has_heard() || !classes_are_known(now, effects)) return;
  phase_ = Phase::kRunning;
  started_ = now;
  owners_.on_vote(now);
  for (const auto& [item, adopted] : std::exchange(adopted_, {})) adopt(now, adopted, effects);
  watch_owners(now, effects);
  for (const Item& item : items_) settle_if_agreed(now, item, redundancy(), effects);
}

// A row that was restored from an older copy may lack the class of what was settled since.
bool Job::classes_are_known(Instant now, Effects& effects) {
  for (const auto& [item, adopted] : adopted_) {
    if (items_.rules().may_give(adopted.settled.numeric_class())) continue;
    MUSTER_PROBE("what was settled is of a class that the row does not know");
    classes_.insist(now, adopted.settled.numeric_class(), effects);
    return false;
  }
  return true;
}

// ---- What the server is told.

void Job::say_until_answered(pb::Envelope request) {
  repeated_ = std::move(request);
  repeat_due_ = {};
}

void Job::repeat_request(Instant now, Effects& effects) {
  if (repeat_due_ <= now) {
    effects.send.push_back({repeated_});
    repeat_due_ = now + kRepeatEvery;
  }
  effects.wake_by(repeat_due_);
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

void Job::finish(pb::JobResult result, Effects& effects) {
  effects.note("job " + short_id(key_.job()) + ": all " + std::to_string(items_.size()) +
               " items settled");
  phase_ = Phase::kFinishing;
  pb::Envelope finish = envelope_to_server();
  *finish.mutable_finish()->mutable_key() = key_;
  *finish.mutable_finish()->mutable_result() = std::move(result);
  for (pb::Tally& tally : standings_.tallies(kMostTallies)) {
    *finish.mutable_finish()->add_tallies() = std::move(tally);
  }
  say_until_answered(std::move(finish));
}

void Job::give_up(const Error& error, Effects& effects) {
  effects.warn("job " + short_id(key_.job()) + " failed: " + error.message);
  phase_ = Phase::kFinishing;
  pb::Envelope finish = envelope_to_server();
  *finish.mutable_finish()->mutable_key() = key_;
  *finish.mutable_finish()->mutable_failure() = to_failure(error);
  say_until_answered(std::move(finish));
}

// For `muster why`. Told several times, since a report may be lost; what there is no room for is
// lost.
void Job::report(Instant now, Effects& effects) {
  if (!report_.begin(now, effects)) return;
  pb::Envelope progress = envelope_to_server();
  pb::JobProgress& said = *progress.mutable_job_progress();
  *said.mutable_key() = key_;
  said.set_settled(static_cast<int64_t>(items_.acknowledged() + items_.provisional()));
  said.set_total(static_cast<int64_t>(items_.size()));
  said.set_reason(waiting_reason());
  report_.add_happenings(now, said);
  effects.send.push_back({std::move(progress)});
  ask_for_workers(now, effects);
}

void Job::ask_for_workers(Instant now, Effects& effects) const {
  pb::Envelope envelope = envelope_to_server();
  pb::WantWorkers& want = *envelope.mutable_want_workers();
  *want.mutable_key() = key_;
  std::vector<std::string> names = released(situation(), now);
  names.resize(std::min(names.size(), kMostWanted));
  want.mutable_spare()->Add(names.begin(), names.end());
  const size_t wanted = machines_wanted(situation(), now);
  want.set_count(static_cast<uint32_t>(std::min(wanted, kMostWanted)));
  effects.send.push_back({std::move(envelope)});
}

std::string Job::waiting_reason() const {
  if (phase_ == Phase::kFreezing) return "building the requests";
  if (!journal_.has_stores()) return "no storage node is there to keep the answers";
  if (phase_ == Phase::kSealing) return "waiting for the storage nodes to seal the run";
  if (phase_ == Phase::kReading) return "reading what the storage nodes hold";
  if (const Item* item = crashes_all()) {
    return describe_barred(*item) + "; waiting for another machine";
  }
  return waiting_for_machines();
}

std::string Job::waiting_for_machines() const {
  const auto& backoffs = machines_.backoffs().all();
  if (machines_.lent().empty() && !backoffs.empty()) {
    const auto& [name, entry] = *backoffs.begin();
    return "machine " + short_id(name) + ": " + entry.why.message + "; it is asked again later";
  }
  if (machines_.lent().empty()) return "no machine is free to compute";
  if (classes_.is_lost()) {
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
  if (items_.settled() == items_.size()) {
    return "waiting for the storage nodes to keep what is settled";
  }
  if (stuck_since_) return "too few machines can vote; waiting for another";
  return leases_.empty() ? "machines are loading the model" + preparing : "";
}

// ---- The machines.

void Job::on_lend(Instant now, const pb::Lend& lend, Effects& effects) {
  if (!machines_.hear(lend)) return;
  owners_.set_many(lend.many_owners());
  on_standings(now, lend, effects);
  work_changed_ = true;
  for (const std::string& name : machines_.arrive(now, lend, effects)) {
    effects.note("machine " + short_id(name) + " is lent to job " + short_id(key_.job()));
    owners_.on_arrival(now, *machines_.owner(name));
  }
  on_machines_gone(now, machines_.leaving(lend), effects);
  look_again_at_disputes();
  owners_.set_others({lend.other_owners().begin(), lend.other_owners().end()});
  watch_owners(now, effects);
}

void Job::on_machines_gone(Instant now, const std::vector<std::string>& names, Effects& effects) {
  std::set<LeaseId> gone;
  for (const std::string& name : names) {
    gone.insert(leases_.of(name).begin(), leases_.of(name).end());
  }
  for (const LeaseId& id : gone) {
    const std::string& machine = leases_.find(id)->machine;
    effects.warn("machine " + short_id(machine) + " is gone; lease " + std::to_string(id.second) +
                 " goes to others");
    came_to_nothing(now, machine, effects);
    close_lease(now, id, false);
  }
  for (const std::string& name : names) {
    if (machines_.may_serve(name)) owners_.on_left(now, *machines_.owner(name));
    machines_.leave(name);
  }
}

// Only what a machine says when it was not known to be ready counts: later it holds what it was
// granted here.
void Job::on_ready(Instant now, const std::string& name, const pb::Ready& ready, Effects& effects) {
  const Machines::Lent* machine = machines_.find(name);
  if (machine == nullptr || machine->ready) return;
  if (ready.numeric_class().empty()) return refusals_.note(name, "it is ready without a class");
  machines_.on_ready(name, ready.numeric_class());
  objections_.withdraw(name);
  work_changed_ = true;
  for (const auto& held : ready.leases()) adopt_lease(now, name, held, effects);
}

void Job::on_unable(Instant now, const std::string& name, const pb::Unable& unable,
                    Effects& effects) {
  const Machines::Lent* machine = machines_.find(name);
  if (machine == nullptr) return;
  Error error = to_error(unable.failure());
  if (error.message.empty()) error.message = "it does not say why";
  if (machine->unable.empty()) {
    effects.warn("machine " + short_id(name) + " cannot: " + error.message);
    report_.happened(now, name, "cannot have the model ready: " + error.message);
  }
  // What it says once more before it was asked again changes nothing.
  if (!machines_.backoffs().waits(now, name)) give_back(now, name, error, effects);
  if (is_users_fault(error.code)) object(name, Objections::kModel, error, effects);
}

// Who does not get ready is asked again later; what it has begun goes on.
void Job::prepare_machines(Instant now, Effects& effects) {
  for (const std::string& name : machines_.overdue(now)) {
    report_.happened(now, name, "does not get the model ready");
    give_back(now, name, {Code::kFailed, "does not get the model ready"}, effects);
  }
  machines_.send_due(now, key_, effects);
}

void Job::give_back(Instant now, const std::string& name, const Error& why, Effects& effects) {
  machines_.give_back(now, name, why, effects);
  look_again_at_disputes();
  work_changed_ = true;
}

// One of its leases did. Whoever takes leases and answers none waits, if it comes and goes as well.
void Job::came_to_nothing(Instant now, const std::string& name, Effects& effects) {
  if (!machines_.note_fruitless(name)) return;
  give_back(now, name, {Code::kFailed, "takes leases and answers none"}, effects);
  const bool is_not_the_machines = machines_.note_barren(name);
  if (is_not_the_machines) journal_.blame_the_only("feeds nothing of what machines answer");
}

// ---- Leases.

// A lease that the machine holds from before, of this epoch or an earlier one, goes on as it is:
// the terms that it shows were signed by a coordinator of this run, for it and for these items.
void Job::adopt_lease(Instant now, const std::string& name, const pb::HeldLease& held,
                      Effects& effects) {
  const auto found = grants_.open(held.terms(), row_.assignments());
  if (!found) return refusals_.note(name, "it claims a lease that nobody granted");
  const OpenedRecord* opened = *found;
  if (!same_run(opened->record, key_)) return;
  const pb::GrantTerms& terms = opened->record.grant();
  const LeaseId id{opened->record.epoch(), terms.lease()};
  if (terms.machine() != name) return refusals_.note(name, "it claims another's lease");
  if (leases_.find(id) != nullptr) return;
  Lease lease{.machine = name, .granted = now, .deadline = now + Lease::kWithoutProgress};
  for (uint32_t item : terms.items()) {
    if (item >= items_.size() || items_[item].is_settled()) continue;
    const bool held_still =
        std::find(held.items().begin(), held.items().end(), item) != held.items().end();
    if (!held_still || items_[item].votes.has(name)) continue;
    lease.items.push_back(item);
    lease.bytes += items_[item].bytes;
  }
  lease.latest = machines_.latest_end(now, name, lease.bytes);
  lease.is_measured = false;  // It began before.
  if (lease.items.empty()) return say_withdraw(name, id, effects);
  MUSTER_PROBE("a lease from before goes on");
  effects.note("lease " + std::to_string(id.second) + " of " + short_id(name) +
               " goes on: " + describe(lease.items));
  leases_.adopt(id, std::move(lease));
}

void Job::grant_all(Instant now, Effects& effects) {
  if (!work_changed_ && (grant_due_ > now || grant_due_ == Instant())) {
    if (grant_due_ > now) effects.wake_by(grant_due_);
    return;
  }
  if (items_.rules().classes.empty()) return;
  work_changed_ = false;
  grant_due_ = {};
  draw_voters(now, effects);
  for (const std::string& name : idle_machines(now, effects)) {
    if (auto shard = next_shard(situation(), name, now, rng_)) {
      (void)grant(std::move(*shard), effects);
    } else {
      copy_oldest(now, name, effects);
    }
  }
}

// Something else may be found then.
void Job::look_again_at(Instant due, Effects& effects) {
  if (grant_due_ == Instant() || due < grant_due_) grant_due_ = due;
  effects.wake_by(due);
}

// In an order drawn anew each time: who votes with whom is not for the machines to know before.
std::vector<std::string> Job::idle_machines(Instant now, Effects& effects) {
  std::vector<std::string> idle;
  for (const auto& [name, machine] : machines_.lent()) {
    if (!machine.ready || !leases_.of(name).empty() || machines_.is_retiring(name)) continue;
    if (machine.not_before > now) {
      look_again_at(machine.not_before, effects);
    } else {
      idle.push_back(name);
    }
  }
  for (size_t i = 0; i + 1 < idle.size(); ++i) {
    std::swap(idle[i], idle[i + rng_.below(idle.size() - i)]);
  }
  return idle;
}

void Job::draw_voters(Instant now, Effects& effects) {
  for (uint32_t i : items_.by_lot()) {
    const Item& item = items_[i];
    const bool is_at_it = leases_.holders(i).contains(item.chosen);
    const bool can = is_at_it || may_be_drawn(situation(), item.chosen, item);
    if (now >= item.chosen_until || !can) {
      items_.choose(i, draw_voter(situation(), item, rng_), now + kChosenFor);
    }
    look_again_at(item.chosen_until, effects);
  }
}

// The machine has nothing to do: it takes what the oldest lease has not answered yet.
void Job::copy_oldest(Instant now, const std::string& name, Effects& effects) {
  const auto original = lease_to_copy(situation(), name);
  if (!original) return;
  auto copy = copy_of(situation(), *leases_.find(*original), name, now);
  if (!copy) return;
  MUSTER_PROBE("an idle machine copies a lease");
  leases_.note_copy(*original, grant(std::move(*copy), effects));
}

LeaseId Job::grant(Lease granted, Effects& effects) {
  const LeaseId id = leases_.add(std::move(granted));
  const Lease& lease = *leases_.find(id);
  effects.note("lease " + std::to_string(id.second) + " to " + short_id(lease.machine) + ": " +
               describe(lease.items) + (lease.is_copy ? ", a copy" : ""));
  const std::string& owner = *machines_.owner(lease.machine);
  effects.send.push_back({grant_of(key_, id, lease, owner, items_, keys_)});
  effects.wake_by(lease.deadline);
  return id;
}

void Job::on_progress(Instant now, const std::string& name, const pb::LeaseId& id) {
  const Lease* lease = leases_.find(to_lease_id(id));
  if (lease == nullptr) return;
  if (lease->machine != name) return refusals_.note(name, "progress of another's lease");
  leases_.renew(to_lease_id(id), now + Lease::kWithoutProgress);
}

void Job::expire_leases(Instant now, Effects& effects) {
  std::vector<LeaseId> expired;
  for (const auto& [id, lease] : leases_.all()) {
    // How long it should take may only be known since others were measured.
    leases_.end_by(id, machines_.latest_end(lease.granted, lease.machine, lease.bytes));
    if (lease.ends() <= now) expired.push_back(id);
    effects.wake_by(lease.ends());
  }
  for (const LeaseId& id : expired) {
    const Lease& lease = *leases_.find(id);
    const std::string name = lease.machine;
    const bool stood = lease.deadline <= now;
    effects.warn("lease " + std::to_string(id.second) + " of " + short_id(name) +
                 (stood ? " made no progress" : " takes too long") + "; it goes to others");
    report_.happened(
        now, name,
        "lost a lease of " + describe(lease.items) +
            (stood ? ": no progress for 10 s" : ": five times the time it should take"));
    withdraw(now, id, effects);
    machines_.ask_again(name);
    machines_.back_off(now, name);
    if (!stood) machines_.note_hopeless(name);
    came_to_nothing(now, name, effects);
  }
}

// A lease ends when all its answers have been read from storage, and in no other good way.
void Job::close_lease_if_answered(Instant now, const std::string& machine) {
  for (const LeaseId& id : std::set(leases_.of(machine))) {
    const Lease& lease = *leases_.find(id);
    const bool all_in = std::all_of(lease.items.begin(), lease.items.end(),
                                    [&](uint32_t i) { return items_[i].votes.has(machine); });
    if (all_in) close_lease(now, id, true);
  }
}

void Job::close_lease(Instant now, const LeaseId& id, bool measured) {
  const auto lease = leases_.end(id);
  if (!lease) return;
  work_changed_ = true;
  for (uint32_t i : lease->items) {
    if (items_[i].votes.disputed()) items_.leave_alone(i);
  }
  if (measured && lease->is_measured) {
    machines_.note_speed(lease->machine, lease->bytes, now - lease->granted);
  }
}

// An item is settled: whoever works on nothing else but settled items may stop.
void Job::stop_settled(Instant now, const Item& item, Effects& effects) {
  for (const std::string& name : std::set(leases_.holders(item.index()))) {
    for (const LeaseId& id : std::set(leases_.of(name))) {
      const Lease& lease = *leases_.find(id);
      const bool in_vain = std::all_of(lease.items.begin(), lease.items.end(), [&](uint32_t i) {
        return items_[i].is_settled() || items_[i].votes.has(name);
      });
      const bool all_in = std::all_of(lease.items.begin(), lease.items.end(),
                                      [&](uint32_t i) { return items_[i].votes.has(name); });
      if (in_vain && !all_in) withdraw(now, id, effects);
    }
  }
}

void Job::withdraw(Instant now, const LeaseId& id, Effects& effects) {
  say_withdraw(leases_.find(id)->machine, id, effects);
  close_lease(now, id, false);
}

void Job::say_withdraw(const std::string& name, const LeaseId& id, Effects& effects) const {
  pb::Envelope say = envelope_to(address(pb::ROLE_WORKER, name));
  *say.mutable_withdraw()->mutable_key() = key_;
  *say.mutable_withdraw()->mutable_lease() = to_message(id);
  effects.send.push_back({std::move(say)});
}

}  // namespace muster::roles::coordinator
