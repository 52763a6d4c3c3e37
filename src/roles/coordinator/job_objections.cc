// Who says that the job itself cannot work: a model that no engine reads, an item that none can
// score. One machine may be broken, or lie.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {

void Job::object(const std::string& machine, Subject subject, const Error& error,
                 Effects& effects) {
  auto& objections = objections_[subject];
  objections.insert_or_assign(machine, error);
  if (!is_refuted(subject) && is_confirmed(objections)) return give_up(error, effects);
  MUSTER_PROBE("one machine says that the job cannot work");
}

// It has the model after all.
void Job::withdraw_objection(const std::string& machine) {
  auto found = objections_.find(kModelSubject);
  if (found == objections_.end()) return;
  found->second.erase(machine);
  if (found->second.empty()) objections_.erase(found);
}

// As many say so as an item wants votes, but two are enough; of distinct owners like votes.
bool Job::is_confirmed(const std::map<std::string, Error>& objections) const {
  std::set<std::string> voices;
  for (const auto& [machine, error] : objections) {
    const auto owner = owners_.find(machine);
    const bool by_owner = rules_.distinct_owners && owner != owners_.end();
    voices.insert(by_owner ? owner->second : machine);
  }
  return voices.size() >= std::min<size_t>(2, row_.request().redundancy());
}

// Somebody could.
bool Job::is_refuted(Subject subject) const {
  if (subject == kModelSubject) return !class_of_.empty();
  const Item& item = items_[static_cast<size_t>(subject)];
  return item.votes.size() > 0 || item.votes_at_settling > 0;
}

const Error* Job::open_objection() const {
  for (const auto& [subject, objections] : objections_) {
    if (!is_refuted(subject)) return &objections.begin()->second;
  }
  return nullptr;
}

}  // namespace muster::roles::coordinator
