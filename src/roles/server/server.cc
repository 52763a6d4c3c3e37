// Who is there and how they behave, and who hears what.
#include "roles/server/server.h"

#include "base/hex.h"
#include "base/overloaded.h"
#include "roles/server/client_replies.h"
#include "roles/server/explain.h"
#include "roles/server/lending.h"
#include "roles/server/listings.h"
#include "roles/server/permissions.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/job_state.h"
#include "wire/short_id.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMachineDigits = 16;

const char* word_for(Outcome outcome) {
  return outcome == Outcome::kDone ? "done" : outcome == Outcome::kFailed ? "failed" : "unknown";
}

// Ends a node's line. `for_good`: trying again is of no use to it.
pb::Envelope dismissal(const std::string& machine, const std::string& why, bool for_good = false) {
  pb::Envelope refusal = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
  refusal.mutable_refused()->set_reason(why);
  refusal.mutable_refused()->set_final(for_good);
  return refusal;
}

}  // namespace

Server::Server(ServerOptions options, ServerState state, Instant started)
    : options_(std::move(options)),
      started_(started),
      grace_until_(state.view.number() == 0 ? started : started + kServerGrace),
      tokens_(options_.local_tokens, write_ids_),
      limits_(options_.limits),
      nodes_(state.pool_epoch),
      standings_(options_.quarantine_after, write_ids_),
      coordinators_(started, options_.coordinators, std::move(state.pool), write_ids_),
      view_(std::move(state.view), options_.storage_nodes, grace_until_,
            {nodes_, loans_, standings_}, write_ids_),
      jobs_(write_ids_),
      kept_(options_.retain),
      submissions_((state.pool_epoch << 32) + 1) {
  for (pb::MachineRow& row : state.machines) standings_.restore(std::move(row));
  for (CountedRun& run : state.counted) limits_.restore(std::move(run));
  for (pb::TokenRow& row : state.tokens) tokens_.restore(std::move(row));
  for (pb::JobRow& row : state.live) jobs_.restore(std::move(row));
  for (const KeptRun& run : state.kept) kept_.add(run);
  for (pb::Reason& reason : state.reasons) {
    if (jobs_.find(reason.job()) != nullptr) reasons_.restore(std::move(reason));
  }
}

Effects Server::step(Instant now, const Event& event) {
  Effects effects;
  const bool was_in_grace = std::exchange(in_grace_, in_grace(now));
  if (was_in_grace != in_grace_ || may_change_lending(event)) loans_.note_change();
  std::visit(
      overloaded{
          [&](const Received& received) { on_message(now, received.envelope, effects); },
          [&](const Misspoken& said) { on_misspoken(now, said, effects); },
          [&](const NodeJoined& joined) { on_joined(now, joined, effects); },
          [&](const NodeLeft& left) { on_left(now, left.machine, "its line closed", effects); },
          [&](const Stored& stored) { on_stored(now, stored, effects); },
          [&](const JobsFound& found) {
            const auto call = searches_.take(found.call);
            if (call) answer(now, *call, found.found, effects);
          },
          [&](const Resumed&) {
            nodes_.excuse(now);
            view_.excuse(now);
            searches_.excuse(now);
          },
          Ignores<Tick, LineUp, LineDown, ModelPinned, RequestsFrozen, ModelLoading, ModelLoaded,
                  Scoring, ItemScored, RecordsRead, DigestsRead>{}},
      event);
  watch_nodes(now, effects);
  coordinators_.keep(now, effects);
  if (loans_.has_changed()) view_.note_change();
  const std::string retiring = view_.keep(now, effects);
  if (const Job* job = jobs_.find(loans_.job_of(retiring))) send_lend(now, job->row, effects);
  jobs_.keep(now, effects);
  standings_.keep(now, effects);
  submissions_.expire(now, effects);
  for (const pb::Envelope& call : searches_.expire(now, effects)) {
    answer(now, call, fail(Code::kTryLater, "it has not answered in 6 s; try again"), effects);
  }
  if (kept_.expire(now, unix_ms(now), effects)) {
    for (const std::string& machine : view_.machines()) nodes_.mark_stale(machine);
  }
  assign_jobs(now, effects);
  lend_machines(now, effects);
  end_drains(now, effects);
  for (const std::string& machine : nodes_.take_stale()) {
    if (nodes_.contains(machine)) send_pool_state(now, machine, Nodes::Told::kNews, effects);
  }
  nodes_.wake(effects);
  return effects;
}

