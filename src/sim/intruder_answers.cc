#include "sim/intruder_answers.h"

#include "sim/intruder_records.h"
#include "wire/record.h"

namespace muster::sim {

UnaskedAnswers::UnaskedAnswers(Voice& voice, const OwnLeases& leases)
    : voice_(voice),
      leases_(leases),
      node_(voice.node()),
      overheard_(voice.overheard()),
      rng_(voice.rng()) {}

void UnaskedAnswers::answer_unasked() {
  if (voice_.next_turn() % 8 == 7) answered_.clear();
  for (const auto& [id, run] : overheard_.runs()) {
    const std::string once = run.key.job() + " " + std::to_string(run.key.run()) + " " +
                             std::to_string(run.key.epoch()) + " " +
                             std::to_string(overheard_.view().number());
    const bool known = !run.numeric_class.empty() && !run.items.empty() && overheard_.is_live(id);
    if (known && answered_.insert(once).second) answer_all(run);
  }
}

// Under its own key; and some under others, and as a coordinator. By stolen terms, or its own.
void UnaskedAnswers::answer_all(const OverheardRun& run) {
  std::vector<pb::SignedRecord> own, others;
  const auto flush = [&] {
    voice_.put(pb::ROLE_WORKER, own);
    voice_.put(rng_.below(2) == 0 ? pb::ROLE_COORDINATOR : pb::ROLE_WORKER, others);
    own.clear();
    others.clear();
  };
  for (const auto& [number, item] : run.items) {
    pb::Record record = wrong_answer(run, item);
    const bool steals = rng_.below(3) != 0;
    if (!steals) {
      *record.mutable_answer()->mutable_grant() =
          terms_of_its_own(record, *node_.keys, node_.owner, rng_);
    }
    own.push_back(wire::sign_record(record, *node_.keys));
    if (rng_.below(8) == 0) others.push_back(wire::sign_record(record, voice_.made_up_keys()));
    if (own.size() >= kRecordsAtOnce) flush();
  }
  flush();
}

void UnaskedAnswers::replay() {
  const pb::Envelope* said = overheard_.some_message(rng_);
  if (said == nullptr) return;
  pb::Envelope again = *said;
  const Node& other = voice_.anybody();
  const bool elsewhere = rng_.below(3) == 0 && !other.is_server();
  const std::string to = elsewhere ? other.machine : said->to().machine();
  const pb::Role as = said->from().role() == pb::ROLE_STORAGE ? pb::ROLE_STORAGE : pb::ROLE_WORKER;
  voice_.say(as, said->to().role(), to, std::move(again));
}

void UnaskedAnswers::answer_again() {
  if (leases_.all().empty()) return;
  const pb::Grant& grant = leases_.all()[rng_.below(leases_.all().size())].grant;
  const auto run = overheard_.runs().find(wire::run_key(grant.key()));
  if (run == overheard_.runs().end() || grant.items().empty()) return;
  const auto which = static_cast<int>(rng_.below(static_cast<uint64_t>(grant.items_size())));
  pb::Record record = wrong_answer(run->second, grant.items(which));
  *record.mutable_answer()->mutable_grant() = grant.terms();
  record.set_epoch(grant.key().epoch());
  std::vector<pb::SignedRecord> records;
  for (size_t n = 0; n < kRecordsAtOnce; ++n) {
    record.mutable_answer()->mutable_responses(0)->set_margin(static_cast<double>(n));
    records.push_back(wire::sign_record(record, *node_.keys));
  }
  voice_.put(pb::ROLE_WORKER, records);
}

void UnaskedAnswers::ask_for_answers() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  for (const pb::Role as : {pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
    pb::Envelope envelope;
    pb::Subscribe& ask = *envelope.mutable_subscribe();
    ask.set_job(run->key.job());
    ask.set_run(run->key.run());
    ask.set_epoch(as == pb::ROLE_COORDINATOR ? run->key.epoch() : 0);
    ask.set_copying(true);
    ask.set_view(overheard_.view().number());
    for (const auto& [name, node] : voice_.world().nodes()) {
      if (node->name.starts_with('w')) voice_.say(as, pb::ROLE_STORAGE, node->machine, envelope);
    }
  }
}

void UnaskedAnswers::copy_answers() {
  std::vector<pb::SignedRecord> records;
  for (int n = 0; n < 16; ++n) {
    const pb::SignedRecord* stolen = overheard_.some_record(rng_);
    pb::Record record;
    if (stolen == nullptr || !record.ParseFromString(stolen->body())) continue;
    if (record.has_answer()) alter_answer(record);
    if (rng_.below(6) == 0) record.set_run(record.run() + 1);
    if (rng_.below(6) == 0) record.set_epoch(record.epoch() + 1);
    records.push_back(wire::sign_record(record, *node_.keys));
  }
  voice_.put(pb::ROLE_WORKER, records);
}

// For another item of its run, or by terms of another lease.
void UnaskedAnswers::alter_answer(pb::Record& record) {
  pb::Answer& answer = *record.mutable_answer();
  const auto run = overheard_.runs().find(wire::run_key(record));
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

}  // namespace muster::sim
