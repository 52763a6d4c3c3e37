// A job's reference classes: whose answers may be the items' values.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kClassWait = seconds(2);       // For other machines to be ready too.
constexpr Duration kClassPatience = seconds(60);  // Without a vote.

}  // namespace

bool Job::is_reference(const std::string& name) const {
  const std::string* its_class = machines_.class_of(name);
  return its_class != nullptr && items_.rules().may_give(*its_class);
}

// Of those that are not on the list yet, the one with the most speed; a machine that was not
// measured counts for little, but counts. With nobody there any more, that of the answers there
// are.
std::string Job::fastest_class() const {
  std::map<std::string, double> speeds;
  for (const auto& [name, machine] : machines_.lent()) {
    if (machine.ready && !is_reference(name) && machines_.has_claim(name)) {
      speeds[*machines_.class_of(name)] += std::max(1.0, machine.bytes_per_second);
    }
  }
  for (uint32_t i : items_.wanting()) {
    if (!speeds.empty() && !machines_.lent().empty()) break;
    if (!items_[i].votes.lacks_candidate()) continue;
    for (const Vote& vote : items_[i].votes.all()) speeds[vote.numeric_class] += 1;
  }
  // Nor any such answer: that of the machines that were here and could come again.
  const bool nobody = speeds.empty();
  for (const auto& [name, known] : machines_.known()) {
    const bool was_ready = !known.numeric_class.empty();
    if (!nobody || !was_ready || is_reference(name) || standings_.is_quarantined(name)) continue;
    speeds[known.numeric_class] += 1;
  }
  const auto fastest = std::max_element(speeds.begin(), speeds.end(),
                                        [](auto& a, auto& b) { return a.second < b.second; });
  return fastest == speeds.end() ? "" : fastest->first;
}

// Whether some machine here may yet give such an answer, to this item or to one nobody has touched.
bool Job::may_be_given(const Item* item) const {
  const auto& lent = machines_.lent();
  return std::any_of(lent.begin(), lent.end(), [&](const auto& entry) {
    const auto& [name, machine] = entry;
    if (!machines_.has_claim(name)) return false;
    if (!machine.ready && machines_.class_of(name) == nullptr) return true;  // Of any class.
    return is_reference(name) &&
           (item == nullptr || holders(*item).contains(name) || may_vote(name, *item));
  });
}

// One machine alone gives the values, and two or more of another class wait for it.
bool Job::is_class_lonely() const {
  size_t of_reference = 0;
  std::map<std::string, int> others;
  for (const auto& [name, machine] : machines_.lent()) {
    if (!machine.ready || !machines_.has_claim(name)) continue;
    is_reference(name) ? void(++of_reference) : void(++others[*machines_.class_of(name)]);
  }
  const bool are_two =
      std::any_of(others.begin(), others.end(), [](const auto& entry) { return entry.second > 1; });
  return of_reference <= 1 && are_two &&
         std::any_of(items_.wanting().begin(), items_.wanting().end(),
                     [this](uint32_t i) { return items_[i].votes.lacks_candidate(); });
}

// Some item has no answer that could be its value, or one that was outvoted, and no machine that
// could give another.
bool Job::is_class_lost() const {
  const bool outvoted = std::any_of(items_.outvoted().begin(), items_.outvoted().end(),
                                    [this](uint32_t i) { return !may_be_given(&items_[i]); });
  if (outvoted) return true;
  if (items_.wanting().empty()) return false;
  if (!may_be_given(nullptr)) {
    return std::any_of(items_.wanting().begin(), items_.wanting().end(),
                       [this](uint32_t i) { return items_[i].votes.lacks_candidate(); });
  }
  return std::any_of(items_.tried_without_candidate().begin(),
                     items_.tried_without_candidate().end(),
                     [this](uint32_t i) { return !may_be_given(&items_[i]); });
}

