#include "sim/acts.h"

#include <algorithm>

namespace muster::sim {

const std::vector<ActDraw>& all_acts() {
  static const std::vector<ActDraw> acts = {
      {Act::kInventsVoters, "invents voters"},
      {Act::kInventsSeals, "invents seals"},
      {Act::kAnswersUnasked, "answers unasked"},
      {Act::kReplays, "replays"},
      {Act::kReadsAnswers, "reads answers"},
      {Act::kAnswersAgain, "answers again"},
      {Act::kForgesPoolState, "forges pool state"},
      {Act::kForgesView, "forges view"},
      {Act::kForgesEnd, "forges end"},
      {Act::kForgesModel, "forges model"},
      {Act::kForgesWork, "forges work"},
      {Act::kClaimsLeases, "claims leases"},
      {Act::kForgesCharges, "forges charges"},
      {Act::kForgesLines, "forges lines"},
      {Act::kForgesStores, "forges stores"},
      {Act::kForgesOrders, "forges orders"},
      {Act::kSaysAnything, "says anything"},
      {Act::kMutates, "mutates"},
      {Act::kMalforms, "malforms"},
      {Act::kLongWords, "long words"},
      {Act::kManyEntries, "many entries"},
      {Act::kFloods, "floods"},
      {Act::kReadsSlowly, "reads slowly"},
      {Act::kCopiesNothing, "copies nothing"},
      {Act::kAcknowledgesNothing, "acknowledges nothing"},
      {Act::kFeedsNothing, "feeds nothing"},
      {Act::kNeverAtEnd, "never at end"},
      {Act::kFeedsNonsense, "feeds nonsense"},
      {Act::kRefuses, "refuses"},
      {Act::kDrips, "drips"},
      {Act::kTrickles, "trickles"},
      {Act::kWithholds, "withholds"},
      {Act::kOnlyProgress, "only progress"},
      {Act::kTakesLeases, "takes leases"},
      {Act::kOwnClass, "own class"},
      {Act::kLoadsForEver, "loads for ever"},
      {Act::kUnableForEver, "unable for ever"},
      {Act::kSaysCoordinator, "says coordinator"},
  };
  return acts;
}

const char* to_string(Act act) {
  return std::find_if(all_acts().begin(), all_acts().end(),
                      [act](const ActDraw& draw) { return draw.act == act; })
      ->name;
}

std::optional<Act> act_named(std::string_view name) {
  for (const ActDraw& draw : all_acts()) {
    if (draw.name == name) return draw.act;
  }
  return std::nullopt;
}

bool is_of_store(Act act) {
  return act == Act::kInventsVoters || act == Act::kInventsSeals || act == Act::kCopiesNothing ||
         act == Act::kAcknowledgesNothing || act == Act::kFeedsNothing || act == Act::kNeverAtEnd ||
         act == Act::kFeedsNonsense || act == Act::kRefuses || act == Act::kDrips ||
         act == Act::kTrickles || act == Act::kWithholds;
}

bool is_of_worker(Act act) {
  return act == Act::kOnlyProgress || act == Act::kTakesLeases || act == Act::kOwnClass ||
         act == Act::kLoadsForEver || act == Act::kUnableForEver || act == Act::kClaimsLeases ||
         act == Act::kAnswersAgain;
}

bool lies(Act act) {
  return act == Act::kAnswersUnasked || act == Act::kAnswersAgain || act == Act::kReplays ||
         act == Act::kMutates || act == Act::kInventsVoters || act == Act::kLongWords;
}

}  // namespace muster::sim
