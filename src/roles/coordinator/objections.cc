#include "roles/coordinator/objections.h"

#include <set>

namespace muster::roles::coordinator {

void Objections::add(Subject subject, const std::string& machine, const Error& error) {
  all_[subject].insert_or_assign(machine, error);
}

void Objections::withdraw(const std::string& machine) {
  const auto found = all_.find(kModel);
  if (found == all_.end()) return;
  found->second.erase(machine);
  if (found->second.empty()) all_.erase(found);
}

size_t Objections::voices(Subject subject, const Voice& voice) const {
  const auto found = all_.find(subject);
  if (found == all_.end()) return 0;
  std::set<std::string> voices;
  for (const auto& [machine, error] : found->second) voices.insert(voice(machine));
  return voices.size();
}

const Error* Objections::open(const IsRefuted& is_refuted) const {
  for (const auto& [subject, by_machine] : all_) {
    if (!is_refuted(subject)) return &by_machine.begin()->second;
  }
  return nullptr;
}

}  // namespace muster::roles::coordinator
