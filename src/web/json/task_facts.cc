#include "web/json/task_facts.h"

#include <map>
#include <mutex>
#include <optional>

#include "eval/task.h"

namespace muster::web {
namespace {

TaskFacts facts_of(const std::vector<eval::Item>& items) {
  TaskFacts facts;
  double chances = 0;
  for (const eval::Item& item : items) {
    const auto choices = static_cast<int64_t>(item.requests.size());
    facts.requests.push_back((facts.requests.empty() ? 0 : facts.requests.back()) + choices);
    chances += choices > 0 ? 1.0 / static_cast<double>(choices) : 0;
  }
  if (!items.empty()) facts.chance = chances / static_cast<double>(items.size());
  return facts;
}

std::optional<TaskFacts> build_facts(const std::string& task) {
  const auto known = eval::find_task(task);
  if (!known) return std::nullopt;
  const auto items = eval::build_items(**known, {});
  return items ? std::optional(facts_of(*items)) : std::nullopt;
}

}  // namespace

const TaskFacts* task_facts(const std::string& task) {
  static std::mutex mutex;
  static std::map<std::string, std::optional<TaskFacts>> known;
  if (!eval::find_task(task)) return nullptr;  // Of these there are so many; of names, any number.
  const std::lock_guard lock(mutex);
  const auto [at, is_new] = known.try_emplace(task);
  if (is_new) at->second = build_facts(task);
  return at->second ? &*at->second : nullptr;
}

}  // namespace muster::web
