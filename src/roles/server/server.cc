// The server's nodes: joining, leaving, heartbeats, and what everyone is told.
#include "roles/server/server.h"

#include <algorithm>

#include "roles/message.h"

namespace muster::roles::server {
Server::Server(ServerOptions options, ServerState state, Instant started)
    : options_(std::move(options)), started_(started), view_(std::move(state.view)) {
  fresh_ = view_.number() == 0;
  for (pb::JobRow& row : state.jobs) {
    Job& job = jobs_[row.job()];
    job.before = row.coordinator();
    row.clear_coordinator();  // Whoever had it starts again under a new epoch.
    job.row = std::move(row);
  }
}

Effects Server::step(Instant now, const Event& event) {
  Effects effects;
  if (const auto* received = std::get_if<Received>(&event)) {
    on_message(now, received->envelope, effects);
  } else if (const auto* joined = std::get_if<NodeJoined>(&event)) {
    on_joined(now, *joined, effects);
  } else if (const auto* left = std::get_if<NodeLeft>(&event)) {
    on_left(now, left->machine, "its line closed", effects);
  } else if (const auto* stored = std::get_if<Stored>(&event)) {
    on_stored(now, *stored, effects);
  }
  heartbeat(now, effects);
  keep_view(now, effects);
  expire_pins(now, effects);
  assign_jobs(now, effects);
  lend_machines(now, effects);
  return effects;
}

bool Server::in_grace(Instant now) const { return !fresh_ && now < started_ + kServerGrace; }

void Server::on_joined(Instant now, const NodeJoined& joined, Effects& effects) {
  const std::string& machine = joined.machine;
  if (nodes_.contains(machine)) on_left(now, machine, "it connected again", effects);
  Node& node = nodes_[machine];
  node.hello = joined.hello;
  node.heard = now;
  node.beat_due = now + kHeartbeatEvery;
  node.order = next_order_++;
  gone_since_.erase(machine);
  const bool coordinator = node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR;
  effects.note((coordinator ? "coordinator " : "worker ") + short_id(machine) + " joined");
  send_pool_state(machine, effects);
}

void Server::on_left(Instant now, const std::string& machine, const std::string& why,
                     Effects& effects) {
  auto found = nodes_.find(machine);
  if (found == nodes_.end()) return;
  const Node node = std::move(found->second);
  nodes_.erase(found);
  effects.warn((in_view(machine) ? "storage node " : "machine ") + short_id(machine) +
               " is gone: " + why);
  if (in_view(machine)) gone_since_[machine] = node.heard;
  if (auto job = jobs_.find(node.lent_to); job != jobs_.end()) {
    job->second.lent.erase(machine);
    send_lend(now, job->second, effects);
  }
  for (auto& [id, job] : jobs_) {
    if (job.row.coordinator() != machine) continue;
    job.row.clear_coordinator();
    job.wants = 0;
    notify(job, "coordinator lost, waiting", effects);
  }
}

void Server::heartbeat(Instant now, Effects& effects) {
  std::vector<std::string> silent;
  for (auto& [machine, node] : nodes_) {
    if (now - node.heard > kSilence) silent.push_back(machine);
    if (node.beat_due <= now) {
      pb::Envelope beat = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
      beat.mutable_heartbeat();
      effects.send.push_back({std::move(beat)});
      node.beat_due = now + kHeartbeatEvery;
    }
    effects.wake_by(node.beat_due);
  }
  for (const std::string& machine : silent) {
    pb::Envelope refusal = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
    refusal.mutable_refused()->set_reason("nothing was heard for 8 s; connect again");
    effects.send.push_back({std::move(refusal)});
    on_left(now, machine, "nothing was heard for 8 s", effects);
  }
}

void Server::send_pool_state(const std::string& machine, Effects& effects) const {
  pb::Envelope envelope = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
  *envelope.mutable_pool_state()->mutable_view() = view_;
  for (const auto& [id, job] : jobs_) {
    if (is_over(job.row.state())) continue;
    auto* live = envelope.mutable_pool_state()->add_live();
    live->set_job(id);
    live->set_run(job.row.run());
  }
  effects.send.push_back({std::move(envelope)});
}

void Server::tell_everyone(Effects& effects) const {
  for (const auto& [machine, node] : nodes_) send_pool_state(machine, effects);
}

void Server::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  const std::string& from = envelope.from().machine();
  if (auto node = nodes_.find(from); node != nodes_.end()) {
    node->second.heard = now;
  } else if (envelope.from().role() != pb::ROLE_CLIENT) {
    return;  // Not admitted, or gone.
  }
  switch (envelope.body_case()) {
    case pb::Envelope::kCopied:
      return on_copied(from, envelope.copied(), effects);
    case pb::Envelope::kStoreState:
      return on_store_state(from, envelope.store_state(), effects);
    case pb::Envelope::kSubmit:
      return on_submit(now, from, envelope.submit(), effects);
    case pb::Envelope::kWatch:
      return on_watch(from, envelope.watch(), effects);
    case pb::Envelope::kCancelJob:
      return on_cancel(from, envelope.cancel_job(), effects);
    case pb::Envelope::kPinned:
      return on_pinned(envelope.pinned(), effects);
    case pb::Envelope::kCommitFrozen:
      return on_commit_frozen(from, envelope.commit_frozen(), effects);
    case pb::Envelope::kWantWorkers:
      return on_want(now, envelope.want_workers(), effects);
    case pb::Envelope::kJobProgress:
      return on_progress(envelope.job_progress(), effects);
    case pb::Envelope::kFinish:
      return on_finish(from, envelope.finish(), effects);
    case pb::Envelope::kGetStatus:
    case pb::Envelope::kListJobs: {
      pb::Envelope answer = envelope_to(envelope.from());
      if (envelope.has_get_status()) {
        *answer.mutable_pool_status() = status();
      } else {
        answer.mutable_job_list();
        for (const auto& [id, job] : jobs_) *answer.mutable_job_list()->add_rows() = job.row;
      }
      effects.send.push_back({std::move(answer)});
      return;
    }
    case pb::Envelope::kHangUp:
      for (auto& [id, job] : jobs_) job.watchers.erase(from);
      return;
    default:
      return;
  }
}

