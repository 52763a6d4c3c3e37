// The server's nodes: joining, leaving, heartbeats, and what everyone is told.
#include "roles/server/server.h"

#include <algorithm>

#include "roles/message.h"
#include "roles/server/lending.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMostListed = 900u << 10;  // Bytes of a list: a message has a MiB.

}  // namespace

Server::Server(ServerOptions options, ServerState state, Instant started)
    : options_(std::move(options)),
      started_(started),
      grace_until_(state.view.number() == 0 ? started : started + kServerGrace),
      nodes_(state.pool_epoch),
      jobs_(options_.retain, write_ids_),
      coordinators_(started, options_.coordinators, std::move(state.pool), write_ids_),
      standings_(options_.quarantine_after, write_ids_),
      submissions_((state.pool_epoch << 32) + 1),
      view_(std::move(state.view), options_.storage_nodes, grace_until_,
            {nodes_, loans_, standings_}, write_ids_) {
  for (pb::MachineRow& row : state.machines) standings_.restore(std::move(row));
  for (pb::JobRow& row : state.jobs) jobs_.restore(std::move(row));
  for (pb::Reason& reason : state.reasons) {
    if (jobs_.find(reason.job()) != nullptr) reasons_.restore(std::move(reason));
  }
}

Effects Server::step(Instant now, const Event& event) {
  Effects effects;
  const bool was_in_grace = std::exchange(in_grace_, in_grace(now));
  if (was_in_grace != in_grace_ || may_change_lending(event)) loans_.note_change();
  if (const auto* received = std::get_if<Received>(&event)) {
    on_message(now, received->envelope, effects);
  } else if (const auto* said = std::get_if<Misspoken>(&event)) {
    on_misspoken(now, *said, effects);
  } else if (const auto* joined = std::get_if<NodeJoined>(&event)) {
    on_joined(now, *joined, effects);
  } else if (const auto* left = std::get_if<NodeLeft>(&event)) {
    on_left(now, left->machine, "its line closed", effects);
  } else if (const auto* stored = std::get_if<Stored>(&event)) {
    on_stored(now, *stored, effects);
  } else if (std::holds_alternative<Resumed>(event)) {
    on_resumed(now);
  }
  watch_nodes(now, effects);
  coordinators_.keep(now, effects);
  const std::string retiring = view_.keep(now, effects);
  if (const Job* job = jobs_.find(loans_.job_of(retiring))) send_lend(now, job->row, effects);
  jobs_.keep(now, effects);
  submissions_.expire(now, effects);
  if (jobs_.expire_kept(now, unix_ms(now), effects)) nodes_.mark_all_stale();
  assign_jobs(now, effects);
  lend_machines(now, effects);
  for (const std::string& machine : nodes_.take_stale()) {
    if (nodes_.contains(machine)) send_pool_state(now, machine, Nodes::Told::kNews, effects);
  }
  nodes_.wake(effects);
  return effects;
}

size_t Server::pending() const {
  return jobs_.writing() + submissions_.size() + view_.writing() + coordinators_.writing() +
         watchers_.size() + nodes_.unseen() + standings_.writing() + loans_.size();
}

bool Server::in_grace(Instant now) const { return now < grace_until_; }

Situation Server::situation() const { return {nodes_, loans_, standings_, view_, jobs_}; }

void Server::on_joined(Instant now, const NodeJoined& joined, Effects& effects) {
  const std::string& machine = joined.machine;
  const pb::RoleFlag flag = joined.hello.role_flag();
  const bool known_flag = flag > pb::ROLE_FLAG_UNSPECIFIED && flag <= pb::ROLE_FLAG_COORDINATOR;
  const std::string why =
      !known_flag ? "this server does not know what such a node is for; upgrade the server"
      : flag == pb::ROLE_FLAG_COORDINATOR ? coordinators_.refuse(machine, effects)
                                          : "";
  if (!why.empty()) {
    effects.warn("machine " + short_id(machine) + " is refused: " + why);
    pb::Envelope refusal = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
    refusal.mutable_refused()->set_reason(why);
    return effects.send.push_back({std::move(refusal)});
  }
  if (nodes_.contains(machine)) on_left(now, machine, "it connected again", effects);
  if (flag == pb::ROLE_FLAG_COORDINATOR) on_coordinator_back(joined, effects);
  nodes_.join(now, machine, joined.hello);
  view_.note_back(machine);
  loans_.join(machine, !may_compute(situation(), machine, *nodes_.find(machine)));
  effects.note((flag == pb::ROLE_FLAG_COORDINATOR ? "coordinator " : "worker ") +
               short_id(machine) + " joined");
}

