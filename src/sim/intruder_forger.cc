#include "sim/intruder_forger.h"

#include "wire/record.h"

namespace muster::sim {
namespace {

constexpr uint64_t kFarAhead = uint64_t{1} << 60;

pb::JobResult fine_result(const OverheardRun& run) {
  pb::JobResult result;
  pb::TaskResult& task = *result.add_tasks();
  task.set_task("tinyMMLU");
  task.set_items(static_cast<int64_t>(run.items.size()));
  pb::Metric& metric = *task.add_metrics();
  metric.set_name("acc");
  metric.set_value(0.9999);
  *result.mutable_model() = run.model;
  result.add_numeric_classes(run.numeric_class);
  return result;
}

}  // namespace

Forger::Forger(Voice& voice)
    : voice_(voice),
      world_(voice.world()),
      node_(voice.node()),
      overheard_(voice.overheard()),
      rng_(voice.rng()) {}

void Forger::forge_pool_state() {
  voice_.say_to_all(pb::ROLE_UNSPECIFIED, [this](pb::Envelope& envelope) {
    pb::PoolState& state = *envelope.mutable_pool_state();
    state.set_revision(rng_.below(2) == 0 ? kFarAhead : overheard_.revision() + 1);
    *state.mutable_view() = overheard_.view();
    state.mutable_view()->set_number(overheard_.view().number() + rng_.below(2));
    state.set_lent_known(true);
  });
}

void Forger::forge_view() {
  const OverheardRun* run = voice_.some_run();
  pb::Record seal;
  if (run != nullptr) {
    seal.set_job(run->key.job());
    seal.set_run(run->key.run());
    seal.set_epoch(rng_.below(2) == 0 ? kFarAhead : run->key.epoch() + 1);
    seal.mutable_seal();
  }
  const auto refuse = [&](pb::Envelope& envelope) {
    pb::PutRefused& refused = *envelope.mutable_put_refused();
    refused.set_view(rng_.below(2) == 0 ? kFarAhead : overheard_.view().number() + 1);
    if (run == nullptr) return;
    refused.set_job(run->key.job());
    refused.set_run(run->key.run());
    *refused.mutable_seal() = wire::sign_record(seal, *node_.keys);
  };
  voice_.say_to_all(pb::ROLE_WORKER, refuse);
  voice_.say_to_all(pb::ROLE_COORDINATOR, refuse);
}

void Forger::forge_end() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  pb::Envelope finish, cancel;
  *finish.mutable_finish()->mutable_key() = run->key;
  if (rng_.below(2) == 0) {
    *finish.mutable_finish()->mutable_result() = fine_result(*run);
  } else {
    finish.mutable_finish()->mutable_failure()->set_message("it cannot work");
  }
  voice_.say_to_server(std::move(finish));
  cancel.mutable_cancel_job()->set_job(run->key.job());
  voice_.say_to_server(std::move(cancel));
  voice_.say_to_all(pb::ROLE_COORDINATOR,
                    [&](pb::Envelope& e) { *e.mutable_finished()->mutable_key() = run->key; });
}

void Forger::forge_model() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  voice_.say_to_all(pb::ROLE_WORKER, [&](pb::Envelope& envelope) {
    if (rng_.below(2) == 0) {
      *envelope.mutable_prepare()->mutable_key() = run->key;
      return;
    }
    pb::PoolState& state = *envelope.mutable_pool_state();
    state.set_revision(overheard_.revision() + 1);
    *state.mutable_view() = overheard_.view();
    state.set_lent_known(true);
    *state.mutable_lent() = run->key;
    state.set_coordinator(node_.machine);
    *state.mutable_model() = run->model;
    state.mutable_model()->set_name("ORG/another");
    state.mutable_model()->set_commit(std::string(40, 'a'));
  });
}

