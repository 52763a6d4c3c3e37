#include "sim/intruder_words.h"

#include "sim/intruder_records.h"
#include "wire/record.h"

namespace muster::sim {
namespace {

constexpr size_t kLineLimit = 4u << 20;  // Of an envelope; gRPC's.

}  // namespace

EndlessWords::EndlessWords(Voice& voice, const OwnLeases& leases)
    : voice_(voice),
      leases_(leases),
      node_(voice.node()),
      overheard_(voice.overheard()),
      rng_(voice.rng()) {}

void EndlessWords::say_long_words() {
  const OverheardRun* run = voice_.some_run();
  // One in three is so long that it grows beyond the limit where `from` is written into it.
  const size_t length = rng_.below(3) == 0 ? kLineLimit - 200 : 100'000 + rng_.below(3'800'000);
  pb::Envelope envelope;
  if (run == nullptr || rng_.below(8) == 0) {
    envelope.mutable_store_state()->set_problem(std::string(length, 'p'));
    envelope.mutable_store_state()->set_number(1000 + voice_.next_turn());
    return voice_.say(pb::ROLE_STORAGE, pb::ROLE_SERVER, "", std::move(envelope));
  }
  pb::Role to = pb::ROLE_COORDINATOR;
  std::string machine = run->coordinator;
  switch (rng_.below(7)) {
    case 0:
      *envelope.mutable_ready()->mutable_key() = run->key;
      envelope.mutable_ready()->set_numeric_class(std::string(length, 'c'));
      break;
    case 1:
      *envelope.mutable_unable()->mutable_key() = run->key;
      envelope.mutable_unable()->mutable_failure()->set_message(std::string(length, 'm'));
      break;
    case 2:
      *envelope.mutable_preparing()->mutable_key() = run->key;
      envelope.mutable_preparing()->set_what(std::string(length, 'w'));
      break;
    case 3: {
      if (leases_.all().empty()) return;
      pb::LeaseFailed& failed = *envelope.mutable_lease_failed();
      *failed.mutable_key() = run->key;
      *failed.mutable_lease() = leases_.all().back().grant.lease();
      failed.set_message(std::string(length, 'm'));
      break;
    }
    case 4: {  // To anybody: whoever passes it on or takes it in has the trouble.
      const Node& other = voice_.anybody();
      if (other.is_server() || &other == &node_) return;
      to = other.flag == pb::ROLE_FLAG_COORDINATOR ? pb::ROLE_COORDINATOR : pb::ROLE_WORKER;
      machine = other.machine;
      *envelope.mutable_withdraw()->mutable_key() = run->key;
      envelope.mutable_withdraw()->mutable_key()->set_job(std::string(length, 'j'));
      break;
    }
    default: {  // Records that a store keeps and serves.
      if (run->items.empty()) return;
      const auto which = static_cast<std::ptrdiff_t>(rng_.below(run->items.size()));
      pb::Record record = wrong_answer(*run, std::next(run->items.begin(), which)->second);
      record.mutable_answer()->set_numeric_class(std::string(length - 1000, 'c'));
      return voice_.put(pb::ROLE_WORKER, {wire::sign_record(record, *node_.keys)});
    }
  }
  voice_.say(pb::ROLE_WORKER, to, machine, std::move(envelope));
}

void EndlessWords::say_many_entries() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  const int many = 2000 + static_cast<int>(rng_.below(20'000));
  pb::Envelope envelope;
  switch (rng_.below(5)) {
    case 0: {
      pb::Ready& ready = *envelope.mutable_ready();
      *ready.mutable_key() = run->key;
      ready.set_numeric_class(run->numeric_class);
      for (int n = 0; n < many; ++n) {
        pb::HeldLease& held = *ready.add_leases();
        held.mutable_terms()->set_body(std::to_string(n));
        held.add_items(static_cast<uint32_t>(n));
      }
      return voice_.say(pb::ROLE_WORKER, pb::ROLE_COORDINATOR, run->coordinator,
                        std::move(envelope));
    }
    case 1:
      envelope.mutable_put_done()->set_view(overheard_.view().number());
      for (int n = 0; n < many; ++n) envelope.mutable_put_done()->add_digests(std::string(32, 'd'));
      return voice_.say(pb::ROLE_STORAGE, pb::ROLE_COORDINATOR, run->coordinator,
                        std::move(envelope));
    case 2: {
      std::vector<pb::SignedRecord> records;
      for (int n = 0; n < many; ++n) records.emplace_back().set_body("x");
      return voice_.put(pb::ROLE_WORKER, records);
    }
    case 3:
      return voice_.say_to_stores([&](pb::Envelope& to) {
        pb::Subscribe& ask = *to.mutable_subscribe();
        ask.set_job(run->key.job());
        ask.set_run(run->key.run());
        ask.set_copying(true);
        ask.set_view(overheard_.view().number());
        for (int n = 0; n < many; ++n) ask.add_digests(std::string(32, static_cast<char>(n)));
      });
    default:
      return voice_.say_to_stores([&](pb::Envelope& to) {
        to.mutable_compare_ranges()->set_job(run->key.job());
        to.mutable_compare_ranges()->set_run(run->key.run());
        for (int n = 0; n < many; ++n) to.mutable_compare_ranges()->add_ranges()->set_count(1);
      });
  }
}

void EndlessWords::flood() {
  const Node& victim = voice_.anybody();
  if (victim.is_server() || &victim == &node_) return;
  for (int n = 0; n < 30; ++n) {
    pb::Envelope envelope;
    envelope.mutable_withdraw()->mutable_key()->set_job(std::string(3'500'000, 'j'));
    voice_.say(pb::ROLE_WORKER, pb::ROLE_WORKER, victim.machine, std::move(envelope));
  }
}

}  // namespace muster::sim
