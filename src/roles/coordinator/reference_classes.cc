#include "roles/coordinator/reference_classes.h"

#include <algorithm>
#include <map>

#include "base/probe.h"
#include "roles/coordinator/voters.h"
#include "wire/envelope.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kClassWait = seconds(2);       // For other machines to be ready too.
constexpr Duration kClassPatience = seconds(60);  // Without a vote.

using Speeds = std::map<std::string, double>;  // By class.

// A machine that was not measured counts for little, but counts.
Speeds speeds_here(const Situation& s) {
  Speeds speeds;
  for (const auto& [name, machine] : s.machines.lent()) {
    if (!machine.ready || s.is_reference(name) || !s.machines.has_claim(name)) continue;
    speeds[*s.machines.class_of(name)] += std::max(1.0, machine.bytes_per_second);
  }
  return speeds;
}

// Of those that are not on the list yet, the one with the most speed. With nobody there any more,
// that of the answers there are; nor any such answer, that of the machines that were here and could
// come again. Empty: there is none.
std::string fastest_class(const Situation& s) {
  Speeds speeds = speeds_here(s);
  for (uint32_t i : s.items.wanting()) {
    if (!speeds.empty() && !s.machines.lent().empty()) break;
    if (!s.items[i].votes.lacks_candidate()) continue;
    for (const Vote& vote : s.items[i].votes.all()) speeds[vote.numeric_class] += 1;
  }
  const bool nobody = speeds.empty();
  for (const auto& [name, known] : s.machines.known()) {
    const bool was_ready = !known.numeric_class.empty();
    if (!nobody || !was_ready || s.is_reference(name) || s.standings.is_quarantined(name)) continue;
    speeds[known.numeric_class] += 1;
  }
  const auto fastest = std::max_element(speeds.begin(), speeds.end(),
                                        [](auto& a, auto& b) { return a.second < b.second; });
  return fastest == speeds.end() ? "" : fastest->first;
}

// Whoever here can give items their values; none if a machine may yet turn out to be of any class.
std::optional<std::vector<std::string>> givers_here(const Situation& s) {
  std::vector<std::string> givers;
  for (const auto& [name, machine] : s.machines.lent()) {
    if (!s.machines.has_claim(name)) continue;
    if (!machine.ready && s.machines.class_of(name) == nullptr) return std::nullopt;
    if (s.is_reference(name)) givers.push_back(name);
  }
  return givers;
}

bool some_wanting_lacks_candidate(const Situation& s) {
  const auto& wanting = s.items.wanting();
  return std::any_of(wanting.begin(), wanting.end(),
                     [&](uint32_t i) { return s.items[i].votes.lacks_candidate(); });
}

// One machine alone gives the values, and two or more of another class wait for it.
bool is_class_lonely(const Situation& s) {
  size_t of_reference = 0;
  std::map<std::string, int> others;
  for (const auto& [name, machine] : s.machines.lent()) {
    if (!machine.ready || !s.machines.has_claim(name)) continue;
    s.is_reference(name) ? void(++of_reference) : void(++others[*s.machines.class_of(name)]);
  }
  const bool are_two =
      std::any_of(others.begin(), others.end(), [](const auto& entry) { return entry.second > 1; });
  return of_reference <= 1 && are_two && some_wanting_lacks_candidate(s);
}

// Some item has no answer that could be its value, or one that was outvoted, and no machine that
// could give another.
bool is_class_lost(const Situation& s) {
  const auto givers = givers_here(s);
  if (!givers) return false;
  const auto cannot_be_given = [&](uint32_t i) {
    const Item& item = s.items[i];
    return std::none_of(givers->begin(), givers->end(), [&](const std::string& name) {
      return s.holders(item).contains(name) || may_vote(s, name, item);
    });
  };
  const auto& outvoted = s.items.outvoted();
  if (std::any_of(outvoted.begin(), outvoted.end(), cannot_be_given)) return true;
  if (givers->empty()) return some_wanting_lacks_candidate(s);
  const auto& tried = s.items.tried_without_candidate();
  return std::any_of(tried.begin(), tried.end(), cannot_be_given);
}

