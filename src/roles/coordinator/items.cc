#include "roles/coordinator/items.h"

#include "base/check.h"
#include "wire/item_requests.h"

namespace muster::roles::coordinator {
namespace {

constexpr size_t kMostItems = 1'000'000;
constexpr size_t kMostRequestBytes = 256u << 10;  // Of one item: a grant has room for two.
constexpr uint64_t kOneInChecked = 20;  // Items of a trusted machine that others answer too.

pb::ItemRequests to_requests(uint32_t index, const eval::Item& item) {
  pb::ItemRequests out;
  out.set_item(index);
  out.set_digest(std::string(eval::request_digest(item.requests).view()));
  pack_requests(item.requests, out);
  return out;
}

size_t text_bytes(const pb::ItemRequests& requests) {
  size_t bytes = 1;
  for (const auto& request : requests.requests()) {
    bytes += request.context().size() + request.continuation().size();
  }
  return bytes;
}

void put(Items::Indices& items, uint32_t index, bool in) {
  in ? void(items.insert(index)) : void(items.erase(index));
}

}  // namespace

bool Item::excludes(const std::string& machine) const {
  const auto found = failures.find(machine);
  return found != failures.end() && found->second >= kExcludedAt;
}

std::set<std::string> Item::excluded() const {
  std::set<std::string> machines;
  for (const auto& [machine, count] : failures) {
    if (excludes(machine)) machines.insert(machine);
  }
  return machines;
}

void Items::freeze(std::shared_ptr<const FrozenTasks> tasks, Rng& rng) {
  tasks_ = std::move(tasks);
  std::vector<Digest> digests;
  for (size_t task = 0; task < tasks_->size(); ++task) {
    for (const eval::Item& item : (*tasks_)[task].items) {
      Item state{.item = &item, .task = task};
      state.requests = to_requests(static_cast<uint32_t>(items_.size()), item);
      state.bytes = text_bytes(state.requests);
      state.is_check = rng.below(kOneInChecked) == 0;
      digests.push_back(eval::request_digest(item.requests));
      items_.push_back(std::move(state));
    }
  }
  for (Item& item : items_) refresh(item);
  digest_ = std::string(eval::frozen_digest(digests).view());
}

std::string Items::too_large() const {
  if (items_.size() > kMostItems) return "the job has more than a million items; use --limit";
  for (const Item& item : items_) {
    if (item.bytes <= kMostRequestBytes) continue;
    return name_of(item) + " asks for " + std::to_string(item.bytes >> 10) +
           " KiB of text; an item may have 256 KiB";
  }
  return "";
}

void Items::set_classes(std::vector<std::string> classes) {
  rules_.classes = rules_by_machine_.classes = std::move(classes);
}

void Items::set_distinct_owners(bool distinct) { rules_.distinct_owners = distinct; }

void Items::recount(uint32_t index, bool by_machine) {
  Item& item = items_[index];
  item.by_machine = by_machine;
  item.votes.recount(rules_of(item));
  refresh(item);
}

void Items::refresh_votes_of(const std::string& machine) {
  for (Item& item : items_) {
    if (item.votes.has(machine)) refresh(item);
  }
}

ItemVotes::Added Items::vote(uint32_t index, Vote vote) {
  Item& item = items_[index];
  const std::string numeric_class = vote.numeric_class;
  if (item.is_first(vote.machine)) item.first = vote.machine;
  const ItemVotes::Added added = item.votes.add(std::move(vote), rules_of(item));
  if (added != ItemVotes::Added::kNew) return added;
  if (classes_.size() < kMostClasses) classes_.insert(numeric_class);
  refresh(item);
  return added;
}

bool Items::distrust(uint32_t index, const std::string& machine) {
  Item& item = items_[index];
  const bool had_voted = item.votes.distrust(machine, rules_of(item));
  if (had_voted) refresh(item);
  return had_voted;
}

void Items::accept_late(uint32_t index) {
  Item& item = items_[index];
  item.votes.accept_late(rules_of(item));
  refresh(item);
}

void Items::settle(uint32_t index, Vote value, size_t votes) {
  Item& item = items_[index];
  MUSTER_CHECK(!item.is_settled() && votes > 0);
  item.value = std::move(value);
  item.votes_at_settling = votes;
  ++settled_;
  refresh(item);
}

void Items::acknowledge(uint32_t index) {
  if (!std::exchange(items_[index].acknowledged, true)) ++acknowledged_;
}

void Items::fail(uint32_t index, const std::string& machine, int weight, const std::string& why) {
  Item& item = items_[index];
  item.failures[machine] += weight;
  item.last_failure = why;
  refresh(item);
}

void Items::choose(uint32_t index, const std::string& machine, Instant until) {
  items_[index].chosen = machine;
  items_[index].chosen_until = until;
}

std::string Items::name_of(const Item& item) const {
  return (*tasks_)[item.task].task + " item " + std::to_string(item.item->doc_id);
}

size_t Items::needed(const Item& item, size_t enough) {
  const bool full = item.votes.size() >= ItemVotes::kMostAsked && !item.votes.lacks_candidate();
  return item.is_settled() || full ? 0 : item.votes.wanted(enough);
}

void Items::refresh(Item& item) {
  ++changes_;
  const size_t enough = enough_(item);
  const size_t wants = needed(item, enough);
  const bool provisional = !item.is_settled() && wants == 0 && enough < redundancy_;
  votes_wanted_ += wants - item.needed;
  provisional_ += (provisional ? 1 : 0) - (item.provisional ? 1 : 0);
  item.needed = wants;
  item.provisional = provisional;
  const bool touched = item.votes.size() > 0 || !item.failures.empty();
  put(wanting_, item.index(), wants > 0);
  put(tried_, item.index(), wants > 0 && touched && item.votes.lacks_candidate());
  put(by_lot_, item.index(), wants > 0 && item.needs_lot());
  put(outvoted_, item.index(), !item.is_settled() && item.votes.outvotes_candidates());
}

void Items::check() const {
  Indices wanting, by_lot, tried, outvoted;
  size_t votes_wanted = 0, settled = 0, acknowledged = 0, provisional = 0;
  for (const Item& item : items_) {
    MUSTER_CHECK(&item == &items_[item.index()]);
    MUSTER_CHECK(item.needed == needed(item, enough_(item)));
    MUSTER_CHECK(!item.provisional || (!item.is_settled() && item.needed == 0));
    MUSTER_CHECK(!item.acknowledged || item.is_settled());
    votes_wanted += item.needed;
    settled += item.is_settled() ? 1 : 0;
    acknowledged += item.acknowledged ? 1 : 0;
    provisional += item.provisional ? 1 : 0;
    const bool touched = item.votes.size() > 0 || !item.failures.empty();
    put(wanting, item.index(), item.needed > 0);
    put(by_lot, item.index(), item.needed > 0 && item.needs_lot());
    put(tried, item.index(), item.needed > 0 && touched && item.votes.lacks_candidate());
    put(outvoted, item.index(), !item.is_settled() && item.votes.outvotes_candidates());
  }
  MUSTER_CHECK(wanting == wanting_ && by_lot == by_lot_ && tried == tried_ &&
               outvoted == outvoted_);
  MUSTER_CHECK(votes_wanted == votes_wanted_ && settled == settled_ &&
               acknowledged == acknowledged_ && provisional == provisional_);
}

}  // namespace muster::roles::coordinator
