#include "sim/ledger.h"

#include <algorithm>

#include "roles/grants.h"
#include "wire/keys.h"
#include "wire/record.h"

namespace muster::sim {
namespace {

uint64_t lease_hash(const std::string& job, uint32_t run, uint64_t epoch, uint64_t lease,
                    const std::string& machine) {
  return mix(machine, mix(job, Rng(run ^ epoch << 16 ^ lease << 40).next()));
}
uint64_t item_hash(uint64_t lease, uint32_t item) { return Rng(lease ^ item).next(); }

uint64_t lease_named_by(const KnownRecord& answer) {
  const pb::Record& record = answer.record;
  pb::Record terms;
  if (!terms.ParseFromString(record.answer().grant().body())) return 0;
  if (terms.epoch() != record.epoch()) return 0;
  return lease_hash(record.job(), record.run(), record.epoch(), terms.grant().lease(),
                    answer.author);
}

}  // namespace

void Ledger::on_grant(const Node& coordinator, const pb::Envelope& envelope) {
  const pb::Grant& grant = envelope.grant();
  const pb::JobKey& key = grant.key();
  if (!assigned_.contains({key.job(), key.run(), key.epoch(), coordinator.machine})) return;
  const uint64_t lease = lease_hash(key.job(), key.run(), grant.lease().epoch(),
                                    grant.lease().number(), envelope.to().machine());
  for (const auto& item : grant.items()) asked_.insert(item_hash(lease, item.item()));
}

bool Ledger::was_asked(const KnownRecord& known) const {
  return known.lease != 0 && asked_.contains(item_hash(known.lease, known.record.answer().item()));
}

bool Ledger::was_assigned(const pb::Record& record, const std::string& machine) const {
  return assigned_.contains({record.job(), record.run(), record.epoch(), machine});
}

bool Ledger::is_genuine(const KnownRecord& known) const {
  return known.record.has_answer() ? was_asked(known) : was_assigned(known.record, known.author);
}

bool Ledger::is_of_this_database(const Digest& digest,
                                 const std::map<std::string, pb::JobRow>& rows) {
  if (!database_lost_) return true;
  const KnownRecord* known = find(digest);
  if (known == nullptr) return false;
  const auto row = rows.find(known->record.job());
  if (row == rows.end()) return false;
  const std::string who = known->record.has_answer()
                              ? wire::machine_id(known->record.answer().grant().public_key())
                              : known->author;
  return roles::had_run(row->second.assignments(), known->record.epoch(), who);
}

bool Ledger::may_be_shown(const std::string& job, uint32_t run, const std::string& machine) const {
  if (stores_.contains(machine)) return true;
  const auto from = assigned_.lower_bound({job, run, 0, ""});
  const auto to = assigned_.lower_bound({job, run + 1, 0, ""});
  return std::any_of(from, to, [&](const auto& it) { return std::get<3>(it) == machine; });
}

void Ledger::learn(const Digest& digest, const pb::SignedRecord& signed_record) {
  auto [entry, is_new] = records_.try_emplace(digest);
  if (!is_new) return;
  KnownRecord& known = entry->second;
  known.digest = digest;
  known.as_signed = signed_record;
  by_signature_.emplace(mix(signed_record.signature()), &known);
  known.author = wire::machine_id(signed_record.public_key());
  known.record.ParseFromString(signed_record.body());
  if (known.record.has_answer()) known.lease = lease_named_by(known);
}

void Ledger::on_records(const google::protobuf::RepeatedPtrField<pb::SignedRecord>& records) {
  for (const auto& record : records) learn(wire::record_digest(record), record);
}

void Ledger::note_view(const pb::View& view) {
  view_ = view;
  auto& stores = stores_of_view_[view_.number()];
  for (const auto& member : view_.members()) stores.insert(member.machine());
  for (const auto& joiner : view_.joiners()) stores.insert(joiner.machine());
  stores_.insert(stores.begin(), stores.end());
}

void Ledger::on_database_lost(const pb::View& view) {
  database_lost_ = true;
  stores_of_view_.clear();
  said_.clear();
  for (KnownRecord* known : std::exchange(acknowledged_, {})) known->acknowledged = false;
  note_view(view);
}

void Ledger::on_committed(const roles::Change& change) {
  if (const auto* save = std::get_if<roles::SaveView>(&change)) {
    note_view(save->view);
  }
  if (const auto* save = std::get_if<roles::SaveJob>(&change)) {
    const pb::JobRow& row = save->row;
    for (const pb::Assignment& assigned : row.assignments())
      assigned_.emplace(row.job(), row.run(), assigned.epoch(), assigned.coordinator());
  }
}

void Ledger::on_stored(const roles::RecordChange& change) {
  const auto* put = std::get_if<roles::PutRecords>(&change);
  if (put == nullptr) return;
  for (const auto& stored : put->records) {
    if (records_.contains(stored.digest)) continue;
    pb::SignedRecord signed_record;
    signed_record.ParseFromString(stored.bytes);
    learn(stored.digest, signed_record);
  }
}

std::vector<KnownRecord*> Ledger::on_put_done(const Node& store, const pb::PutDone& done) {
  std::vector<KnownRecord*> acknowledged;
  const auto& stores = stores_of_view_[done.view()];
  for (const std::string& bytes : done.digests()) {
    const auto digest = Digest::from_bytes(bytes);
    if (!digest) continue;
    auto& said = said_[{done.view(), *digest}];
    said.insert(store.machine);
    const bool all = !stores.empty() &&
                     std::all_of(stores.begin(), stores.end(), [&](const std::string& machine) {
                       return said.contains(machine);
                     });
    KnownRecord* known = find(*digest);
    if (!all || known == nullptr || !is_genuine(*known)) continue;
    if (!std::exchange(known->acknowledged, true)) acknowledged_.push_back(known);
    acknowledged.push_back(known);
  }
  return acknowledged;
}

KnownRecord* Ledger::find(const pb::SignedRecord& record) {
  const auto found = by_signature_.find(mix(record.signature()));
  if (found == by_signature_.end()) return find(wire::record_digest(record));
  const pb::SignedRecord& known = found->second->as_signed;
  const bool is_the_same =
      known.body() == record.body() && known.public_key() == record.public_key();
  return is_the_same ? found->second : find(wire::record_digest(record));
}

KnownRecord* Ledger::find(const Digest& digest) {
  auto found = records_.find(digest);
  return found == records_.end() ? nullptr : &found->second;
}

}  // namespace muster::sim
