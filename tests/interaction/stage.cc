#include "interaction/stage.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/metric.h"
#include "eval/task.h"
#include "roles/server/server.h"
#include "sim/process.h"
#include "wire/envelope.h"
#include "wire/job_state.h"
#include "wire/keys.h"
#include "wire/pool_role.h"
#include "wire/short_id.h"

namespace muster::interaction {
namespace {

std::string range(std::vector<uint32_t> items) {
  std::string text;
  for (size_t i = 0; i < items.size();) {
    size_t last = i;
    while (last + 1 < items.size() && items[last + 1] == items[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(items[i]);
    if (last > i) text += ".." + std::to_string(items[last]);
    i = last + 1;
  }
  return text;
}

// What is said of a machine that is lent to a job: by the server and the coordinator, and by
// itself.
bool is_lending(const std::string& note) {
  return note.starts_with("loading ") || note.starts_with("lent to job ") ||
         (note.starts_with("machine ") && note.find(" is lent to job ") != std::string::npos);
}

}  // namespace

// Everything is exact: every machine gives the very same answers.
Stage::Stage() : pool_(1, *this) {
  pool_.roles_are_checked = true;
  pool_.lines.reconnect = false;
  pool_.add("server", pb::ROLE_FLAG_UNSPECIFIED);
  for (const char* name : {"c1", "c2"}) {
    const sim::HashKeys keys = sim::keys_of(name);
    pool_.server_options.coordinators.push_back(wire::machine_id(keys.public_key()));
  }
}

sim::Node& Stage::node(const std::string& name) { return pool_.node(name); }

void Stage::start_server() { pool_.start(node("server")); }

void Stage::join(const std::string& name, pb::RoleFlag flag, const std::string& owner) {
  pool_.add(name, flag).engine.model_class.exact = true;
  node(name).owner = owner;
  pool_.start_and_connect_now(node(name));
  advance({});
}

bool Stage::has(const std::string& name) const { return pool_.nodes().contains(name); }

bool Stage::is_running(const std::string& name) const {
  auto found = pool_.nodes().find(name);
  return found != pool_.nodes().end() && found->second->process != nullptr;
}

void Stage::kill(const std::string& name) {
  pool_.kill(node(name));
  advance({});
}

void Stage::leave(const std::string& name) {
  pool_.leave(node(name), seconds(60));
  advance({});
}

void Stage::restart(const std::string& name) {
  pool_.start_and_connect_now(node(name));
  if (name == "server") {
    for (const auto& [other, n] : pool_.nodes()) {
      if (other != "server") pool_.lines.open(*n);
    }
  }
  advance({});
}

void Stage::rebuild_storage() {
  pb::Envelope envelope;
  auto* state = envelope.mutable_pool_state();
  *state->mutable_view() = node("server").database.view;
  for (const auto& [id, row] : node("server").database.rows) {
    auto* live = wire::is_over(row.state()) ? state->add_kept() : state->add_live();
    live->set_job(id);
    live->set_run(row.run());
    *live->mutable_assignments() = row.assignments();
  }
  state->set_pool(node("server").database.pool.pool());
  for (const auto& [name, n] : pool_.nodes()) {
    if (!n->stores() || !n->process) continue;
    pool_.in_process(*n, n->life, [&](sim::Process& process) {
      process.rebuild_storage();
      process.driver().deliver(pool_.now(), pb::ROLE_STORAGE, roles::Received{envelope});
    });
  }
}

void Stage::back_up() { backup_ = node("server").database; }

void Stage::restore() {
  pool_.kill(node("server"));
  node("server").database = backup_;
  restart("server");
}

void Stage::cut(const std::string& name) {
  node(name).line.cut_up = node(name).line.cut_down = true;
}

void Stage::heal(const std::string& name) {
  node(name).line.cut_up = node(name).line.cut_down = false;
  pool_.lines.close(node(name));
  pool_.lines.open(node(name));
  advance({});
}

void Stage::set_lying(const std::string& name, bool lying) {
  node(name).engine.lie = lying ? "lie" : "";
}
void Stage::set_seconds_per_item(const std::string& name, double s) {
  node(name).engine.per_item = from_seconds(s);
}
void Stage::set_engine_failing(const std::string& name, bool failing) {
  node(name).engine.failing = failing;
}
void Stage::set_objecting(const std::string& name, const std::string& to) {
  node(name).engine.objects_to_model = to == "model";
  node(name).engine.objects_to_items = to == "items";
}
void Stage::set_disk_full(const std::string& name, bool full) { node(name).disk.full = full; }
void Stage::hang_disk(const std::string& name) { pool_.hang_disk(node(name), true); }
void Stage::rot(const std::string& name, uint64_t record) { node(name).records.rot(record); }
void Stage::lose(const std::string& name, uint64_t record) {
  sim::RecordDisk& records = node(name).records;
  records.drop({{records.records().at(record).digest}});
}
void Stage::pause(const std::string& name) { pool_.pause(node(name)); }
void Stage::resume(const std::string& name) {
  pool_.resume(node(name));
  for (const auto& [other, n] : pool_.nodes()) {
    if (other != "server") pool_.lines.open(*n);
  }
  advance({});
}
void Stage::set_model_missing(const std::string& name, bool missing) {
  node(name).engine.missing_model = missing;
}

void Stage::set_class(const std::string& name, const std::string& numeric_class) {
  node(name).engine.model_class.name = numeric_class;
}

void Stage::know(const std::string& name, uint64_t agreed) {
  const sim::HashKeys keys = sim::keys_of(name);
  pb::MachineRow row;
  row.set_machine(wire::machine_id(keys.public_key()));
  row.set_agreed(agreed);
  node("server").database.machines[row.machine()] = row;
}

void Stage::set_retain(Duration retain) { pool_.server_options.retain = retain; }

void Stage::pardon(const std::string& name) {
  pb::Envelope envelope = wire::envelope_to_server();
  envelope.mutable_pardon()->set_machine(node(name).machine);
  ask(std::move(envelope));
}

void Stage::why(const std::string& what) {
  pb::Envelope envelope = wire::envelope_to_server();
  envelope.mutable_why()->set_what(what == "job" ? job_ : node(what).machine);
  ask(std::move(envelope));
}

std::string Stage::show_machines() const {
  std::string text;
  for (const auto& [name, n] : pool_.nodes()) {
    const auto& machines = pool_.nodes().at("server")->database.machines;
    auto found = machines.find(n->machine);
    if (n->machine.empty() || found == machines.end()) continue;
    const pb::MachineRow& row = found->second;
    text += name + ": agreed on " + std::to_string(row.agreed()) + " in a row";
    if (row.strikes() > 0) text += ", outvoted " + std::to_string(row.strikes()) + " times";
    if (row.quarantined()) text += ", quarantined";
    text += "\n";
  }
  return text;
}

std::string Stage::name_of(const pb::Address& address) const {
  if (address.role() == pb::ROLE_SERVER) return "server";
  if (address.role() == pb::ROLE_CLIENT) return "researcher";
  for (const auto& [name, n] : pool_.nodes()) {
    if (name != "server" && n->machine == address.machine()) return name;
  }
  return "?";
}

std::string Stage::with_names(std::string text) const {
  auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  for (const auto& [name, n] : pool_.nodes()) {
    if (!n->machine.empty()) replace(wire::short_id(n->machine), name);
  }
  if (!job_.empty()) {
    replace(job_, "JOB");
    replace(wire::short_id(job_), "JOB");
  }
  return text;
}

void Stage::tell(const std::string& who, const std::string& text) {
  if (told == Told::kNothing) return;
  transcript +=
      who + std::string(who.size() < 11 ? 11 - who.size() : 1, ' ') + with_names(text) + "\n";
}

void Stage::on_note(const sim::Node& from, const roles::Note& note) {
  // Each record stored is too much to tell; show records says what is there.
  if (note.text.starts_with("storage: ") && note.text.ends_with(" stored")) return;
  if (told == Told::kAllButLending && is_lending(note.text)) return;
  tell(from.name, note.text);
}

void Stage::on_send(const sim::Node& from, const pb::Envelope& e) {
  std::string text;
  if (e.has_grant()) {
    std::vector<uint32_t> items;
    for (const auto& item : e.grant().items()) items.push_back(item.item());
    text = "Grant lease=" + std::to_string(e.grant().lease().number()) + " items=" + range(items);
  } else if (e.has_withdraw()) {
    text = "Withdraw lease=" + std::to_string(e.withdraw().lease().number());
  } else if (e.has_assign()) {
    text = "Assign epoch=" + std::to_string(e.assign().row().epoch());
  } else if (e.has_finish()) {
    text = e.finish().has_failure() ? "Finish failure" : "Finish";
  } else if (e.has_submit_reply()) {
    const auto& reply = e.submit_reply();
    text = reply.has_failure() ? "refused: " + reply.failure().message()
                               : "accepted run=" + std::to_string(reply.run()) +
                                     (reply.attached() ? " attached" : "");
  } else if (e.has_job_update() && !e.job_update().message().empty()) {
    text = e.job_update().message();
  } else if (e.has_cancel_reply()) {
    text = e.cancel_reply().has_failure() ? e.cancel_reply().failure().message() : "cancelled";
  } else if (e.has_commit_class() && e.commit_class().numeric_class() != "test") {
    text = "CommitClass " + e.commit_class().numeric_class();
  } else if (e.has_report_charge()) {
    text = "ReportCharge " + e.report_charge().charge().machine();
  } else if (e.has_why_reply()) {
    text = e.why_reply().has_failure() ? e.why_reply().failure().message() : e.why_reply().now();
    for (const auto& reason : e.why_reply().reasons()) {
      text += "\n             " + reason.machine().substr(0, 8) +
              (reason.machine().empty() ? "" : " ") + reason.text() +
              (reason.times() > 1 ? " (" + std::to_string(reason.times()) + " times)" : "");
    }
  } else if (e.has_pardon_reply()) {
    text = e.pardon_reply().has_failure() ? e.pardon_reply().failure().message() : "pardoned";
  } else {
    return;
  }
  tell(from.name, "-> " + name_of(e.to()) + "  " + text);
}

void Stage::advance(Duration duration) { pool_.agenda.run_until(pool_.now() + duration); }

void Stage::ask(pb::Envelope envelope) {
  pool_.lines.ask_server("call", std::move(envelope));
  advance({});
}

void Stage::submit(const pb::JobRequest& request, const std::string& idempotency_key,
                   const std::string& researcher) {
  pb::Envelope envelope = wire::envelope_to_server();
  *envelope.mutable_holder() = wire::make_holder(pb::POOL_ROLE_RESEARCHER, researcher);
  *envelope.mutable_submit()->mutable_request() = request;
  envelope.mutable_submit()->set_idempotency_key(idempotency_key);
  pb::JobRequest complete = request;
  if (complete.redundancy() == 0) complete.set_redundancy(2);
  job_ = *roles::server::job_id(complete, request.directory_pin());
  ask(envelope);
  envelope.mutable_watch()->set_job(job_);
  ask(envelope);
}

void Stage::cancel() {
  pb::Envelope envelope = wire::envelope_to_server();
  envelope.mutable_cancel_job()->set_job(job_);
  ask(envelope);
}

void Stage::run_job(Duration limit) {
  const Instant until = pool_.now() + limit;
  while (!wire::is_over(row().state()) && pool_.agenda.run_next(until)) {
  }
  advance({});
}

pb::JobRow Stage::row() const {
  const auto& rows = pool_.nodes().at("server")->database.rows;
  auto found = rows.find(job_);
  return found == rows.end() ? pb::JobRow() : found->second;
}

std::string Stage::show_view() const {
  const pb::View& view = pool_.nodes().at("server")->database.view;
  std::string text = "view " + std::to_string(view.number()) + ":";
  for (const auto& member : view.members())
    text += " " + name_of(wire::address(pb::ROLE_STORAGE, member.machine()));
  for (const auto& joiner : view.joiners())
    text += " +" + name_of(wire::address(pb::ROLE_STORAGE, joiner.machine()));
  return text;
}

std::string Stage::show_records() const {
  std::string text;
  for (const auto& [name, n] : pool_.nodes()) {
    std::map<std::string, int> kinds;
    for (const auto& stored : n->records.records()) {
      if (stored.run.job.empty()) continue;  // Dropped.
      pb::SignedRecord signed_record;
      pb::Record record;
      if (!n->records.holds(stored.digest)) {
        if (!stored.bytes.empty()) ++kinds["damaged"];
        continue;
      }
      MUSTER_CHECK(signed_record.ParseFromString(stored.bytes));
      MUSTER_CHECK(record.ParseFromString(signed_record.body()));
      ++kinds[record.has_answer() ? "answers" : record.has_settled() ? "settled" : "seals"];
    }
    if (kinds.empty()) continue;
    text += name + ":";
    for (const auto& [kind, count] : kinds) text += " " + std::to_string(count) + " " + kind;
    text += "\n";
  }
  return text;
}

std::string Stage::outcome() const {
  const pb::JobRow job = row();
  std::string text = pb::JobState_Name(job.state()) + " " + job.reason() + "\n";
  for (pb::TaskResult task : job.result().tasks()) {
    // Who is trusted to answer what alone depends on who was there.
    if (job.request().adaptive()) task.clear_items_below();
    text += task.ShortDebugString() + "\n";
  }
  std::map<uint32_t, std::string> settled;
  for (const auto& [name, n] : pool_.nodes()) {
    for (const auto& stored : n->records.records()) {
      pb::SignedRecord signed_record;
      pb::Record record;
      if (!n->records.holds(stored.digest)) continue;  // Dropped, or damaged.
      MUSTER_CHECK(signed_record.ParseFromString(stored.bytes));
      MUSTER_CHECK(record.ParseFromString(signed_record.body()));
      if (!record.has_settled()) continue;
      std::string& value = settled[record.settled().item()];
      value.clear();
      for (const auto& response : record.settled().responses())
        value += " " + std::to_string(response.loglikelihood());
    }
  }
  for (const auto& [item, value] : settled) text += "item " + std::to_string(item) + value + "\n";
  return with_names(text);
}

bool Stage::result_equals_alone() const {
  const pb::JobRow job = row();
  for (const auto& task : job.result().tasks()) {
    std::vector<eval::ItemScore> scores;
    const auto items =
        *eval::build_items(**eval::find_task(task.task()), {job.request().limit(), std::nullopt});
    for (const auto& item : items) {
      std::vector<sim::Question> questions;
      for (const auto& request : item.requests)
        questions.emplace_back(request.context, request.continuation);
      std::vector<eval::Response> responses;
      for (const auto& r : sim::answers_of({.exact = true}, questions, 0))
        responses.push_back({r.loglikelihood(), r.is_greedy()});
      scores.push_back(eval::score_item(item, responses));
    }
    const auto metrics = eval::aggregate(scores);
    for (size_t i = 0; i < metrics.size(); ++i) {
      if (metrics[i].value != task.metrics(static_cast<int>(i)).value()) return false;
    }
  }
  return job.result().tasks_size() > 0;
}

}  // namespace muster::interaction
