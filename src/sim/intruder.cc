#include "sim/intruder.h"

namespace muster::sim {
namespace {

template <typename Part>
std::function<void()> on(Part& part, void (Part::*deed)()) {
  return [&part, deed] { (part.*deed)(); };
}

}  // namespace

std::vector<Intruder::Habit> Intruder::all_habits() {
  return {
      {Act::kInventsVoters, on(feeds_, &FalseFeeds::answer_readers), milliseconds(300)},
      {Act::kInventsVoters, on(feeds_, &FalseFeeds::push_feeds), seconds(3)},
      {Act::kInventsSeals, on(feeds_, &FalseFeeds::answer_readers), milliseconds(300)},
      {Act::kInventsSeals, on(feeds_, &FalseFeeds::push_feeds), seconds(3)},
      {Act::kAnswersUnasked, on(answers_, &UnaskedAnswers::answer_unasked), seconds(1)},
      {Act::kReplays, on(answers_, &UnaskedAnswers::replay), milliseconds(300)},
      {Act::kReplays, on(answers_, &UnaskedAnswers::copy_answers), seconds(2)},
      {Act::kReadsAnswers, on(answers_, &UnaskedAnswers::ask_for_answers), seconds(2)},
      {Act::kAnswersAgain, on(answers_, &UnaskedAnswers::answer_again), seconds(1)},
      {Act::kForgesPoolState, on(forger_, &Forger::forge_pool_state), seconds(3)},
      {Act::kForgesView, on(forger_, &Forger::forge_view), seconds(3)},
      {Act::kForgesEnd, on(forger_, &Forger::forge_end), seconds(2)},
      {Act::kForgesModel, on(forger_, &Forger::forge_model), seconds(2)},
      {Act::kForgesWork, on(forger_, &Forger::forge_work), seconds(1)},
      {Act::kClaimsLeases, on(forger_, &Forger::claim_leases), seconds(2)},
      {Act::kForgesCharges, on(forger_, &Forger::forge_charges), seconds(2)},
      {Act::kForgesLines, on(forger_, &Forger::forge_lines), seconds(2)},
      {Act::kForgesStores, on(forger_, &Forger::forge_stores), seconds(1)},
      {Act::kForgesOrders, on(forger_, &Forger::forge_orders), seconds(1)},
      {Act::kSaysAnything, on(babbler_, &Babbler::say_anything), milliseconds(100)},
      {Act::kMutates, on(babbler_, &Babbler::mutate), milliseconds(100)},
      {Act::kMalforms, on(babbler_, &Babbler::malform), seconds(2)},
      {Act::kLongWords, on(words_, &EndlessWords::say_long_words), seconds(2)},
      {Act::kManyEntries, on(words_, &EndlessWords::say_many_entries), seconds(4)},
      {Act::kFloods, on(words_, &EndlessWords::flood), seconds(10)},
      {Act::kOnlyProgress, on(silence_, &Silence::say_progress), seconds(1)},
  };
}

Intruder::Intruder(World& world, Node& node, const Overheard& overheard, std::vector<Act> acts,
                   bool careful, Rng rng)
    : world_(world),
      node_(node),
      voice_(world, node, overheard, std::move(acts), careful, rng.fork("intruder")),
      feeds_(voice_),
      answers_(voice_, leases_),
      forger_(voice_),
      babbler_(voice_, rng.fork("scribbler")),
      words_(voice_, leases_),
      silence_(voice_, leases_),
      habits_(all_habits()) {}

void Intruder::begin() {
  if (voice_.does(Act::kUnableForEver)) node_.engine.missing_model = true;
  if (voice_.does(Act::kLoadsForEver)) node_.engine.loading = seconds(1'000'000);
  if (voice_.does(Act::kReadsSlowly)) node_.line.bytes_per_second = 2000;
  if (voice_.does(Act::kFloods)) {
    for (const auto& [name, other] : world_.nodes()) {
      if (!other->is_server() && other.get() != &node_) {
        other->line.bytes_per_second = 2'000'000;
      }
    }
  }
  if (voice_.does(Act::kSaysCoordinator)) node_.says_flag = pb::ROLE_FLAG_COORDINATOR;
  for (const Habit& habit : habits_) {
    if (voice_.does(habit.act)) repeat(habit);
  }
}

void Intruder::repeat(const Habit& habit) {
  const auto every = static_cast<uint64_t>(habit.every.count());
  const auto wait = Duration(static_cast<int64_t>(every / 2 + voice_.rng().below(every)));
  world_.agenda.in(wait, [this, &habit] {
    if (resting_) return;
    if (voice_.has_line()) habit.deed();
    repeat(habit);
  });
}

void Intruder::rest() {
  resting_ = true;
  node_.line.bytes_per_second = 0;  // No longer is anything on its way to it.
}

// True: the honest roles do not hear it.
bool Intruder::hears(const pb::Envelope& envelope) {
  leases_.note(envelope);
  return silence_.keeps_prepare(envelope) || feeds_.keeps_reader(envelope);
}

bool Intruder::may_say(pb::Envelope& envelope) {
  return !silence_.keeps_back(envelope) && !silence_.spoils_acknowledgement(envelope) &&
         !silence_.spoils_feed(envelope);
}

}  // namespace muster::sim
