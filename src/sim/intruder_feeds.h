#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/intruder_voice.h"

namespace muster::sim {

// A store that answers whoever asks it with records that it has invented: votes, verdicts and seals
// by keys that nobody knows.
class FalseFeeds {
 public:
  // `voice` outlives the object.
  explicit FalseFeeds(Voice& voice);

  // Who asks this store. True: the honest role does not hear of it.
  bool keeps_reader(const pb::Envelope& envelope);
  // What waits: each reader hears some at a time, and everything once.
  void answer_readers();
  // To stores that have not asked.
  void push_feeds();

 private:
  [[nodiscard]] pb::Envelope answer_to(const std::string& id, const pb::Subscribe& ask);
  [[nodiscard]] std::vector<pb::SignedRecord> invented(const OverheardRun& run);
  void invent_votes(pb::Record& record, std::vector<pb::SignedRecord>& records);
  void invent_verdict(const OverheardRun& run, pb::Record& record,
                      std::vector<pb::SignedRecord>& records);
  void invent_seals(const OverheardRun& run, std::vector<pb::SignedRecord>& records);

  Voice& voice_;
  Node& node_;
  const Overheard& overheard_;
  Rng& rng_;
  std::map<std::string, pb::Envelope> readers_;  // Who waits for a feed, by whom and what.
  std::map<std::string, size_t> fed_;            // How much of what is invented each has.
};

}  // namespace muster::sim
