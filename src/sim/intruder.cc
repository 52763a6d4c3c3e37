#include "sim/intruder.h"

#include <algorithm>

#include "roles/message.h"
#include "wire/line_rules.h"

namespace muster::sim {
namespace {

constexpr size_t kMostLeases = 64;

}  // namespace

const std::vector<Intruder::Habit>& Intruder::habits() {
  static const std::vector<Habit> habits = {
      {Act::kInventsVoters, &Intruder::answer_readers, milliseconds(300)},
      {Act::kInventsVoters, &Intruder::push_feeds, seconds(3)},
      {Act::kInventsSeals, &Intruder::answer_readers, milliseconds(300)},
      {Act::kInventsSeals, &Intruder::push_feeds, seconds(3)},
      {Act::kAnswersUnasked, &Intruder::answer_unasked, seconds(1)},
      {Act::kReplays, &Intruder::replay, milliseconds(300)},
      {Act::kReplays, &Intruder::copy_answers, seconds(2)},
      {Act::kReadsAnswers, &Intruder::ask_for_answers, seconds(2)},
      {Act::kAnswersAgain, &Intruder::answer_again, seconds(1)},
      {Act::kForgesPoolState, &Intruder::forge_pool_state, seconds(3)},
      {Act::kForgesView, &Intruder::forge_view, seconds(3)},
      {Act::kForgesEnd, &Intruder::forge_end, seconds(2)},
      {Act::kForgesModel, &Intruder::forge_model, seconds(2)},
      {Act::kForgesWork, &Intruder::forge_work, seconds(1)},
      {Act::kClaimsLeases, &Intruder::claim_leases, seconds(2)},
      {Act::kForgesCharges, &Intruder::forge_charges, seconds(2)},
      {Act::kForgesLines, &Intruder::forge_lines, seconds(2)},
      {Act::kForgesStores, &Intruder::forge_stores, seconds(1)},
      {Act::kForgesOrders, &Intruder::forge_orders, seconds(1)},
      {Act::kSaysAnything, &Intruder::say_anything, milliseconds(100)},
      {Act::kMutates, &Intruder::mutate, milliseconds(100)},
      {Act::kMalforms, &Intruder::malform, seconds(2)},
      {Act::kLongWords, &Intruder::say_long_words, seconds(2)},
      {Act::kManyEntries, &Intruder::say_many_entries, seconds(4)},
      {Act::kFloods, &Intruder::flood, seconds(10)},
      {Act::kOnlyProgress, &Intruder::say_progress, seconds(1)},
  };
  return habits;
}

Intruder::Intruder(World& world, Node& node, const Overheard& overheard, std::vector<Act> acts,
                   bool careful, Rng rng)
    : world_(world),
      node_(node),
      overheard_(overheard),
      acts_(std::move(acts)),
      rng_(rng.fork("intruder")),
      scribbler_(rng.fork("scribbler")),
      careful_(careful) {
  for (const auto& [name, other] : world.nodes()) {
    scribbler_.steal_text(other->machine);
    scribbler_.steal_text(other->records.store_id());
  }
}

bool Intruder::does(Act act) const {
  return std::find(acts_.begin(), acts_.end(), act) != acts_.end();
}

void Intruder::begin() {
  if (does(Act::kUnableForEver)) node_.engine.missing_model = true;
  if (does(Act::kLoadsForEver)) node_.engine.loading = seconds(1'000'000);
  if (does(Act::kReadsSlowly)) node_.bytes_per_second = 2000;
  if (does(Act::kFloods)) {
    for (const auto& [name, other] : world_.nodes()) {
      if (!other->is_server() && other.get() != &node_) other->bytes_per_second = 2'000'000;
    }
  }
  if (does(Act::kSaysCoordinator)) node_.says_flag = pb::ROLE_FLAG_COORDINATOR;
  for (const Habit& habit : habits()) {
    if (does(habit.act)) repeat(habit);
  }
}

void Intruder::repeat(const Habit& habit) {
  const auto every = static_cast<uint64_t>(habit.every.count());
  world_.agenda.in(Duration(static_cast<int64_t>(every / 2 + rng_.below(every))), [this, &habit] {
    if (resting_) return;
    if (node_.session != 0) (this->*habit.deed)();
    repeat(habit);
  });
}

void Intruder::rest() {
  resting_ = true;
  node_.bytes_per_second = 0;  // No longer is anything on its way to it.
}

// True: the honest roles do not hear it.
bool Intruder::hears(const pb::Envelope& envelope) {
  if (envelope.has_grant()) {
    leases_.emplace_back(envelope.from().machine(), envelope.grant());
    if (leases_.size() > kMostLeases) leases_.erase(leases_.begin());
  }
  if (envelope.has_prepare() && does(Act::kOwnClass)) {
    be_ready_at_once(envelope.prepare(), envelope.from().machine());
    return true;
  }
  return keeps_reader(envelope);
}

bool Intruder::may_say(pb::Envelope& envelope) {
  return !keeps_back(envelope) && !spoils_acknowledgement(envelope) && !spoils_feed(envelope);
}

void Intruder::say(pb::Role as, pb::Role to_role, const std::string& to, pb::Envelope envelope) {
  envelope.mutable_from()->set_role(as);
  *envelope.mutable_to() = roles::address(to_role, to);
  if (node_.session == 0 || (careful_ && !passes(envelope))) return;
  world_.send(node_, std::move(envelope));
}

// As it is, or by the other of its roles.
bool Intruder::passes(pb::Envelope& envelope) const {
  for (const pb::Role as : {envelope.from().role(), pb::ROLE_WORKER, pb::ROLE_STORAGE}) {
    envelope.mutable_from()->set_role(as);
    if (wire::judge(envelope, node_.flag).passes) return true;
  }
  return false;
}

void Intruder::say_to_server(pb::Envelope envelope) {
  const pb::Role as = rng_.below(3) == 0 ? pb::ROLE_COORDINATOR : pb::ROLE_WORKER;
  pb::Envelope also = envelope;
  say(as, pb::ROLE_SERVER, "", std::move(envelope));
  if (as == pb::ROLE_COORDINATOR) say(pb::ROLE_STORAGE, pb::ROLE_SERVER, "", std::move(also));
}

void Intruder::say_to_stores(const std::function<void(pb::Envelope&)>& fill) {
  for (const auto* list : {&overheard_.view().members(), &overheard_.view().joiners()}) {
    for (const pb::Member& store : *list) {
      if (store.machine() == node_.machine) continue;
      pb::Envelope envelope;
      fill(envelope);
      say(pb::ROLE_STORAGE, pb::ROLE_STORAGE, store.machine(), std::move(envelope));
    }
  }
}

void Intruder::say_to_all(pb::Role role, const std::function<void(pb::Envelope&)>& fill) {
  for (const auto& [name, other] : world_.nodes()) {
    if (other->is_server() || other.get() == &node_) continue;
    const bool coordinator = other->flag == pb::ROLE_FLAG_COORDINATOR;
    if (role != pb::ROLE_UNSPECIFIED && coordinator != (role == pb::ROLE_COORDINATOR)) continue;
    pb::Envelope envelope;
    fill(envelope);
    say(pb::ROLE_WORKER, role, other->machine, std::move(envelope));
  }
}

const Node& Intruder::anybody() {
  const auto which = static_cast<std::ptrdiff_t>(rng_.below(world_.nodes().size()));
  return *std::next(world_.nodes().begin(), which)->second;
}

HashKeys Intruder::made_up_keys() {
  return keys_of(node_.name + " made up " + std::to_string(made_up_++ % 8));
}

}  // namespace muster::sim
