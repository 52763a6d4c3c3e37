// Records of an intruder: votes, verdicts and seals that nobody asked for.
#include <algorithm>

#include "roles/grants.h"
#include "roles/message.h"
#include "roles/record.h"
#include "sim/intruder.h"

namespace muster::sim {
namespace {

constexpr double kLie = 9;       // Less likely, each answer: the same lie whoever tells it.
constexpr size_t kAtOnce = 200;  // Records of a Put or Feed.

}  // namespace

pb::Record Intruder::wrong_answer(const OverheardRun& run, const pb::ItemRequests& item) const {
  pb::Record record;
  record.set_job(run.key.job());
  record.set_run(run.key.run());
  record.set_epoch(run.key.epoch());
  pb::Answer& answer = *record.mutable_answer();
  // The terms of whoever was asked for it, be it another.
  for (const OverheardRun::Lease& lease : run.leases) {
    const auto& items = lease.grant.items();
    const bool has_it = std::any_of(items.begin(), items.end(), [&](const pb::ItemRequests& its) {
      return its.item() == item.item();
    });
    if (has_it || !answer.has_grant()) *answer.mutable_grant() = lease.grant.terms();
  }
  answer.set_item(item.item());
  answer.set_request_digest(item.digest());
  answer.set_numeric_class(run.numeric_class);
  std::vector<Question> questions;
  std::string context;
  for (const pb::Request& request : item.requests()) {
    if (request.has_context()) context = request.context();
    questions.emplace_back(context, request.continuation());
  }
  for (pb::Response& response : answers_of({.name = run.numeric_class}, questions, 0)) {
    response.set_loglikelihood(response.loglikelihood() - kLie);
    *answer.add_responses() = response;
  }
  return record;
}

// Answers of two voters to every item, or seals and verdicts; by keys that nobody knows.
std::vector<pb::SignedRecord> Intruder::invented(const OverheardRun& run) {
  std::vector<pb::SignedRecord> records;
  for (const auto& [number, item] : run.items) {
    pb::Record record = wrong_answer(run, item);
    if (does(Act::kInventsVoters)) {
      for (int voter = 0; voter < 2; ++voter) {
        const HashKeys keys = keys_of(node_.name + " voter " + std::to_string(voter));
        const bool steals = rng_.below(2) == 0;
        const std::string owner = "owner " + std::to_string(voter);
        if (!steals)
          *record.mutable_answer()->mutable_grant() = terms_of_its_own(record, keys, owner);
        records.push_back(roles::sign_record(record, keys));
      }
    }
    if (!does(Act::kInventsSeals)) continue;
    pb::Settled settled;
    settled.set_item(number);
    settled.set_numeric_class(run.numeric_class);
    *settled.mutable_responses() = record.answer().responses();
    settled.add_votes(std::string(32, 'v'));
    *record.mutable_settled() = settled;
    if (run.key.epoch() > 1 && rng_.below(2) == 0) record.set_epoch(run.key.epoch() - 1);
    records.push_back(roles::sign_record(record, made_up_keys()));
  }
  if (does(Act::kInventsSeals)) {
    for (const uint64_t epoch : {run.key.epoch(), run.key.epoch() + 1, uint64_t{1} << 62}) {
      pb::Record record;
      record.set_job(run.key.job());
      record.set_run(run.key.run());
      record.set_epoch(epoch);
      record.mutable_seal();
      records.push_back(
          roles::sign_record(record, rng_.below(2) == 0 ? *node_.keys : made_up_keys()));
    }
  }
  return records;
}

// Who asks this store is answered by the intruder: the honest role does not hear of it.
bool Intruder::keeps_reader(const pb::Envelope& envelope) {
  if (!envelope.has_subscribe()) return false;
  if (!does(Act::kInventsVoters) && !does(Act::kInventsSeals)) return false;
  const pb::Subscribe& ask = envelope.subscribe();
  readers_[envelope.from().machine() + ask.job() + std::to_string(ask.run()) +
           (ask.copying() ? "c" : "r")] = envelope;
  return true;
}

void Intruder::answer_readers() {
  for (const auto& [id, envelope] : std::map(readers_)) {
    const pb::Subscribe& ask = envelope.subscribe();
    auto run = overheard_.runs().find({ask.job(), ask.run()});
    pb::Envelope answer;
    pb::Feed& feed = *answer.mutable_feed();
    feed.set_job(ask.job());
    feed.set_run(ask.run());
    feed.set_from(ask.cursor());
    feed.set_epoch(ask.epoch());
    feed.set_view(ask.view());
    feed.set_copying(ask.copying());
    feed.set_picked(!ask.digests().empty());
    feed.set_at_end(true);
    size_t& fed = fed_[id + std::to_string(ask.epoch())];
    if (run != overheard_.runs().end()) {
      const auto records = invented(run->second);
      for (size_t n = 0; n < kAtOnce && fed < records.size(); ++n)
        *feed.add_records() = records[fed++];
    }
    if (feed.records().empty() && ask.cursor() > 0 && !ask.copying())
      continue;  // It waits for more.
    feed.set_next(ask.cursor() + 1);
    say(pb::ROLE_STORAGE, envelope.from().role(), envelope.from().machine(), std::move(answer));
    readers_.erase(id);
  }
}

// To stores that have not asked.
void Intruder::push_feeds() {
  const OverheardRun* run = overheard_.some_run(rng_);
  if (run == nullptr) return;
  const auto records = invented(*run);
  if (records.empty()) return;
  const bool picked = rng_.below(3) != 0;
  const size_t first = rng_.below(records.size());
  say_to_stores([&](pb::Envelope& envelope) {
    pb::Feed& feed = *envelope.mutable_feed();
    feed.set_job(run->key.job());
    feed.set_run(run->key.run());
    feed.set_copying(true);
    feed.set_picked(picked);
    feed.set_at_end(true);
    feed.set_view(overheard_.view().number());
    feed.set_next(1000);
    for (size_t n = 0; n < std::min(kAtOnce, records.size()); ++n)
      *feed.add_records() = records[(first + n) % records.size()];
    // The seals are the last.
    for (size_t n = 0; n < std::min<size_t>(3, records.size()); ++n)
      *feed.add_records() = records[records.size() - 1 - n];
  });
}

void Intruder::put(pb::Role as, const std::vector<pb::SignedRecord>& records) {
  if (records.empty()) return;
  for (const auto* list : {&overheard_.view().members(), &overheard_.view().joiners()}) {
    for (const pb::Member& store : *list) {
      pb::Envelope envelope;
      envelope.mutable_put()->set_view(overheard_.view().number());
      for (const auto& record : records) *envelope.mutable_put()->add_records() = record;
      say(as, pb::ROLE_STORAGE, store.machine(), std::move(envelope));
    }
  }
}

// To every item before anybody else. Once under each epoch and view, and again after a while.
void Intruder::answer_unasked() {
  if (++turn_ % 8 == 0) answered_.clear();
  for (const auto& [id, run] : overheard_.runs()) {
    const std::string once = run.key.job() + " " + std::to_string(run.key.run()) + " " +
                             std::to_string(run.key.epoch()) + " " +
                             std::to_string(overheard_.view().number());
    const bool known = !run.numeric_class.empty() && !run.items.empty() && overheard_.is_live(id);
    if (known && answered_.insert(once).second) answer_all(run);
  }
}

// As if whoever answers had been asked for it: by terms of its own making.
pb::SignedRecord Intruder::terms_of_its_own(const pb::Record& record, const HashKeys& keys,
                                            const std::string& owner) {
  pb::GrantTerms terms;
  terms.set_lease(1 + rng_.below(60));
  terms.set_machine(roles::machine_id(keys.public_key()));
  terms.set_owner(owner);
  terms.add_items(record.answer().item());
  pb::JobKey key;
  key.set_job(record.job());
  key.set_run(record.run());
  key.set_epoch(record.epoch());
  return roles::sign_grant(key, terms, keys);
}

// Under its own key; and some under others, and as a coordinator. By stolen terms, or its own.
void Intruder::answer_all(const OverheardRun& run) {
  std::vector<pb::SignedRecord> own, others;
  const auto flush = [&] {
    put(pb::ROLE_WORKER, own);
    put(rng_.below(2) == 0 ? pb::ROLE_COORDINATOR : pb::ROLE_WORKER, others);
    own.clear();
    others.clear();
  };
  for (const auto& [number, item] : run.items) {
    pb::Record record = wrong_answer(run, item);
    const bool steals = rng_.below(3) != 0;
    if (!steals) {
      *record.mutable_answer()->mutable_grant() =
          terms_of_its_own(record, *node_.keys, node_.owner);
    }
    own.push_back(roles::sign_record(record, *node_.keys));
    if (rng_.below(8) == 0) others.push_back(roles::sign_record(record, made_up_keys()));
    if (own.size() >= kAtOnce) flush();
  }
  flush();
}

// What others said, from its own mouth, to whom it was said and to anybody.
void Intruder::replay() {
  const pb::Envelope* said = overheard_.some_message(rng_);
  if (said == nullptr) return;
  pb::Envelope again = *said;
  const Node& other = anybody();
  const bool elsewhere = rng_.below(3) == 0 && !other.is_server();
  const std::string to = elsewhere ? other.machine : said->to().machine();
  const pb::Role as = said->from().role() == pb::ROLE_STORAGE ? pb::ROLE_STORAGE : pb::ROLE_WORKER;
  say(as, said->to().role(), to, std::move(again));
}

// Under the terms that it has: each answer is signed, and was asked for.
void Intruder::answer_again() {
  if (leases_.empty()) return;
  const pb::Grant& grant = leases_[rng_.below(leases_.size())].second;
  const auto run = overheard_.runs().find({grant.key().job(), grant.key().run()});
  if (run == overheard_.runs().end() || grant.items().empty()) return;
  const auto which = static_cast<int>(rng_.below(static_cast<uint64_t>(grant.items_size())));
  pb::Record record = wrong_answer(run->second, grant.items(which));
  *record.mutable_answer()->mutable_grant() = grant.terms();
  record.set_epoch(grant.key().epoch());
  std::vector<pb::SignedRecord> records;
  for (size_t n = 0; n < kAtOnce; ++n) {
    record.mutable_answer()->mutable_responses(0)->set_margin(static_cast<double>(n));
    records.push_back(roles::sign_record(record, *node_.keys));
  }
  put(pb::ROLE_WORKER, records);
}

// As a store does, and as the coordinator that has the run.
void Intruder::ask_for_answers() {
  const OverheardRun* run = overheard_.some_run(rng_);
  if (run == nullptr) return;
  for (const pb::Role as : {pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
    pb::Envelope envelope;
    pb::Subscribe& ask = *envelope.mutable_subscribe();
    ask.set_job(run->key.job());
    ask.set_run(run->key.run());
    ask.set_epoch(as == pb::ROLE_COORDINATOR ? run->key.epoch() : 0);
    ask.set_copying(true);
    ask.set_view(overheard_.view().number());
    for (const auto& [name, node] : world_.nodes()) {
      if (node->name.starts_with("w")) say(as, pb::ROLE_STORAGE, node->machine, envelope);
    }
  }
}

// Answers, others' and its own, signed anew by itself: as they are, and for another item, run,
// epoch and lease.
void Intruder::copy_answers() {
  std::vector<pb::SignedRecord> records;
  for (int n = 0; n < 16; ++n) {
    const pb::SignedRecord* stolen = overheard_.some_record(rng_);
    pb::Record record;
    if (stolen == nullptr || !record.ParseFromString(stolen->body())) continue;
    if (record.has_answer()) {
      pb::Answer& answer = *record.mutable_answer();
      const auto run = overheard_.runs().find({record.job(), record.run()});
      const bool other = rng_.below(2) == 0 && run != overheard_.runs().end();
      if (other && run->second.items.size() > 1) {
        const auto which = static_cast<std::ptrdiff_t>(rng_.below(run->second.items.size()));
        const pb::ItemRequests& item = std::next(run->second.items.begin(), which)->second;
        answer.set_item(item.item());
        answer.set_request_digest(item.digest());
      }
      const bool has_terms = run != overheard_.runs().end() && !run->second.leases.empty();
      if (rng_.below(4) == 0 && has_terms) {
        const auto& leases = run->second.leases;
        *answer.mutable_grant() = leases[rng_.below(leases.size())].grant.terms();
      }
    }
    if (rng_.below(6) == 0) record.set_run(record.run() + 1);
    if (rng_.below(6) == 0) record.set_epoch(record.epoch() + 1);
    records.push_back(roles::sign_record(record, *node_.keys));
  }
  put(pb::ROLE_WORKER, records);
}

}  // namespace muster::sim