size_t Server::pending() const {
  return jobs_.writing() + submissions_.size() + searches_.size() + view_.writing() +
         coordinators_.writing() + watchers_.size() + nodes_.unseen() + standings_.writing() +
         tokens_.writing() + loans_.size();
}

void Server::measure(Gauges& gauges) const { count_all(situation(), gauges); }

void Server::check() const {
  nodes_.check();
  loans_.check();
  standings_.check();
  tokens_.check();
  view_.check();
  jobs_.check();
  kept_.check();
  submissions_.check();
  reasons_.check();
}

bool Server::in_grace(Instant now) const { return now < grace_until_; }

Situation Server::situation() const { return {nodes_, loans_, standings_, view_, jobs_, kept_}; }

void Server::on_joined(Instant now, const NodeJoined& joined, Effects& effects) {
  const std::string& machine = joined.machine;
  const pb::RoleFlag flag = joined.hello.role_flag();
  Status may = tokens_.may_be_here(joined.holder);
  if (may) may = standings_.may_be_here(machine);
  if (!may) {
    effects.warn("machine " + short_id(machine) + " is refused: " + may.error().message,
                 {.machine = machine});
    return send_away(now, machine, may.error().message, effects);
  }
  const Status fits = may_work_together(joined.hello, options_.release);
  const bool known_flag = flag > pb::ROLE_FLAG_UNSPECIFIED && flag <= pb::ROLE_FLAG_COORDINATOR;
  const bool coordinates = flag == pb::ROLE_FLAG_COORDINATOR;
  const bool is_certified = joined.holder.role() == pb::POOL_ROLE_COORDINATOR;
  const std::string why =
      !fits          ? fits.error().message
      : !known_flag  ? "this server does not know what such a node is for; upgrade the server"
      : !coordinates ? ""
      : is_certified ? coordinators_.admit(machine, nodes_.coordinators(), effects)
                     : coordinators_.refuse(machine, effects);
  if (!why.empty()) {
    effects.warn("machine " + short_id(machine) + " is refused: " + why, {.machine = machine});
    return effects.send.push_back({dismissal(machine, why)});
  }
  if (nodes_.contains(machine)) on_left(now, machine, "it connected again", effects);
  if (coordinates) on_coordinator_back(joined, effects);
  nodes_.join(now, machine, joined.hello, joined.holder);
  if (coordinates && is_certified) tell_coordinators();
  view_.note_back(machine);
  loans_.join(machine, !may_compute(situation(), machine, *nodes_.find(machine)));
  effects.note((coordinates ? "coordinator " : "worker ") + short_id(machine) + " joined",
               {.machine = machine});
}

// A worker says what it works for: if that is still going on, and this server lent it or has just
// started and cannot know, it stays lent to it. Nobody lends himself.
void Server::on_holding(Instant now, const std::string& machine, const pb::Holding& holding,
                        Effects& effects) {
  if (loans_.is_known(machine)) return;
  loans_.set_known(machine);
  nodes_.mark_stale(machine);
  const std::string& id = holding.key().job();
  const Job* job = jobs_.find(id);
  if (job == nullptr || job->row.run() == 0 || job->row.run() != holding.key().run()) return;
  const bool is_known = loans_.may_go_on(now, machine, id);
  const bool is_welcome =
      may_compute(situation(), machine, *nodes_.find(machine)) && !loans_.has_released(id, machine);
  if ((!is_known && !in_grace(now)) || !is_welcome) return;
  loans_.lend(machine, id);
  loans_.tell_soon(id);
  effects.note("machine " + short_id(machine) + " works for job " + short_id(id) + " already",
               {.job = id, .machine = machine});
}

