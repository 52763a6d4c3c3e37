#include "roles/coordinator/waiting.h"

#include <algorithm>

#include "roles/coordinator/allocation.h"
#include "roles/coordinator/voters.h"
#include "wire/short_id.h"

namespace muster::roles::coordinator {
namespace {

constexpr int kMostAttempts = 3;  // At having the model ready.

// What the machines that are here do before they are ready, or why they cannot be; somebody at
// work: nothing.
std::string waiting_for_the_model(const Situation& s) {
  std::string unable, preparing;
  bool all_ready = true;
  for (const auto& [name, machine] : s.machines.lent()) {
    all_ready &= machine.ready;
    if (!machine.ready && !machine.preparing.empty()) preparing = ": " + machine.preparing;
    if (!machine.unable.empty()) unable = "machine " + short_id(name) + ": " + machine.unable;
  }
  if (all_ready) return "machines pause after an attempt that failed";
  return unable.empty() ? "machines are loading the model" + preparing : unable;
}

}  // namespace

bool is_stuck(const Situation& s, Instant now) {
  if (!s.leases.empty() || s.machines.others_may_come(now)) return false;
  const auto& lent = s.machines.lent();
  const bool can_go_on = std::any_of(lent.begin(), lent.end(), [&](const auto& entry) {
    return s.machines.may_serve(entry.first) && is_useful(s, entry.first);
  });
  return !can_go_on && s.items.settled() < s.items.size();
}

const Error* nobody_has_the_model(const Situation& s) {
  if (!s.items.answered_classes().empty()) return nullptr;
  const Error *missing = nullptr, *cannot = nullptr;
  bool has_hope = false;
  for (const auto& [name, entry] : s.machines.backoffs().all()) {
    if (entry.why.code == Code::kNotFound) missing = &entry.why;
    // Nor has whoever says that it has it, and answers nothing.
    const bool is_final = entry.why.code == Code::kNotFound || entry.why.code == Code::kFailed;
    has_hope |= !is_final && (entry.why.code == Code::kUnavailable || entry.times < kMostAttempts);
    if (entry.times >= kMostAttempts) cannot = &entry.why;
  }
  if (has_hope) return nullptr;
  return missing != nullptr ? missing : cannot;
}

const Item* crashes_all(const Situation& s) {
  for (const auto& [index, since] : s.items.excluded_since()) {
    if (has_nobody(s, s.items[index])) return &s.items[index];
  }
  return nullptr;
}

std::string describe_excluded(const Items& items, const Item& item) {
  return items.name_of(item) + " failed twice on each of " + short_ids(item.excluded()) + " (" +
         item.last_failure + ")";
}

std::string waiting_reason(const Situation& s, bool class_is_lost, bool stuck) {
  if (const Item* item = crashes_all(s)) {
    return describe_excluded(s.items, *item) + "; waiting for another machine";
  }
  const auto& lent = s.machines.lent();
  const auto& backoffs = s.machines.backoffs().all();
  if (lent.empty() && !backoffs.empty()) {
    const auto& [name, entry] = *backoffs.begin();
    return "machine " + short_id(name) + ": " + entry.why.message + "; it is asked again later";
  }
  if (lent.empty()) return "no machine is free to compute";
  if (class_is_lost) {
    return "waiting for a machine of class " + s.items.rules().classes.back() +
           ", which gives the values";
  }
  if (!s.leases.empty()) return "";
  const bool some_cannot = std::any_of(
      lent.begin(), lent.end(), [](const auto& entry) { return !entry.second.unable.empty(); });
  if (some_cannot) return waiting_for_the_model(s);
  if (s.items.settled() == s.items.size()) {
    return "waiting for the storage nodes to keep what is settled";
  }
  if (stuck) return "too few machines can vote; waiting for another";
  return waiting_for_the_model(s);
}

}  // namespace muster::roles::coordinator
