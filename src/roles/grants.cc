#include "roles/grants.h"

#include <algorithm>

#include "wire/owner.h"

namespace muster::roles {

bool had_run(const Assignments& assignments, uint64_t epoch, const std::string& machine) {
  return std::any_of(assignments.begin(), assignments.end(), [&](const pb::Assignment& assignment) {
    return assignment.epoch() == epoch && assignment.coordinator() == machine;
  });
}

bool had_run_ever(const Assignments& assignments, const std::string& machine) {
  return std::any_of(assignments.begin(), assignments.end(), [&](const pb::Assignment& assignment) {
    return assignment.coordinator() == machine;
  });
}

pb::SignedRecord sign_grant(const pb::JobKey& key, const pb::GrantTerms& terms, const Keys& keys) {
  pb::Record record;
  record.set_job(key.job());
  record.set_run(key.run());
  record.set_epoch(key.epoch());
  *record.mutable_grant() = terms;
  return sign_record(record, keys);
}

Result<const OpenedRecord*> Grants::open(const pb::SignedRecord& terms) {
  const Digest digest = record_digest(terms);
  auto known = good_.find(digest);
  if (known == good_.end()) {
    MUSTER_TRY(auto opened, open_record(terms, digest, keys_));
    if (!opened.record.has_grant()) return fail(Code::kPermission, "these are no terms");
    if (good_.size() >= kMostKept) good_.clear();
    known = good_.emplace(digest, std::move(opened)).first;
  }
  return &known->second;
}

Result<const OpenedRecord*> Grants::open(const pb::SignedRecord& terms,
                                         const Assignments& assignments) {
  MUSTER_TRY(const OpenedRecord* opened, open(terms));
  if (!had_run(assignments, opened->record.epoch(), opened->machine)) {
    return fail(Code::kPermission, "who signed these terms did not have the run");
  }
  return opened;
}

Grants::Asked Grants::who_asked(const OpenedRecord& answer) {
  const auto found = open(answer.record.answer().grant());
  if (!found) return {};
  const OpenedRecord* opened = *found;
  const pb::Record& terms = opened->record;
  const auto& items = terms.grant().items();
  const bool fits =
      terms.job() == answer.record.job() && terms.run() == answer.record.run() &&
      terms.epoch() == answer.record.epoch() && terms.grant().machine() == answer.machine &&
      std::find(items.begin(), items.end(), answer.record.answer().item()) != items.end();
  if (!fits) return {};
  return {opened->machine, owner_of(answer.machine, terms.grant().owner())};
}

bool Grants::was_asked_for(const OpenedRecord& answer, const Assignments& assignments) {
  const std::string asked_by = who_asked(answer).coordinator;
  return !asked_by.empty() && had_run(assignments, answer.record.epoch(), asked_by);
}

}  // namespace muster::roles