void Server::on_left(Instant now, const std::string& machine, const std::string& why,
                     Effects& effects) {
  const bool was_leaving = nodes_.leaving().contains(machine);
  const auto node = nodes_.leave(machine);
  if (!node) return;
  if (was_leaving) {
    effects.note("machine " + short_id(machine) + " has left", {.machine = machine});
  } else {
    effects.warn((view_.contains(machine) ? "storage node " : "machine ") + short_id(machine) +
                     " is gone: " + why,
                 {.machine = machine});
    view_.note_gone(machine, node->heard);
  }
  if (const std::string id = loans_.leave(now, machine); !id.empty()) {
    const pb::JobRow& row = jobs_.at(id).row;
    note_event(now, row, machine, "lost while it worked: " + why, effects);
    send_lend(now, row, effects);
  }
  for (const std::string& id : jobs_.live()) {
    if (jobs_.at(id).row.coordinator() != machine) continue;
    on_coordinator_lost(now, id, node->hello.instance(), why, effects);
  }
}

// A node's time has come: it has been silent, is due a heartbeat, or has not seen its PoolState.
void Server::watch_nodes(Instant now, Effects& effects) {
  while (const auto due = nodes_.watch(now, effects)) {
    const std::string& machine = due->first;
    if (due->second == Nodes::Due::kHasNotSeen) {
      send_pool_state(now, machine, Nodes::Told::kAgain, effects);
      continue;
    }
    effects.send.push_back({dismissal(machine, "nothing was heard for 8 s; connect again")});
    on_left(now, machine, "nothing was heard for 8 s", effects);
  }
}

int64_t Server::unix_ms(Instant now) const {
  return options_.started_at_ms + (now - started_).count() / 1000;
}

void Server::send_pool_state(Instant now, const std::string& machine, Nodes::Told told,
                             Effects& effects) {
  pb::PoolState state = pool_state(situation(), coordinators_.row(), machine, unix_ms(now));
  nodes_.send_state(now, machine, std::move(state), told, effects);
}

void Server::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  const bool is_client = envelope.from().role() == pb::ROLE_CLIENT;
  if (!nodes_.hear(now, from) && !is_client) return;  // Not admitted, or gone.
  if (is_client) return on_client(now, envelope, effects);
  switch (envelope.body_case()) {
    case pb::Envelope::kHeartbeat:
      if (envelope.heartbeat().leaving()) on_leaving(now, from, effects);
      return;
    case pb::Envelope::kPoolStateSeen:
      return nodes_.see(from, envelope.pool_state_seen().revision());
    case pb::Envelope::kHolding:
      return on_holding(now, from, envelope.holding(), effects);
    case pb::Envelope::kCaughtUp:
      return view_.on_caught_up(now, from, envelope.caught_up(), effects);
    case pb::Envelope::kStoreState:
      return on_store_state(now, from, envelope.store_state(), effects);
    case pb::Envelope::kPinned:
      return on_pinned(now, from, envelope.pinned(), effects);
    case pb::Envelope::kRefusals:
      return on_refusals(now, from, envelope.refusals(), effects);
    case pb::Envelope::kSilentStore:
      if (envelope.from().role() == pb::ROLE_STORAGE) {
        return view_.on_silent_source(now, from, envelope.silent_store().machine(), effects);
      }
      return on_silent_store(now, from, envelope.silent_store(), effects);
    case pb::Envelope::kOvertaken:
      return on_overtaken(now, from, envelope.overtaken(), effects);
    case pb::Envelope::kCommitFrozen:
      return on_commit_frozen(now, from, envelope.commit_frozen(), effects);
    case pb::Envelope::kCommitClass:
      return on_commit_class(from, envelope.commit_class(), effects);
    case pb::Envelope::kReportCharge:
      return on_report_charge(now, from, envelope.report_charge(), effects);
    case pb::Envelope::kWantWorkers:
      return on_want(now, from, envelope.want_workers(), effects);
    case pb::Envelope::kJobProgress:
      return on_progress(now, from, envelope.job_progress(), effects);
    case pb::Envelope::kFinish:
      return on_finish(now, from, envelope.finish(), effects);
    default:
      return;
  }
}

