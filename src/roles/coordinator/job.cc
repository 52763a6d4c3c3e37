// A job's phases, from frozen requests to the result, and who works on what meanwhile.
#include "roles/coordinator/job.h"

#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/allocation.h"
#include "roles/coordinator/grant.h"
#include "roles/coordinator/job_result.h"
#include "roles/coordinator/voters.h"
#include "roles/coordinator/waiting.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/lease_id.h"
#include "wire/run_key.h"
#include "wire/short_id.h"

namespace muster::roles::coordinator {
namespace {

constexpr size_t kMostTallies = 4096;
constexpr size_t kMostWanted = 4096;  // Machines at once.

}  // namespace

Job::Job(pb::JobRow row, const Keys& keys, Rng rng, Instant now)
    : row_(std::move(row)),
      key_(key_of(row_)),
      rng_(rng),
      started_(now),
      items_(redundancy(),
             [this](const Item& item) { return votes_enough(situation(), item, redundancy()); }),
      journal_(key_, keys),
      grants_(keys),
      leases_(key_.epoch()),
      machines_(key_.epoch()),
      leasing_(key_, keys, items_, leases_, machines_, rng_),
      standings_(key_),
      settling_(key_, redundancy(), row_.request().adaptive(),
                {items_, leases_, machines_, owners_, standings_, journal_, leasing_}),
      classes_(key_) {
  items_.set_classes({row_.numeric_classes().begin(), row_.numeric_classes().end()});
  if (row_.epoch() > 1) machines_.expect_others(now + kServerGrace);
}

void Job::start(Effects& effects) {
  effects.run.push_back(FreezeRequests{run_key(row_), row_.request()});
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
                   std::to_string(items_.tasks().size()) + " tasks",
               {.job = key_.job()});
  phase_ = Phase::kCommitting;
  pb::Envelope commit = envelope_to_server();
  *commit.mutable_commit_frozen()->mutable_key() = key_;
  commit.mutable_commit_frozen()->set_digest(items_.digest());
  commit.mutable_commit_frozen()->set_items(static_cast<int64_t>(items_.size()));
  request_.say(std::move(commit));
}

void Job::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  if (envelope.from().role() == pb::ROLE_SERVER) {
    journal_.on_server_heard(now);
    // It knows; what it had said otherwise came late.
    const pb::Envelope* said = overtaken_.said();
    if (said != nullptr && said->overtaken().key().epoch() < key_.epoch()) overtaken_.on_answer();
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
      return on_finished();
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
  pb::Envelope say = envelope_to_server();
  *say.mutable_overtaken()->mutable_key() = assigned;
  say.mutable_overtaken()->set_epoch(epoch);
  overtaken_.say(std::move(say));
}

void Job::advance(Instant now, Effects& effects) {
  if (phase_ == Phase::kSealing) report(now, effects);
  if (phase_ == Phase::kReading || phase_ == Phase::kRunning) {
    journal_.ask_due(now, effects);
    report(now, effects);
  }
  const bool has_stores_to_watch = phase_ >= Phase::kSealing && phase_ <= Phase::kRunning;
  if (has_stores_to_watch && machines_.is_line_up()) journal_.name_silent(now, effects);
  overtaken_.send_due(now, effects);
  if (phase_ == Phase::kReading) begin_running(now, effects);
  if (phase_ == Phase::kRunning) run(now, effects);
  journal_.put_due(now, effects);
  refusals_.send_due(now, effects);
  const bool complete = items_.acknowledged() == items_.size() && !standings_.has_open_charges();
  if (phase_ == Phase::kRunning && complete) {
    finish(job_result(row_, items_, to_seconds(now - started_)), effects);
  }
  request_.send_due(now, effects);
}

void Job::check() const {
  items_.check();
  leases_.check();
  machines_.check();
  standings_.check();
}

void Job::run(Instant now, Effects& effects) {
  expire_leases(now, effects);
  settling_.watch_owners(now, effects);
  prepare_machines(now, effects);
  classes_.keep(now, situation(), leasing_.has_changed(), quorum_wait(), effects);
  leasing_.grant_all(now, situation(), effects);
  settling_.settle_provisional(now, effects);
  settle_what_waited(now, effects);
  fail_what_crashes_all(now, effects);
  standings_.send_due(now, effects);
}

// ---- The records of the run.