// What was not heard while this process stood still was not silence.
void Server::on_resumed(Instant now) {
  nodes_.excuse(now);
  view_.excuse(now);
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
  if (job == nullptr || is_over(job->row.state()) || job->row.run() != holding.key().run()) return;
  const bool is_known = loans_.may_go_on(now, machine, id);
  const bool is_welcome =
      may_compute(situation(), machine, *nodes_.find(machine)) && !loans_.has_released(id, machine);
  if ((!is_known && !in_grace(now)) || !is_welcome) return;
  loans_.lend(machine, id);
  loans_.tell_soon(id);
  effects.note("machine " + short_id(machine) + " works for job " + short_id(id) + " already");
}

void Server::on_left(Instant now, const std::string& machine, const std::string& why,
                     Effects& effects) {
  const auto node = nodes_.leave(machine);
  if (!node) return;
  effects.warn((view_.contains(machine) ? "storage node " : "machine ") + short_id(machine) +
               " is gone: " + why);
  view_.note_gone(machine, node->heard);
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
    pb::Envelope refusal = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
    refusal.mutable_refused()->set_reason("nothing was heard for 8 s; connect again");
    effects.send.push_back({std::move(refusal)});
    on_left(now, machine, "nothing was heard for 8 s", effects);
  }
}

int64_t Server::unix_ms(Instant now) const {
  return options_.started_at_ms + (now - started_).count() / 1000;
}

namespace {

void list_run(const pb::JobRow& row, pb::LiveJob& run) {
  run.set_job(row.job());
  run.set_run(row.run());
  run.set_epoch(row.epoch());
  *run.mutable_assignments() = row.assignments();
}

}  // namespace

// The latest, as far as a message has room: what is not told is not kept.
void Server::list_kept(Instant now, pb::PoolState& state) const {
  size_t bytes = state.ByteSizeLong();
  for (const pb::JobRow* row : jobs_.kept(unix_ms(now))) {
    pb::LiveJob run;
    list_run(*row, run);
    bytes += run.ByteSizeLong() + 4;
    if (bytes > kMostListed) return;
    *state.add_kept() = std::move(run);
  }
}

void Server::send_pool_state(Instant now, const std::string& machine, Nodes::Told told,
                             Effects& effects) {
  pb::PoolState state;
  *state.mutable_view() = view_.view();
  state.set_pool(coordinators_.row().pool());
  for (const std::string& id : jobs_.live()) list_run(jobs_.at(id).row, *state.add_live());
  if (view_.contains(machine)) list_kept(now, state);
  if (nodes_.coordinators().contains(machine)) {
    *state.mutable_coordinators() = coordinators_.row().coordinators();
  }
  state.set_lent_known(loans_.is_known(machine));
  state.set_barred(!nodes_.find(machine)->store_problem.empty());
  if (const Job* job = jobs_.find(loans_.job_of(machine))) {
    *state.mutable_lent() = key_of(job->row);
    *state.mutable_model() = job->row.model();
    state.set_coordinator(job->row.coordinator());
  }
  nodes_.send_state(now, machine, std::move(state), told, effects);
}