// A researcher's call.
void Server::on_client(Instant now, const pb::Envelope& call, Effects& effects) {
  const std::string& client = call.from().machine();
  if (call.has_join()) return on_join(now, call, effects);
  if (call.has_hang_up()) return on_hang_up(client);
  Status may = may_ask(call);
  if (may) may = tokens_.may_be_here(call.holder());
  if (!may) return effects.send.push_back({refusal(client, may.error().message)});
  switch (call.body_case()) {
    case pb::Envelope::kSubmit:
      return on_submit(now, call, effects);
    case pb::Envelope::kWatch:
      return on_watch(now, call, nullptr, effects);
    case pb::Envelope::kCancelJob:
      return on_cancel(now, call, nullptr, effects);
    case pb::Envelope::kListJobs:
      return search(now, call, {}, effects);
    case pb::Envelope::kWhy: {
      auto what = search_for(situation(), call.why().what());
      if (!what) return answer(now, call, FoundJobs(), effects);
      return search(now, call, std::move(*what), effects);
    }
    case pb::Envelope::kCreateToken:
      return tokens_.create(unix_ms(now), call, effects);
    case pb::Envelope::kListTokens: {
      pb::Envelope reply = to_client(client);
      *reply.mutable_token_list() = tokens_.list(unix_ms(now), call.list_tokens());
      return effects.send.push_back({std::move(reply)});
    }
    case pb::Envelope::kRemoveMachine:
      return on_remove(now, call, effects);
    case pb::Envelope::kRevokeToken:
      return tokens_.revoke(unix_ms(now), call, effects);
    case pb::Envelope::kPardon:
      return standings_.pardon(client, call.pardon(), effects);
    case pb::Envelope::kGetStatus: {
      pb::Envelope reply = to_client(client);
      *reply.mutable_pool_status() = pool_status(situation(), call.get_status().all());
      reply.mutable_pool_status()->set_version(options_.release.version);
      reply.mutable_pool_status()->set_pool(coordinators_.row().pool());
      reply.mutable_pool_status()->set_copies_wanted(options_.storage_nodes);
      return effects.send.push_back({std::move(reply)});
    }
    default:
      return;
  }
}

void Server::on_join(Instant now, const pb::Envelope& call, Effects& effects) {
  const Status may = standings_.may_be_here(call.join().machine());
  if (may) return tokens_.admit(unix_ms(now), call, effects);
  effects.send.push_back({failed(call, may.error())});
}

// One that was never heard of can be named by its whole id.
void Server::on_remove(Instant now, const pb::Envelope& call, Effects& effects) {
  const std::string& named = call.remove_machine().machine();
  auto machines = machines_named(situation(), named);
  if (machines.empty() && is_hex(named, kMachineDigits)) machines.insert(named);
  const std::string& client = call.from().machine();
  if (machines.size() == 1 && call.remove_machine().drain()) {
    return standings_.drain(client, *machines.begin(), unix_ms(now), effects);
  }
  if (machines.size() == 1) {
    return standings_.remove(client, *machines.begin(), unix_ms(now), effects);
  }
  const Error error = machines.empty()
                          ? Error{Code::kNotFound, "no machine is called '" + named + "'"}
                          : Error{Code::kInvalidArgument, "several machines begin so; say more"};
  effects.send.push_back({failed(call, error)});
}

