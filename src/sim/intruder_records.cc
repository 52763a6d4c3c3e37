#include "sim/intruder_records.h"

#include <algorithm>

#include "roles/grants.h"
#include "sim/stand_in_model.h"
#include "wire/keys.h"

namespace muster::sim {
namespace {

constexpr double kLie = 9;  // Less likely, each answer.

}  // namespace

pb::Record wrong_answer(const OverheardRun& run, const pb::ItemRequests& item) {
  pb::Record record;
  record.set_job(run.key.job());
  record.set_run(run.key.run());
  record.set_epoch(run.key.epoch());
  pb::Answer& answer = *record.mutable_answer();
  // The terms of whoever was asked for it, be it another.
  for (const OverheardRun::Lease& lease : run.leases) {
    const auto& items = lease.grant.items();
    const bool has_it = std::any_of(items.begin(), items.end(), [&](const pb::ItemRequests& its) {
      return its.item() == item.item();
    });
    if (has_it || !answer.has_grant()) *answer.mutable_grant() = lease.grant.terms();
  }
  answer.set_item(item.item());
  answer.set_request_digest(item.digest());
  answer.set_numeric_class(run.numeric_class);
  std::vector<Question> questions;
  std::string context;
  for (const pb::Request& request : item.requests()) {
    if (request.has_context()) context = request.context();
    questions.emplace_back(context, request.continuation());
  }
  for (pb::Response& response : answers_of({.name = run.numeric_class}, questions, 0)) {
    response.set_loglikelihood(response.loglikelihood() - kLie);
    *answer.add_responses() = response;
  }
  return record;
}

pb::SignedRecord terms_of_its_own(const pb::Record& answer, const HashKeys& keys,
                                  const std::string& owner, Rng& rng) {
  pb::GrantTerms terms;
  terms.set_lease(1 + rng.below(60));
  terms.set_machine(wire::machine_id(keys.public_key()));
  terms.set_owner(owner);
  terms.add_items(answer.answer().item());
  pb::JobKey key;
  key.set_job(answer.job());
  key.set_run(answer.run());
  key.set_epoch(answer.epoch());
  return roles::sign_grant(key, terms, keys);
}

}  // namespace muster::sim