void Forger::forge_work() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  for (const auto& lease : run->leases) {
    pb::Envelope progress, failed;
    *progress.mutable_progress()->mutable_key() = run->key;
    *progress.mutable_progress()->mutable_lease() = lease.grant.lease();
    pb::LeaseFailed& what = *failed.mutable_lease_failed();
    *what.mutable_key() = run->key;
    *what.mutable_lease() = lease.grant.lease();
    what.set_item(lease.grant.items().empty() ? 0 : lease.grant.items(0).item());
    what.set_users_fault(rng_.below(2) == 0);
    what.set_message("the request is longer than the model's context");
    const bool renews = rng_.below(2) == 0;
    voice_.say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, run->coordinator,
               std::move(renews ? progress : failed));
  }
  pb::Envelope unable;
  *unable.mutable_unable()->mutable_key() = run->key;
  unable.mutable_unable()->mutable_failure()->set_code("unsupported");
  voice_.say(pb::ROLE_STORAGE, pb::ROLE_COORDINATOR, run->coordinator, std::move(unable));
}

void Forger::claim_leases() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  pb::Envelope envelope;
  pb::Ready& ready = *envelope.mutable_ready();
  *ready.mutable_key() = run->key;
  ready.set_numeric_class(run->numeric_class);
  for (uint64_t number = 1; number <= 60; ++number) {
    pb::HeldLease& held = *ready.add_leases();
    held.add_items(static_cast<uint32_t>(rng_.below(run->items.size() + 1)));
    if (!run->leases.empty() && rng_.below(2) == 0) {  // Another's.
      *held.mutable_terms() = run->leases[number % run->leases.size()].grant.terms();
      continue;
    }
    pb::Record terms;
    terms.set_job(run->key.job());
    terms.set_run(run->key.run());
    terms.set_epoch(run->key.epoch() - rng_.below(2));
    terms.mutable_grant()->set_lease(number);
    terms.mutable_grant()->set_machine(node_.machine);
    terms.mutable_grant()->add_items(held.items(0));
    *held.mutable_terms() = wire::sign_record(terms, *node_.keys);
  }
  voice_.say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, run->coordinator, std::move(envelope));
}

void Forger::forge_charges() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  for (const auto& [name, other] : world_.nodes()) {
    if (other->is_server() || other.get() == &node_) continue;
    pb::Envelope envelope;
    *envelope.mutable_report_charge()->mutable_key() = run->key;
    pb::Charge& charge = *envelope.mutable_report_charge()->mutable_charge();
    charge.set_job(run->key.job());
    charge.set_run(run->key.run());
    charge.set_item(static_cast<uint32_t>(rng_.below(run->items.size() + 1)));
    charge.set_machine(other->machine);
    voice_.say_to_server(std::move(envelope));
    pb::Envelope noted;
    *noted.mutable_charge_noted()->mutable_key() = run->key;
    noted.mutable_charge_noted()->set_item(static_cast<uint32_t>(rng_.below(4)));
    noted.mutable_charge_noted()->set_machine(node_.machine);
    voice_.say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, run->coordinator, std::move(noted));
  }
}

void Forger::forge_lines() {
  const Node& other = voice_.anybody();
  if (other.is_server() || &other == &node_) return;
  pb::Envelope refused, challenge, hello;
  refused.mutable_refused()->set_reason("this machine is not wanted");
  challenge.mutable_challenge()->set_nonce(std::string(32, 'n'));
  hello.mutable_hello()->set_public_key(other.keys->public_key());
  voice_.say(pb::ROLE_WORKER, pb::ROLE_UNSPECIFIED, other.machine, std::move(refused));
  voice_.say(pb::ROLE_WORKER, pb::ROLE_UNSPECIFIED, other.machine, std::move(challenge));
  voice_.say(pb::ROLE_WORKER, pb::ROLE_SERVER, "", std::move(hello));
}

void Forger::forge_stores() {
  pb::Envelope copied, state;
  copied.mutable_caught_up()->set_view(overheard_.view().number() + rng_.below(2));
  state.mutable_store_state()->set_problem(rng_.below(2) == 0 ? "no space left" : "");
  state.mutable_store_state()->set_number(rng_.below(2) == 0 ? kFarAhead : rng_.below(4));
  voice_.say_to_server(std::move(copied));
  voice_.say_to_server(std::move(state));
  const auto done = [this](pb::Envelope& envelope) {
    envelope.mutable_put_done()->set_view(overheard_.view().number());
    for (const auto& record : overheard_.records())
      envelope.mutable_put_done()->add_digests(std::string(wire::record_digest(record).view()));
  };
  voice_.say_to_all(pb::ROLE_WORKER, done);
  voice_.say_to_all(pb::ROLE_COORDINATOR, done);
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  const bool compares = rng_.below(2) == 0;
  voice_.say_to_stores([&](pb::Envelope& envelope) {
    if (compares) {
      pb::CompareRanges& compare = *envelope.mutable_compare_ranges();
      compare.set_job(run->key.job());
      compare.set_run(run->key.run());
      for (int n = 0; n < 1 << rng_.below(9); ++n)
        compare.add_ranges()->set_fold(std::string(32, 'f'));
      return;
    }
    pb::MissingDigests& holds = *envelope.mutable_missing_digests();
    holds.set_job(run->key.job());
    holds.set_run(run->key.run());
    for (int n = 0; n < 500; ++n) {
      std::string name(32, '\0');
      for (char& byte : name) byte = static_cast<char>(rng_.below(256));
      holds.add_digests(name);
    }
  });
}