// It says so with each heartbeat, and hears each time whether it may: what it hears can be lost.
void Server::on_leaving(Instant now, const std::string& machine, Effects& effects) {
  if (nodes_.note_leaving(machine)) begin_leaving(now, machine, effects);
  if (!holds_nothing(now, machine)) return;
  pb::Envelope beat = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
  beat.mutable_heartbeat()->set_may_leave(true);
  effects.send.push_back({std::move(beat)});
}

// It is given nothing new. Whoever it works for is told.
void Server::begin_leaving(Instant now, const std::string& machine, Effects& effects) {
  effects.note("machine " + short_id(machine) + " is leaving", {.machine = machine});
  loans_.note_change();
  if (const Job* job = jobs_.find(loans_.job_of(machine))) send_lend(now, job->row, effects);
}

bool Server::holds_nothing(Instant now, const std::string& machine) const {
  return !nodes_.contains(machine) || (loans_.is_known(machine) && loans_.job_of(machine).empty() &&
                                       view_.may_leave(now, machine));
}

void Server::end_drains(Instant now, Effects& effects) {
  for (const std::string& machine : standings_.draining()) {
    if (holds_nothing(now, machine)) standings_.end_drain(now, machine, unix_ms(now), effects);
  }
}

// Nobody waits for the answer to this call any more.
void Server::on_hang_up(const std::string& client) {
  watchers_.hang_up(client);
  searches_.hang_up(client);
  submissions_.hang_up(client);
}

// Whose seals count.
void Server::tell_coordinators() {
  for (const std::string& machine : nodes_.coordinators()) nodes_.mark_stale(machine);
}

// Whom it let in is in no more.
void Server::on_revoked(Instant now, const std::string& token, Effects& effects) {
  const std::string why = "the token that let it in was revoked";
  watchers_.refuse(token, why, effects);
  submissions_.refuse(token, why, effects);
  std::vector<std::string> machines;
  for (const auto& [machine, node] : nodes_.all()) {
    if (node.holder.token() == token) machines.push_back(machine);
  }
  for (const std::string& machine : machines) let_go(now, machine, why, effects);
  tell_coordinators();
}

// The call goes on with answer().
void Server::search(Instant now, const pb::Envelope& call, FindJobs what, Effects& effects) {
  if (searches_.ask(now, call, std::move(what), effects)) return;
  effects.send.push_back({failed(
      call, {Code::kTryLater, "a thousand calls wait for the database already; try again later"})});
}

void Server::answer(Instant now, const pb::Envelope& call, const Result<FoundJobs>& found,
                    Effects& effects) {
  const Status may = tokens_.may_be_here(call.holder());  // It may have been revoked meanwhile.
  if (!may) return effects.send.push_back({refusal(call.from().machine(), may.error().message)});
  pb::Envelope reply = to_client(call.from().machine());
  if (call.has_why()) {
    *reply.mutable_why_reply() = explain(situation(), reasons_, call.why().what(), found);
    return effects.send.push_back({std::move(reply)});
  }
  if (!found) {
    const Error error{found.error().code, "the database cannot be read: " + found.error().message};
    return effects.send.push_back({failed(call, error)});
  }
  if (call.has_submit()) return accept(now, call, &*found, effects);
  if (call.has_watch()) return on_watch(now, call, &*found, effects);
  if (call.has_cancel_job()) return on_cancel(now, call, &*found, effects);
  *reply.mutable_job_list() = job_list(jobs_, *found);
  effects.send.push_back({std::move(reply)});
}

void Server::on_stored(Instant now, const Stored& stored, Effects& effects) {
  effects.count(Count::What::kCommitOutcome, word_for(stored.outcome));
  const auto written = view_.settle(now, stored, effects);
  if (written == StorageView::Written::kNewView) nodes_.mark_all_stale();
  if (written != StorageView::Written::kNotAView) return;
  if (coordinators_.settle(now, stored)) return;
  if (const auto settled = standings_.settle(now, stored, effects)) {
    return on_machine_stored(now, *settled, effects);
  }
  if (const auto settled = tokens_.settle(stored, effects)) {
    if (!settled->revoked.empty()) on_revoked(now, settled->revoked, effects);
    return;
  }
  on_row_stored(now, stored, effects);
}