void Job::keep_class(Instant now, Effects& effects) {
  if (!class_asked_.empty()) {
    if (class_due_ <= now) ask_for_class(now, class_asked_, effects);
    return effects.wake_by(class_due_);
  }
  const bool none = items_.rules().classes.empty();
  // Nothing has changed since it was last found that all is well.
  if (!none && !work_changed_ && !class_lost_since_) return;
  // Whoever gives the values may be at work elsewhere, though not for ever.
  const bool waits = machines_.others_may_come(now) && now - owners_.last_vote() < kClassPatience;
  if (!none && !is_class_lonely() && (waits || !is_class_lost())) {
    return class_lost_since_.reset();
  }
  const std::string next = fastest_class();
  std::optional<Instant>& since = none ? first_ready_ : class_lost_since_;
  if (next.empty()) return since.reset();
  if (!since) since = now;
  const auto& lent = machines_.lent();
  const bool all_ready = none && !machines_.others_may_come(now) &&
                         std::all_of(lent.begin(), lent.end(), [](const auto& entry) {
                           return entry.second.ready || !entry.second.unable.empty();
                         });
  const Duration quorum_wait = milliseconds(row_.request().quorum_wait_ms());
  const Instant due = *since + (none && may_begin_with(next) ? kClassWait : quorum_wait);
  if (!all_ready && now < due) return effects.wake_by(due);
  if (!none) {
    MUSTER_PROBE("another reference class is committed");
    effects.warn("no machine of class " + items_.rules().classes.back() + " is left; " + next +
                 " gives the values from here on");
  }
  ask_for_class(now, next, effects);
}

// One machine that is ready before all others does not choose alone.
bool Job::may_begin_with(const std::string& numeric_class) const {
  const auto& lent = machines_.lent();
  return std::count_if(lent.begin(), lent.end(), [&](const auto& entry) {
           return entry.second.ready && *machines_.class_of(entry.first) == numeric_class;
         }) > 1;
}

void Job::ask_for_class(Instant now, const std::string& numeric_class, Effects& effects) {
  class_asked_ = numeric_class;
  class_due_ = now + kRepeatEvery;
  pb::Envelope ask = envelope_to_server();
  *ask.mutable_commit_class()->mutable_key() = key_;
  ask.mutable_commit_class()->set_numeric_class(numeric_class);
  effects.send.push_back({std::move(ask)});
  effects.wake_by(class_due_);
}

// A server on an older copy of the database may not know what gives the values.
void Job::say_classes_again(Instant now) {
  if (items_.rules().classes.empty() || !class_asked_.empty()) return;
  class_asked_ = items_.rules().classes.front();
  class_due_ = now;
}

void Job::on_class_committed(Instant now, const pb::ClassCommitted& committed, Effects& effects) {
  const std::string asked = std::exchange(class_asked_, "");
  class_lost_since_.reset();
  const auto& known = committed.numeric_classes();
  // The next of ours that it does not know; each is said once.
  const auto said = std::find(items_.rules().classes.begin(), items_.rules().classes.end(), asked);
  const auto next = std::find_if(said, items_.rules().classes.end(), [&](const std::string& ours) {
    return ours != asked && std::find(known.begin(), known.end(), ours) == known.end();
  });
  if (next != items_.rules().classes.end()) {
    MUSTER_PROBE("a server knows fewer classes than its coordinator");
    return ask_for_class(now, *next, effects);
  }
  if (static_cast<size_t>(committed.numeric_classes_size()) <= items_.rules().classes.size())
    return;
  items_.set_classes({committed.numeric_classes().begin(), committed.numeric_classes().end()});
  rules_changed(now, effects);
}

void Job::rules_changed(Instant now, Effects& effects) {
  work_changed_ = true;
  for (const Item& item : items_) {
    recount(item);
    if (phase_ == Phase::kRunning) {
      settle_if_agreed(now, item, row_.request().redundancy(), effects);
    }
  }
}

}  // namespace muster::roles::coordinator