void Server::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  const bool is_client = envelope.from().role() == pb::ROLE_CLIENT;
  if (!nodes_.hear(now, from) && !is_client) return;  // Not admitted, or gone.
  if (is_client) return on_client(now, from, envelope, effects);
  switch (envelope.body_case()) {
    case pb::Envelope::kPoolStateSeen:
      return nodes_.see(from, envelope.pool_state_seen().revision());
    case pb::Envelope::kHolding:
      return on_holding(now, from, envelope.holding(), effects);
    case pb::Envelope::kCopied:
      return view_.on_copied(now, from, envelope.copied(), effects);
    case pb::Envelope::kStoreState:
      return on_store_state(now, from, envelope.store_state(), effects);
    case pb::Envelope::kPinned:
      return on_pinned(from, envelope.pinned(), effects);
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
      return on_commit_frozen(from, envelope.commit_frozen(), effects);
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
void Server::on_client(Instant now, const std::string& client, const pb::Envelope& envelope,
                       Effects& effects) {
  pb::Envelope answer = envelope_to(envelope.from());
  switch (envelope.body_case()) {
    case pb::Envelope::kSubmit:
      return on_submit(now, client, envelope.submit(), effects);
    case pb::Envelope::kWatch:
      return on_watch(client, envelope.watch(), effects);
    case pb::Envelope::kCancelJob:
      return on_cancel(now, client, envelope.cancel_job(), effects);
    case pb::Envelope::kWhy:
      return on_why(client, envelope.why(), effects);
    case pb::Envelope::kPardon:
      return standings_.pardon(client, envelope.pardon(), effects);
    case pb::Envelope::kHangUp:
      watchers_.hang_up(client, jobs_.live());
      return submissions_.hang_up(client);
    case pb::Envelope::kGetStatus:
      *answer.mutable_pool_status() = status();
      return effects.send.push_back({std::move(answer)});
    case pb::Envelope::kListJobs:
      *answer.mutable_job_list() = job_list();
      return effects.send.push_back({std::move(answer)});
    default:
      return;
  }
}

void Server::on_stored(Instant now, const Stored& stored, Effects& effects) {
  const auto written = view_.settle(now, stored, effects);
  if (written == StorageView::Written::kNewView) nodes_.mark_all_stale();
  if (written != StorageView::Written::kNotAView) return;
  if (coordinators_.settle(now, stored) || on_machine_stored(now, stored, effects)) return;
  on_row_stored(now, stored, effects);
}

std::string Server::state_of(const std::string& machine, const Node& node) const {
  if (node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return "coordinator";
  const std::string state = view_.describe(machine);
  if (standings_.is_quarantined(machine))
    return (state.empty() ? "" : state + ", ") + "quarantined";
  const std::string& job = loans_.job_of(machine);
  if (job.empty()) return state.empty() ? "idle" : state;
  return (state.empty() ? "" : state + ", ") + "lent to " + short_id(job);
}

// The latest jobs first, as far as a message has room.
pb::JobList Server::job_list() const {
  std::vector<const pb::JobRow*> rows;
  for (const auto& [id, job] : jobs_.all()) rows.push_back(&job.row);
  std::stable_sort(rows.begin(), rows.end(), [](const pb::JobRow* a, const pb::JobRow* b) {
    return a->accepted_at_ms() > b->accepted_at_ms();
  });
  pb::JobList list;
  size_t bytes = 0;
  for (const pb::JobRow* row : rows) {
    bytes += row->ByteSizeLong() + 4;
    if (bytes > kMostListed) break;
    *list.add_rows() = *row;
  }
  list.set_left_out(static_cast<uint32_t>(rows.size()) - static_cast<uint32_t>(list.rows_size()));
  return list;
}

pb::Machine Server::describe_machine(const std::string& machine, const Node& node) const {
  pb::Machine out;
  out.set_machine(machine);
  out.set_role_flag(node.hello.role_flag());
  out.set_state(state_of(machine, node));
  out.set_owner(node.hello.owner());
  out.set_version(node.hello.version());
  out.set_storage_address(node.hello.storage_address());
  if (!node.store_problem.empty()) out.set_reason("cannot store: " + node.store_problem);
  standings_.describe(out);
  return out;
}

pb::PoolStatus Server::status() const {
  pb::PoolStatus out;
  out.set_version(options_.version);
  *out.mutable_view() = view_.view();
  out.set_copies_wanted(options_.storage_nodes);
  size_t bytes = 0;
  const auto has_room = [&](const google::protobuf::MessageLite& message) {
    bytes += message.ByteSizeLong() + 4;
    const bool room = bytes <= kMostListed;
    if (!room) out.set_left_out(out.left_out() + 1);
    return room;
  };
  for (const std::string& id : jobs_.live()) {
    if (has_room(jobs_.at(id).row)) *out.add_jobs() = jobs_.at(id).row;
  }
  for (const auto& [machine, node] : nodes_.all()) {
    pb::Machine described = describe_machine(machine, node);
    if (has_room(described)) *out.add_machines() = std::move(described);
  }
  return out;
}

}  // namespace muster::roles::server