void Server::note_event(Instant now, const pb::JobRow& run, const std::string& machine,
                        const std::string& text, Effects& effects) {
  reasons_.note_event(run, machine, text, unix_ms(now), effects);
}

// One that can be written again is taken again; if it cannot once more, after a while, and longer
// each time: every change of the view costs everybody something.
void Server::on_store_state(Instant now, const std::string& machine, const pb::StoreState& state,
                            Effects& effects) {
  if (!nodes_.note_store(machine, state)) return;
  nodes_.mark_stale(machine);
  if (!state.problem().empty()) {
    effects.warn("machine " + short_id(machine) + " cannot store: " + state.problem(),
                 {.machine = machine});
    standings_.note_store_problem(now, machine, state.problem());
  }
}

// Seen by this server itself, on the node's own line.
void Server::on_misspoken(Instant now, const Misspoken& said, Effects& effects) {
  if (!nodes_.contains(said.machine)) return;
  standings_.note_refusal(now, said.machine, said.what, said.times, effects);
  if (nodes_.coordinators().contains(said.machine)) return;
  if (standings_.is_too_much(now, said.machine, said.times)) {
    banish(now, said.machine, said.what, effects);
  }
}

void Server::let_go(Instant now, const std::string& machine, const std::string& why,
                    Effects& effects) {
  coordinators_.forget(machine, effects);
  send_away(now, machine, why, effects);
}

// For good.
void Server::send_away(Instant now, const std::string& machine, const std::string& why,
                       Effects& effects) {
  effects.send.push_back({dismissal(machine, why, true)});
  on_left(now, machine, why, effects);
}

// Its line is cut, and it is lent no more, nor does it store, until it is pardoned.
void Server::banish(Instant now, const std::string& machine, const std::string& what,
                    Effects& effects) {
  standings_.banish(machine, what, effects);
  effects.send.push_back(
      {dismissal(machine, "ten messages in a minute that had to be refused, the last: " + what)});
  on_left(now, machine, "it said what it may not: " + what, effects);
}

// What others say they had to refuse is told to whoever asks, and held against nobody.
void Server::on_refusals(Instant now, const std::string& from, const pb::Refusals& refusals,
                         Effects& effects) {
  for (const pb::Refusal& refusal : refusals.refusals()) {
    if (!nodes_.contains(refusal.machine())) continue;
    standings_.note_refusal(now, refusal.machine(), refusal.what() + ", says " + short_id(from),
                            refusal.times(), effects);
  }
}

void Server::on_machine_stored(Instant now, const Standings::Settled& settled, Effects& effects) {
  if (settled.is_quarantined) on_quarantine(now, settled.machine, effects);
  if (settled.is_drained) begin_leaving(now, settled.machine, effects);
  if (settled.is_removed) {
    let_go(now, settled.machine, standings_.may_be_here(settled.machine).error().message, effects);
    tell_coordinators();
  }
  if (settled.is_pardoned) {
    for (const std::string& id : jobs_.live()) loans_.tell_soon(id);
  }
  for (const auto& [from, report] : settled.waited) on_report_charge(now, from, report, effects);
}

// Whoever it is lent to loses it, and no vote of it counts on what is open.
void Server::on_quarantine(Instant now, const std::string& machine, Effects& effects) {
  const std::string holder = loans_.take_back(machine);
  for (const std::string& id : jobs_.live()) {
    const pb::JobRow& row = jobs_.at(id).row;
    if (id == holder) note_event(now, row, machine, "quarantined", effects);
    send_lend(now, row, effects);
  }
  if (nodes_.contains(machine)) nodes_.mark_stale(machine);
}

}  // namespace muster::roles::server