// From one look at the items to the next: ten times what the first takes, or more.
Duration time_between_looks(const Items& items) {
  return milliseconds((items.wanting().size() + items.outvoted().size()) / 100);
}

// One machine that is ready before all others does not choose alone.
bool may_begin_with(const Situation& s, const std::string& numeric_class) {
  const auto& lent = s.machines.lent();
  return std::count_if(lent.begin(), lent.end(), [&](const auto& entry) {
           return entry.second.ready && *s.machines.class_of(entry.first) == numeric_class;
         }) > 1;
}

bool are_all_ready(const Situation& s) {
  const auto& lent = s.machines.lent();
  return std::all_of(lent.begin(), lent.end(), [](const auto& entry) {
    return entry.second.ready || !entry.second.unable.empty();
  });
}

}  // namespace

void ReferenceClasses::keep(Instant now, const Situation& s, bool changed, Duration quorum_wait,
                            Effects& effects) {
  must_look_ = must_look_ || changed;
  if (is_asking()) return insist(now, asked_, effects);
  const VotingRules& rules = s.items.rules();
  const bool none = rules.classes.empty();
  must_look_ = must_look_ || none || lost_since_;
  if (!must_look_) return;
  if (!none && now < next_look_) return effects.wake_by(next_look_);
  must_look_ = false;
  next_look_ = now + time_between_looks(s.items);
  // Whoever gives the values may be at work elsewhere, though not for ever.
  const bool others_may_come = s.machines.others_may_come(now);
  const bool waits = others_may_come && now - s.owners.last_vote() < kClassPatience;
  if (!none && !is_class_lonely(s) && (waits || !is_class_lost(s))) return lost_since_.reset();
  const std::string next = fastest_class(s);
  std::optional<Instant>& since = none ? first_ready_ : lost_since_;
  if (next.empty()) return since.reset();
  if (!since) since = now;
  const bool all_ready = none && !others_may_come && are_all_ready(s);
  const Instant due = *since + (none && may_begin_with(s, next) ? kClassWait : quorum_wait);
  if (!all_ready && now < due) return effects.wake_by(due);
  if (!none) {
    MUSTER_PROBE("another reference class is committed");
    effects.warn("class " + rules.classes.back() + " does not give all values any more; " + next +
                 " gives the values from here on, too");
  }
  ask_for(now, next, effects);
}

void ReferenceClasses::ask_for(Instant now, const std::string& numeric_class, Effects& effects) {
  asked_ = numeric_class;
  due_ = now + kRepeatEvery;
  pb::Envelope ask = envelope_to_server();
  *ask.mutable_commit_class()->mutable_key() = key_;
  ask.mutable_commit_class()->set_numeric_class(numeric_class);
  effects.send.push_back({std::move(ask)});
  effects.wake_by(due_);
}

void ReferenceClasses::insist(Instant now, const std::string& numeric_class, Effects& effects) {
  if (due_ <= now) ask_for(now, std::string(numeric_class), effects);
  effects.wake_by(due_);
}

void ReferenceClasses::say_again(Instant now, const VotingRules& rules) {
  if (rules.classes.empty() || is_asking()) return;
  asked_ = rules.classes.front();
  due_ = now;
}

std::optional<std::vector<std::string>> ReferenceClasses::on_committed(
    Instant now, const pb::ClassCommitted& committed, const VotingRules& rules, Effects& effects) {
  const std::string asked = std::exchange(asked_, "");
  lost_since_.reset();
  const auto& known = committed.numeric_classes();
  // The next of ours that it does not know; each is said once.
  const auto said = std::find(rules.classes.begin(), rules.classes.end(), asked);
  const auto next = std::find_if(said, rules.classes.end(), [&](const std::string& ours) {
    return ours != asked && std::find(known.begin(), known.end(), ours) == known.end();
  });
  if (next != rules.classes.end()) {
    MUSTER_PROBE("a server knows fewer classes than its coordinator");
    ask_for(now, *next, effects);
    return std::nullopt;
  }
  if (static_cast<size_t>(known.size()) <= rules.classes.size()) return std::nullopt;
  return std::vector<std::string>(known.begin(), known.end());
}

}  // namespace muster::roles::coordinator
