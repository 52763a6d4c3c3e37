#include "sim/ledger.h"

#include <algorithm>

#include "roles/keys.h"

namespace muster::sim {

void Ledger::on_applied(const Node&, const roles::Write& write) {
  if (const auto* save = std::get_if<roles::SaveView>(&write.what)) {
    view_ = save->view;
    auto& stores = stores_of_view_[view_.number()];
    for (const auto& member : view_.members()) stores.insert(member.machine());
    for (const auto& joiner : view_.joiners()) stores.insert(joiner.machine());
  }
  const auto* put = std::get_if<roles::PutRecords>(&write.what);
  if (put == nullptr) return;
  for (const auto& stored : put->records) {
    auto [entry, is_new] = records_.try_emplace(stored.digest);
    if (!is_new) continue;
    KnownRecord& known = entry->second;
    pb::SignedRecord signed_record;
    signed_record.ParseFromString(stored.bytes);
    known.digest = stored.digest;
    known.author = roles::machine_id(signed_record.public_key());
    known.record.ParseFromString(signed_record.body());
  }
}

std::vector<KnownRecord*> Ledger::on_put_done(const Node& store, const pb::PutDone& done) {
  std::vector<KnownRecord*> acknowledged;
  const auto& stores = stores_of_view_[done.view()];
  for (const std::string& bytes : done.digests()) {
    const auto digest = Digest::from_bytes(bytes);
    auto& said = said_[{done.view(), *digest}];
    said.insert(store.machine);
    const bool all = std::all_of(stores.begin(), stores.end(), [&](const std::string& machine) {
      return said.contains(machine);
    });
    KnownRecord* known = find(*digest);
    if (!all || known == nullptr) continue;
    if (!std::exchange(known->acknowledged, true)) acknowledged_.push_back(known);
    acknowledged.push_back(known);
  }
  return acknowledged;
}

KnownRecord* Ledger::find(const Digest& digest) {
  auto found = records_.find(digest);
  return found == records_.end() ? nullptr : &found->second;
}

}  // namespace muster::sim
