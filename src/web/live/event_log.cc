#include "web/live/event_log.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace muster::web {
namespace {

std::string text_of(const std::string& id, std::string_view name, std::string_view data) {
  std::string text = "id: " + id + "\nevent: ";
  text.append(name).append("\ndata: ").append(data).append("\n\n");
  return text;
}

}  // namespace

void EventLog::tell(const std::vector<std::string>& topics, std::string_view name,
                    std::string_view data) {
  const std::lock_guard lock(mutex_);
  kept_.push_back({++number_, topics, text_of(id_of(number_), name, data)});
  if (kept_.size() > kMostKept) kept_.pop_front();
  std::erase_if(readers_, [&](const Reader& reader) {
    const auto queue = reader.queue.lock();
    return !queue || (hears(reader.topics, topics) && !queue->push(kept_.back().text));
  });
}

std::string EventLog::last() const {
  const std::lock_guard lock(mutex_);
  return id_of(number_);
}

std::shared_ptr<EventQueue> EventLog::follow(std::set<std::string> topics, std::string_view after) {
  const std::lock_guard lock(mutex_);
  auto queue = std::make_shared<EventQueue>();
  uint64_t number = number_;
  if (after.empty() || is_kept_since(after, number)) {
    for (const Kept& event : kept_) {
      if (event.number > number && hears(topics, event.topics)) queue->push(event.text);
    }
  } else {
    queue->push(text_of(id_of(number_), "resync", Json{{"topics", topics}}.dump()));
  }
  readers_.push_back({std::move(topics), queue});
  return queue;
}

void EventLog::end(std::string_view bye) {
  const std::lock_guard lock(mutex_);
  for (const Reader& reader : std::exchange(readers_, {})) {
    const auto queue = reader.queue.lock();
    if (!queue) continue;
    queue->push(text_of(id_of(number_), "bye", bye));
    queue->close();
  }
}

std::string EventLog::id_of(uint64_t number) const { return boot_ + "." + std::to_string(number); }

bool EventLog::is_kept_since(std::string_view after, uint64_t& number) const {
  if (!after.starts_with(boot_ + ".")) return false;
  const std::string_view digits = after.substr(boot_.size() + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  const uint64_t first = kept_.empty() ? number_ + 1 : kept_.front().number;
  return number <= number_ && number + 1 >= first;
}

bool EventLog::hears(const std::set<std::string>& wanted, const std::vector<std::string>& topics) {
  return std::any_of(topics.begin(), topics.end(),
                     [&](const std::string& topic) { return wanted.contains(topic); });
}

}  // namespace muster::web