void Job::seal(Effects& effects) {
  request_.on_answer();
  phase_ = Phase::kSealing;
  journal_.seal(rng_.fork("seal").next());
  if (key_.epoch() > 1)
    effects.note("job " + short_id(key_.job()) + ": taking over", {.job = key_.job()});
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
  if (!refused.has_seal() || overtaken_.said() != nullptr) return;
  const auto epoch = journal_.sealed_over(refused.seal(), row_.assignments());
  if (epoch) on_overtaken(key_, *epoch);
}

void Job::on_feed(Instant now, const std::string& store, const pb::Feed& feed, Effects& effects) {
  if (!journal_.take_batch(now, store, feed)) return;
  for (const pb::SignedRecord& record : feed.records()) {
    const auto taken = journal_.take(now, store, record, row_.assignments(), grants_);
    if (!taken) continue;
    if (taken->record.record.has_answer()) on_answer(now, taken->record, taken->owner, effects);
    if (taken->record.record.has_settled()) settling_.take_settled(taken->record);
  }
}

void Job::on_answer(Instant now, const OpenedRecord& opened, const std::string& owner,
                    Effects& effects) {
  if (settling_.take_answer(now, opened, owner, effects)) return;
  report_.note_event(now, opened.machine,
                     "an answer to item " + std::to_string(opened.record.answer().item()) +
                         " does not fit its requests; it does not count");
}

// Once all that is stored has been read, what was settled before is adopted and work begins.
void Job::begin_running(Instant now, Effects& effects) {
  // Before the server has said whose votes count, and whether of distinct owners, nothing settles.
  if (!journal_.all_read() || !machines_.has_heard() || !classes_are_known(now, effects)) return;
  phase_ = Phase::kRunning;
  started_ = now;
  settling_.begin(now, effects);
}

// A row that was restored from an older copy may lack the class of what was settled since.
bool Job::classes_are_known(Instant now, Effects& effects) {
  const std::string* unknown = settling_.unknown_class();
  if (unknown == nullptr) return true;
  MUSTER_PROBE("what was settled is of a class that the row does not know");
  classes_.insist(now, *unknown, effects);
  return false;
}

void Job::on_class_committed(Instant now, const pb::ClassCommitted& committed, Effects& effects) {
  auto classes = classes_.on_committed(now, committed, items_.rules(), effects);
  if (!classes) return;
  items_.set_classes(std::move(*classes));
  settling_.recount_all(now, effects);
}

// ---- What the server is told.

void Job::finish(pb::JobResult result, Effects& effects) {
  effects.note(
      "job " + short_id(key_.job()) + ": all " + std::to_string(items_.size()) + " items settled",
      {.job = key_.job()});
  end();
  pb::Envelope finish = envelope_to_server();
  *finish.mutable_finish()->mutable_key() = key_;
  *finish.mutable_finish()->mutable_result() = std::move(result);
  for (pb::Tally& tally : standings_.tallies(kMostTallies)) {
    *finish.mutable_finish()->add_tallies() = std::move(tally);
  }
  request_.say(std::move(finish));
}

void Job::give_up(const Error& error, Effects& effects) {
  effects.warn("job " + short_id(key_.job()) + " failed: " + error.message, {.job = key_.job()});
  end();
  pb::Envelope finish = envelope_to_server();
  *finish.mutable_finish()->mutable_key() = key_;
  *finish.mutable_finish()->mutable_failure() = to_failure(error);
  request_.say(std::move(finish));
}

void Job::end() {
  phase_ = Phase::kFinishing;
  settling_.end();
}

void Job::on_finished() {
  if (phase_ != Phase::kFinishing) return;
  request_.on_answer();
  phase_ = Phase::kOver;
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
  report_.add_events(now, said);
  effects.send.push_back({std::move(progress)});
  ask_for_workers(now, effects);
}

void Job::ask_for_workers(Instant now, Effects& effects) const {
  pb::Envelope envelope = envelope_to_server();
  pb::WantWorkers& want = *envelope.mutable_want_workers();
  *want.mutable_key() = key_;
  std::vector<std::string> names = released(situation(), now);
  names.resize(std::min(names.size(), kMostWanted));
  want.mutable_released()->Add(names.begin(), names.end());
  const size_t wanted = machines_wanted(situation(), now);
  want.set_count(static_cast<uint32_t>(std::min(wanted, kMostWanted)));
  effects.send.push_back({std::move(envelope)});
}