void Forger::forge_orders() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  voice_.say_to_all(pb::ROLE_WORKER, [&](pb::Envelope& envelope) { order_worker(*run, envelope); });
  voice_.say_to_all(pb::ROLE_COORDINATOR,
                    [&](pb::Envelope& envelope) { order_coordinator(run->key, envelope); });
  ask_server_for(run->key);
}

// As the run's coordinator.
void Forger::order_worker(const OverheardRun& run, pb::Envelope& envelope) {
  if (!run.leases.empty() && rng_.below(2) == 0) {
    const auto& lease = run.leases[rng_.below(run.leases.size())];
    *envelope.mutable_withdraw()->mutable_key() = run.key;
    *envelope.mutable_withdraw()->mutable_lease() = lease.grant.lease();
    return;
  }
  *envelope.mutable_grant()->mutable_key() = run.key;
  envelope.mutable_grant()->mutable_lease()->set_epoch(run.key.epoch());
  envelope.mutable_grant()->mutable_lease()->set_number(500 + rng_.below(500));
  if (run.items.empty()) return;
  pb::ItemRequests& item = *envelope.mutable_grant()->add_items();
  item = run.items.begin()->second;
  for (auto& request : *item.mutable_requests()) request.set_continuation(" something else");
}

// As the server.
void Forger::order_coordinator(const pb::JobKey& key, pb::Envelope& envelope) {
  switch (rng_.below(4)) {
    case 0: {
      pb::Lend& lend = *envelope.mutable_lend();
      *lend.mutable_key() = key;
      lend.set_revision(kFarAhead);
      lend.add_loans()->set_machine(node_.machine);
      for (const auto& [name, other] : world_.nodes()) lend.add_quarantined(other->machine);
      return;
    }
    case 1: {
      pb::JobRow& row = *envelope.mutable_assign()->mutable_row();
      row.set_job(key.job());
      row.set_run(key.run());
      row.set_epoch(key.epoch() + 1);
      row.set_coordinator(envelope.to().machine());
      envelope.mutable_assign()->set_revision(1);
      return;
    }
    case 2:
      *envelope.mutable_frozen_committed()->mutable_key() = key;
      envelope.mutable_frozen_committed()->set_digest(std::string(32, 'd'));
      return;
    default:
      *envelope.mutable_class_committed()->mutable_key() = key;
      envelope.mutable_class_committed()->add_numeric_classes("a class of nobody");
  }
}

// As the job's coordinator.
void Forger::ask_server_for(const pb::JobKey& key) {
  pb::Envelope want, frozen, numeric, progress, holding;
  *want.mutable_want_workers()->mutable_key() = key;
  for (const auto& [name, other] : world_.nodes())
    want.mutable_want_workers()->add_released(other->machine);
  *frozen.mutable_commit_frozen()->mutable_key() = key;
  frozen.mutable_commit_frozen()->set_digest(std::string(32, 'd'));
  *numeric.mutable_commit_class()->mutable_key() = key;
  numeric.mutable_commit_class()->set_numeric_class("a class of nobody");
  *progress.mutable_job_progress()->mutable_key() = key;
  progress.mutable_job_progress()->set_settled(1'000'000);
  *holding.mutable_holding()->mutable_key() = key;
  for (pb::Envelope* envelope : {&want, &frozen, &numeric, &progress, &holding})
    voice_.say_to_server(std::move(*envelope));
}

}  // namespace muster::sim