void Server::on_stored(Instant now, const Stored& stored, Effects& effects) {
  if (view_write_ == stored.id) return on_view_stored(now, stored, effects);
  auto row = row_writes_.extract(stored.id);
  if (!row.empty()) on_row_stored(now, stored, std::move(row.mapped()), effects);
}

std::string Server::state_of(const std::string& machine, const Node& node) const {
  if (node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return "coordinator";
  std::string state;
  for (const auto& member : view_.members()) {
    if (member.machine() == machine) state = "storage";
  }
  for (const auto& joiner : view_.joiners()) {
    if (joiner.machine() == machine) state = "joining storage";
  }
  if (node.lent_to.empty()) return state.empty() ? "idle" : state;
  return (state.empty() ? "" : state + ", ") + "lent to " + short_id(node.lent_to);
}

pb::PoolStatus Server::status() const {
  pb::PoolStatus out;
  out.set_version(options_.version);
  *out.mutable_view() = view_;
  out.set_copies_wanted(options_.storage_nodes);
  for (const auto& [machine, node] : nodes_) {
    auto* added = out.add_machines();
    added->set_machine(machine);
    added->set_role_flag(node.hello.role_flag());
    added->set_state(state_of(machine, node));
    added->set_owner(node.hello.owner());
    added->set_version(node.hello.version());
    added->set_storage_address(node.hello.storage_address());
    if (!node.store_problem.empty()) added->set_reason("cannot store: " + node.store_problem);
  }
  for (const auto& [id, job] : jobs_) {
    if (!is_over(job.row.state())) *out.add_jobs() = job.row;
  }
  return out;
}

}  // namespace muster::roles::server