std::string Job::waiting_reason() const {
  if (phase_ == Phase::kFreezing) return "building the requests";
  if (!journal_.has_stores()) return "no storage node is there to keep the answers";
  if (phase_ == Phase::kSealing) return "waiting for the storage nodes to seal the run";
  if (phase_ == Phase::kReading) return "reading what the storage nodes hold";
  return coordinator::waiting_reason(situation(), classes_.is_lost(), stuck_since_.has_value());
}

// ---- The machines.

void Job::on_lend(Instant now, const pb::Lend& lend, Effects& effects) {
  if (!machines_.hear(lend)) return;
  owners_.set_many(lend.many_owners());
  settling_.hear_standings(now, lend, effects);
  for (const std::string& name : machines_.arrive(now, lend, effects)) {
    effects.note("machine " + short_id(name) + " is lent to job " + short_id(key_.job()),
                 {.job = key_.job(), .machine = name});
    owners_.on_arrival(now, *machines_.owner(name));
  }
  on_machines_gone(now, machines_.leaving(lend), effects);
  settling_.look_again_at_disputes();
  owners_.set_others({lend.other_owners().begin(), lend.other_owners().end()});
  settling_.watch_owners(now, effects);
}

void Job::on_machines_gone(Instant now, const std::vector<std::string>& names, Effects& effects) {
  std::set<LeaseId> gone;
  for (const std::string& name : names) {
    gone.insert(leases_.of(name).begin(), leases_.of(name).end());
  }
  for (const LeaseId& id : gone) {
    const std::string& machine = leases_.find(id)->machine;
    effects.warn("machine " + short_id(machine) + " is gone; lease " + std::to_string(id.number) +
                     " goes to others",
                 {.job = key_.job(), .machine = machine, .lease = name_of(id)});
    effects.count(Count::What::kLeaseExpired, "machine_gone");
    came_to_nothing(now, machine, effects);
    leasing_.close(id);
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
  for (const auto& held : ready.leases()) adopt_lease(now, name, held, effects);
}

void Job::on_unable(Instant now, const std::string& name, const pb::Unable& unable,
                    Effects& effects) {
  const Machines::Lent* machine = machines_.find(name);
  if (machine == nullptr) return;
  Error error = to_error(unable.failure());
  if (error.message.empty()) error.message = "it does not say why";
  if (machine->unable.empty()) {
    effects.warn("machine " + short_id(name) + " cannot: " + error.message,
                 {.job = key_.job(), .machine = name});
    report_.note_event(now, name, "cannot have the model ready: " + error.message);
  }
  // What it says once more before it was asked again changes nothing.
  if (!machines_.backoffs().waits(now, name)) give_back(now, name, error, effects);
  if (is_users_fault(error.code)) object(name, Objections::kModel, error, effects);
}

// Who does not get ready is asked again later; what it has begun goes on.
void Job::prepare_machines(Instant now, Effects& effects) {
  for (const std::string& name : machines_.overdue(now)) {
    report_.note_event(now, name, "does not get the model ready");
    give_back(now, name, {Code::kFailed, "does not get the model ready"}, effects);
  }
  machines_.send_due(now, key_, effects);
}

void Job::give_back(Instant now, const std::string& name, const Error& why, Effects& effects) {
  machines_.give_back(now, name, why, effects);
  settling_.look_again_at_disputes();
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
  leasing_.adopt(now, id, terms, held, effects);
}

void Job::on_progress(Instant now, const std::string& name, const pb::LeaseId& id) {
  const Lease* lease = leases_.find(to_lease_id(id));
  if (lease == nullptr) return;
  if (lease->machine != name) return refusals_.note(name, "progress of another's lease");
  leases_.renew(to_lease_id(id), now + Lease::kWithoutProgress);
}

void Job::expire_leases(Instant now, Effects& effects) {
  for (const Leasing::Expired& expired : leasing_.expire(now, effects)) {
    const std::string& name = expired.lease.machine;
    report_.note_event(
        now, name,
        "lost a lease of " + describe(expired.lease.items) +
            (expired.stood ? ": no progress for 10 s" : ": five times the time it should take"));
    machines_.ask_again(name);
    machines_.back_off(now, name);
    if (!expired.stood) machines_.note_hopeless(name);
    came_to_nothing(now, name, effects);
  }
}

}  // namespace muster::roles::coordinator
