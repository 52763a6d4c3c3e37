#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace muster::sim {

// What an intruder does: each is small, has a name and can be drawn alone.
enum class Act {
  // Votes and verdicts that nobody asked for.
  kInventsVoters,   // A store that is asked answers with records of keys it made up.
  kInventsSeals,    // The same with seals and settled records.
  kAnswersUnasked,  // Puts answers to every item into every store.
  kReplays,         // What was said once, and records signed anew for another item, run or lease.
  kReadsAnswers,    // Asks stores for what others answered.
  kAnswersAgain,    // What it was asked, again and again, otherwise each time.
  // Bodies that are not its to say.
  kForgesPoolState,
  kForgesView,
  kForgesEnd,      // Finish, Finished, CancelJob.
  kForgesModel,    // Prepare.
  kForgesWork,     // Progress, LeaseFailed, Ready, Unable of other machines.
  kClaimsLeases,   // Ready, with leases that it was never granted.
  kForgesCharges,  // ReportCharge, ChargeNoted, quarantine.
  kForgesLines,    // Refused, Challenge, Hello, Heartbeat.
  kForgesStores,   // CaughtUp, StoreState, PutDone, MissingDigests, CompareRanges.
  kForgesOrders,   // Grant, Withdraw, Assign, Lend, WantWorkers and the commits.
  kSaysAnything,   // Every body there is, filled at random.
  kMutates,        // Copies of what was said, altered.
  kMalforms,       // Names of records that are none.
  // Words without end.
  kLongWords,
  kManyEntries,
  kFloods,  // One machine, with more than its line can take.
  kReadsSlowly,
  // Silence in a duty.
  kCopiesNothing,
  kAcknowledgesNothing,
  kFeedsNothing,
  kNeverAtEnd,
  kFeedsNonsense,
  kRefuses,       // Every record that is put.
  kDrips,         // Acknowledges a record every seven seconds.
  kTrickles,      // Feeds a record every seven seconds.
  kWithholds,     // Feeds no answers but its own.
  kOnlyProgress,  // Takes leases and says that it goes on.
  kTakesLeases,   // Takes leases and says nothing.
  kOwnClass,      // Is ready at once with a class of its own, and then nothing.
  kLoadsForEver,
  kUnableForEver,
  // Of another office.
  kSaysCoordinator,  // That it is one, in its Hello.
};

struct ActDraw {
  Act act;
  const char* name;
};
// Every act, once.
const std::vector<ActDraw>& all_acts();
const char* to_string(Act act);
std::optional<Act> act_named(std::string_view name);

// Whether it needs to be a store of the view, or a machine that is lent.
bool is_of_store(Act act);
bool is_of_worker(Act act);
// Whether it may answer wrongly what it was asked for, too: then it is a liar like others.
bool lies(Act act);

}  // namespace muster::sim
