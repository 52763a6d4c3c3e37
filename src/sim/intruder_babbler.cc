#include "sim/intruder_babbler.h"

#include "wire/record.h"

namespace muster::sim {

Babbler::Babbler(Voice& voice, Rng rng)
    : voice_(voice),
      node_(voice.node()),
      overheard_(voice.overheard()),
      rng_(voice.rng()),
      scribbler_(rng) {
  for (const auto& [name, other] : voice.world().nodes()) {
    scribbler_.steal_text(other->machine);
    scribbler_.steal_text(other->records.store_id());
  }
}

void Babbler::say_anything() {
  if (const OverheardRun* run = voice_.some_run()) scribbler_.steal_text(run->key.job());
  if (const auto* record = overheard_.some_record(rng_))
    scribbler_.steal_name(std::string(wire::record_digest(*record).view()));
  const auto* bodies = pb::Envelope::GetDescriptor()->FindOneofByName("body");
  for (int n = 0; n < 3; ++n) {
    pb::Envelope envelope;
    const auto* body = bodies->field(static_cast<int>(voice_.next_turn()) % bodies->field_count());
    scribbler_.fill(*pb::Envelope::GetReflection()->MutableMessage(&envelope, body));
    const Node& other = voice_.anybody();
    const pb::Role as = rng_.below(2) == 0 ? pb::ROLE_WORKER : pb::ROLE_STORAGE;
    const auto to = static_cast<pb::Role>(rng_.below(5));
    other.is_server() ? voice_.say(as, pb::ROLE_SERVER, "", std::move(envelope))
                      : voice_.say(as, to == pb::ROLE_SERVER ? pb::ROLE_STORAGE : to, other.machine,
                                   std::move(envelope));
  }
}

void Babbler::mutate() {
  const pb::Envelope* said = overheard_.some_message(rng_);
  const auto* bodies = pb::Envelope::GetDescriptor()->FindOneofByName("body");
  const auto* reflection = pb::Envelope::GetReflection();
  if (said == nullptr || !reflection->HasOneof(*said, bodies)) return;
  pb::Envelope envelope = *said;
  auto* body =
      reflection->MutableMessage(&envelope, reflection->GetOneofFieldDescriptor(envelope, bodies));
  for (uint64_t n = rng_.below(4); n > 0; --n) scribbler_.alter(*body);
  auto* records = envelope.has_put()    ? envelope.mutable_put()->mutable_records()
                  : envelope.has_feed() ? envelope.mutable_feed()->mutable_records()
                                        : nullptr;
  for (int n = 0; records != nullptr && n < records->size(); ++n) {
    pb::Record record;
    if (!record.ParseFromString(records->at(n).body()) || rng_.below(2) == 0) continue;
    scribbler_.alter(record);
    *records->Mutable(n) = wire::sign_record(record, *node_.keys);
  }
  const Node& other = voice_.anybody();
  const bool elsewhere = rng_.below(4) == 0 && !other.is_server();
  voice_.say(rng_.below(2) == 0 ? pb::ROLE_WORKER : pb::ROLE_STORAGE, said->to().role(),
             elsewhere ? other.machine : said->to().machine(), std::move(envelope));
}

void Babbler::malform() {
  const OverheardRun* run = voice_.some_run();
  if (run == nullptr) return;
  for (int kind = 0; kind < 3; ++kind) {
    voice_.say_to_stores([&](pb::Envelope& envelope) {
      if (kind == 0) {
        pb::Subscribe& ask = *envelope.mutable_subscribe();
        ask.set_job(run->key.job());
        ask.set_run(run->key.run());
        ask.set_copying(true);
        ask.set_view(overheard_.view().number());
        ask.add_digests("x");
      } else if (kind == 1) {
        envelope.mutable_missing_digests()->set_job(run->key.job());
        envelope.mutable_missing_digests()->set_run(run->key.run());
        envelope.mutable_missing_digests()->add_digests("x");
      } else {
        envelope.mutable_put()->set_view(overheard_.view().number());
        envelope.mutable_put()->add_records()->set_body("x");
      }
    });
  }
  voice_.say_to_all(pb::ROLE_COORDINATOR, [this](pb::Envelope& envelope) {
    envelope.mutable_put_done()->set_view(overheard_.view().number());
    envelope.mutable_put_done()->add_digests("x");
  });
}

}  // namespace muster::sim
