#include "sim/researcher.h"

#include "wire/envelope.h"
#include "wire/job_state.h"
#include "wire/pool_role.h"

namespace muster::sim {

Researcher::Researcher(World& world, const JobPlan& plan, std::string name)
    : world_(world), plan_(plan), name_(std::move(name)) {}

void Researcher::start() {
  world_.agenda.at(plan_.submitted, [this] { act(); });
}

pb::Envelope Researcher::submission() const {
  pb::Envelope envelope = wire::envelope_to_server();
  *envelope.mutable_holder() = wire::make_holder(pb::POOL_ROLE_RESEARCHER, plan_.researcher);
  envelope.mutable_submit()->set_idempotency_key(name_ + (force_ ? " again" : ""));
  pb::JobRequest& request = *envelope.mutable_submit()->mutable_request();
  request.set_model(plan_.model);
  for (const std::string& task : plan_.tasks) request.add_tasks(task);
  request.set_limit(plan_.items);
  request.set_redundancy(plan_.redundancy);
  request.set_adaptive(plan_.adaptive);
  request.set_quorum_wait_ms(plan_.quorum_wait_ms);
  request.set_force(force_);
  return envelope;
}

// Asks for the next thing, every few seconds until it is answered.
void Researcher::act() {
  if (done_) return;
  if (job_.empty()) {
    world_.lines.ask_server(name_, submission());
  } else {
    pb::Envelope envelope = wire::envelope_to_server();
    *envelope.mutable_holder() = wire::make_holder(pb::POOL_ROLE_OPERATOR, plan_.researcher);
    if (plan_.cancelled && world_.now() >= *plan_.cancelled) {
      envelope.mutable_cancel_job()->set_job(job_);
      world_.lines.ask_server(name_, envelope);
    }
    envelope.mutable_watch()->set_job(job_);
    world_.lines.ask_server(name_, envelope);
  }
  world_.agenda.in(seconds(3), [this] { act(); });
}

void Researcher::hear(const pb::Envelope& envelope) {
  if (envelope.has_submit_reply() && job_.empty() && !envelope.submit_reply().has_failure()) {
    job_ = envelope.submit_reply().job();
    run_ = envelope.submit_reply().run();
  }
  if (!envelope.has_job_update()) return;
  if (envelope.job_update().has_failure()) return job_.clear();  // Nobody knows it: it asks again.
  const pb::JobRow& row = envelope.job_update().row();
  if (row.job() != job_) return;
  if (row.run() < run_) return job_.clear();  // It was accepted by a server whose database is lost.
  if (wire::is_over(row.state())) on_over(row);
}

void Researcher::on_over(const pb::JobRow& row) {
  state_ = row.state();
  reason_ = row.reason();
  if (plan_.force && !force_) {  // Once more, from the beginning.
    force_ = true;
    run_ = row.run() + 1;
    job_.clear();
    return;
  }
  done_ = true;
}

}  // namespace muster::sim
