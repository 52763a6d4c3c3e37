#include "sim/intruder_feeds.h"

#include <algorithm>
#include <utility>

#include "sim/intruder_records.h"
#include "wire/record.h"

namespace muster::sim {

FalseFeeds::FalseFeeds(Voice& voice)
    : voice_(voice), node_(voice.node()), overheard_(voice.overheard()), rng_(voice.rng()) {}

bool FalseFeeds::keeps_reader(const pb::Envelope& envelope) {
  if (!envelope.has_subscribe()) return false;
  if (!voice_.does(Act::kInventsVoters) && !voice_.does(Act::kInventsSeals)) return false;
  const pb::Subscribe& ask = envelope.subscribe();
  readers_[envelope.from().machine() + ask.job() + std::to_string(ask.run()) +
           (ask.copying() ? "c" : "r")] = envelope;
  return true;
}

void FalseFeeds::answer_readers() {
  for (const auto& [id, envelope] : std::map(readers_)) {
    const pb::Subscribe& ask = envelope.subscribe();
    pb::Envelope answer = answer_to(id, ask);
    // It waits for more.
    if (answer.feed().records().empty() && ask.cursor() > 0 && !ask.copying()) continue;
    voice_.say(pb::ROLE_STORAGE, envelope.from().role(), envelope.from().machine(),
               std::move(answer));
    readers_.erase(id);
  }
}

pb::Envelope FalseFeeds::answer_to(const std::string& id, const pb::Subscribe& ask) {
  pb::Envelope answer;
  pb::Feed& feed = *answer.mutable_feed();
  feed.set_job(ask.job());
  feed.set_run(ask.run());
  feed.set_from(ask.cursor());
  feed.set_next(ask.cursor() + 1);
  feed.set_epoch(ask.epoch());
  feed.set_view(ask.view());
  feed.set_copying(ask.copying());
  feed.set_picked(!ask.digests().empty());
  feed.set_at_end(true);
  size_t& fed = fed_[id + std::to_string(ask.epoch())];
  const auto run = overheard_.runs().find(wire::run_key(ask));
  if (run == overheard_.runs().end()) return answer;
  const auto records = invented(run->second);
  for (size_t n = 0; n < kRecordsAtOnce && fed < records.size(); ++n) {
    *feed.add_records() = records[fed++];
  }
  return answer;
}

void FalseFeeds::push_feeds() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  const auto records = invented(*run);
  if (records.empty()) return;
  const bool picked = rng_.below(3) != 0;
  const size_t first = rng_.below(records.size());
  voice_.say_to_stores([&](pb::Envelope& envelope) {
    pb::Feed& feed = *envelope.mutable_feed();
    feed.set_job(run->key.job());
    feed.set_run(run->key.run());
    feed.set_copying(true);
    feed.set_picked(picked);
    feed.set_at_end(true);
    feed.set_view(overheard_.view().number());
    feed.set_next(1000);
    for (size_t n = 0; n < std::min(kRecordsAtOnce, records.size()); ++n)
      *feed.add_records() = records[(first + n) % records.size()];
    // The seals are the last.
    for (size_t n = 0; n < std::min<size_t>(3, records.size()); ++n)
      *feed.add_records() = records[records.size() - 1 - n];
  });
}

// Answers of two voters to every item, or seals and verdicts.
std::vector<pb::SignedRecord> FalseFeeds::invented(const OverheardRun& run) {
  std::vector<pb::SignedRecord> records;
  for (const auto& [number, item] : run.items) {
    pb::Record record = wrong_answer(run, item);
    if (voice_.does(Act::kInventsVoters)) invent_votes(record, records);
    if (voice_.does(Act::kInventsSeals)) invent_verdict(run, record, records);
  }
  if (voice_.does(Act::kInventsSeals)) invent_seals(run, records);
  return records;
}

void FalseFeeds::invent_votes(pb::Record& record, std::vector<pb::SignedRecord>& records) {
  for (int voter = 0; voter < 2; ++voter) {
    const HashKeys keys = keys_of(node_.name + " voter " + std::to_string(voter));
    const bool steals = rng_.below(2) == 0;
    const std::string owner = "owner " + std::to_string(voter);
    if (!steals) {
      *record.mutable_answer()->mutable_grant() = terms_of_its_own(record, keys, owner, rng_);
    }
    records.push_back(wire::sign_record(record, keys));
  }
}

// `record` is an answer, and is none any more.
void FalseFeeds::invent_verdict(const OverheardRun& run, pb::Record& record,
                                std::vector<pb::SignedRecord>& records) {
  pb::Settled settled;
  settled.set_item(record.answer().item());
  settled.set_numeric_class(run.numeric_class);
  *settled.mutable_responses() = record.answer().responses();
  settled.add_votes(std::string(32, 'v'));
  *record.mutable_settled() = std::move(settled);
  if (run.key.epoch() > 1 && rng_.below(2) == 0) record.set_epoch(run.key.epoch() - 1);
  records.push_back(wire::sign_record(record, voice_.made_up_keys()));
}

void FalseFeeds::invent_seals(const OverheardRun& run, std::vector<pb::SignedRecord>& records) {
  for (const uint64_t epoch : {run.key.epoch(), run.key.epoch() + 1, uint64_t{1} << 62}) {
    pb::Record record;
    record.set_job(run.key.job());
    record.set_run(run.key.run());
    record.set_epoch(epoch);
    record.mutable_seal();
    records.push_back(
        wire::sign_record(record, rng_.below(2) == 0 ? *node_.keys : voice_.made_up_keys()));
  }
}

}  // namespace muster::sim
