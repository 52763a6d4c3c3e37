// What the stores of the view hold.
#include "sim/checkers.h"

#include <algorithm>

#include "wire/short_id.h"

namespace muster::sim {
namespace {

// An acknowledged record survives while one store that acknowledged it does.
class AcknowledgedIsKept final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (!envelope.has_put_done()) return;
    // What a lost database had is forgotten, and dropped, while acknowledgements are on their way.
    if (database_lost_) return;
    for (const std::string& bytes : envelope.put_done().digests()) {
      const auto named = Digest::from_bytes(bytes);
      if (!named) return wrong(node.name + " acknowledges what is no record's name");
      const Digest& digest = *named;
      if (node.records.holds(digest) || node.records.was_harmed(digest)) continue;
      const KnownRecord* known = ledger_.find(digest);
      if (known != nullptr && !is_live(wire::run_key(known->record))) continue;
      wrong(node.name + " acknowledges a record that is not on its disk");
    }
  }
  void on_acknowledged(const KnownRecord& known) override { lost_.erase(known.digest); }
  // Who becomes a member holds all that is acknowledged and that a member before it holds; and
  // could be copied: whoever served altered answers all the while has nothing that counts. What no
  // store of a view held is lost, until it is acknowledged again.
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveView>(&change);
    if (save == nullptr) return;
    const auto stores = members();
    for (const KnownRecord* known : ledger_.acknowledged()) {
      if (lost_.contains(known->digest)) continue;
      if (!is_live(wire::run_key(known->record))) continue;
      if (!is_remembered(known->record)) continue;
      const bool kept = std::any_of(stores.begin(), stores.end(), [&](const Node* store) {
        return before_.contains(store->name) && store->records.holds(known->digest) &&
               !served_altered(store->name);
      });
      for (const Node* store : stores) {
        if (!kept || before_.contains(store->name) || store->records.holds(known->digest)) continue;
        if (store->records.was_harmed(known->digest)) continue;
        return wrong(store->name + " becomes a member without a record that is acknowledged");
      }
      if (!is_held(save->view, known->digest)) lost_.insert(known->digest);
    }
    before_.clear();
    for (const Node* store : stores) before_.insert(store->name);
  }
  void on_database_lost() override {
    before_.clear();
    database_lost_ = true;
  }

 private:
  // Now, or not long ago: a new view may wait for the database.
  [[nodiscard]] bool served_altered(const std::string& store) const {
    const Instant now = world_.now();
    return std::any_of(plan_.faults.begin(), plan_.faults.end(), [&](const Fault& fault) {
      return fault.kind == FaultKind::kLyingStore && fault.node == store && fault.at <= now &&
             now < fault.until + seconds(20);
    });
  }
  std::set<std::string> before_;  // Members of the view before.
  std::set<Digest> lost_;
  bool database_lost_ = false;
};

// Once a coordinator has stored work, no record of an earlier one is acknowledged that was not
// stored before: its successor can have read nothing of it. Nobody is held to it where all stores
// were lost at once, and the seal with them.
class SealedIsSealed final : public Checker {
 public:
  using Checker::Checker;
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveView>(&change);
    if (save != nullptr && save->view.members().empty()) lost_ = working_;
  }
  void on_stored(const Node&, const roles::RecordChange& change) override {
    const auto* put = std::get_if<roles::PutRecords>(&change);
    if (put == nullptr) return;
    for (const roles::StoredRecord& stored : put->records) {
      const KnownRecord* known = ledger_.find(stored.digest);
      if (known == nullptr || known->record.has_answer() || known->record.has_seal()) continue;
      uint64_t& working = working_[stored.run];
      working = std::max(working, known->record.epoch());
      const bool sealed = working > lost_[stored.run];
      if (sealed && known->record.epoch() < working)
        too_late_.insert(stored.digest);
      else
        in_time_.insert(stored.digest);
    }
  }
  void on_acknowledged(const KnownRecord& known) override {
    if (!too_late_.contains(known.digest) || in_time_.contains(known.digest)) return;
    if (!members_hold(known.digest)) return;
    wrong("a record of epoch " + std::to_string(known.record.epoch()) + " of job " +
          wire::short_id(known.record.job()) + " is acknowledged when a later one has begun");
  }
  void on_database_lost() override { lost_ = working_; }

 private:
  bool members_hold(const Digest& digest) const {
    const auto stores = members();
    return std::any_of(stores.begin(), stores.end(),
                       [&](const Node* store) { return store->records.holds(digest); });
  }
  std::map<RunKey, uint64_t> working_;   // The highest epoch of which work was stored.
  std::map<RunKey, uint64_t> lost_;      // The same when no store was left.
  std::set<Digest> in_time_, too_late_;  // When each was stored for the first time, and later.
};

// What is no longer kept is dropped, and does not come back.
class WhatIsOverIsDropped final : public Checker {
 public:
  using Checker::Checker;
  void at_end() override {
    if (plan_.retain > seconds(60)) return;
    for (const Node* store : members()) {
      for (const roles::StoredRecord& record : store->records.records()) {
        if (record.run.job.empty() || is_live(record.run)) continue;
        return wrong(store->name + " still has a record of job " + record.run.job + " run " +
                     std::to_string(record.run.run) + ", which is over");
      }
    }
  }
};

// Stores of the view hold the same. What was done under an assignment that a lost database had is
// nobody's to copy; what it knew to be over goes on, and something is always on its way.
class StoresAgree final : public Checker {
 public:
  using Checker::Checker;
  void at_end() override {
    const auto stores = members();
    const auto& rows = world_.node("server").database.rows;
    for (const Node* store : stores) {
      for (const roles::StoredRecord& record : store->records.records()) {
        if (record.run.job.empty() || !store->records.holds(record.digest)) continue;
        if (!ledger_.is_of_this_database(record.digest, rows)) continue;
        if (is_live(record.run)) continue;
        for (const Node* other : stores) {
          if (other->records.holds(record.digest)) continue;
          if (other->disk.hangs) continue;  // While no job runs nobody asks it for anything.
          return wrong(other->name + " lacks a record of job " + record.run.job + " that " +
                       store->name + " holds");
        }
      }
    }
  }
};

// The view is back to its count.
class ViewIsWhole final : public Checker {
 public:
  using Checker::Checker;
  void at_end() override {
    const pb::View& view = world_.node("server").database.view;
    if (trusted_stores() < 2) return;  // Others may have to wait, for longer each time.
    if (view.members_size() != 2 || view.joiners_size() != 0) {
      wrong("the view has " + std::to_string(view.members_size()) + " members and " +
            std::to_string(view.joiners_size()) + " joiners");
    }
    std::set<std::string> machines;
    for (const auto& member : view.members()) machines.insert(member.machine());
    if (machines.size() != static_cast<size_t>(view.members_size())) {
      wrong("a machine is a member twice");
    }
    size_t intruders = 0;
    for (const auto& member : view.members()) {
      const Node* node = world_.find(member.machine());
      intruders += node != nullptr && node->insider ? 1 : 0;
    }
    if (members().size() + intruders != static_cast<size_t>(view.members_size())) {
      wrong("a member of the view is not the store it was");
    }
  }

 private:
  // Healthy machines that may store and never had to leave the view for what they did.
  int64_t trusted_stores() const {
    const auto was_struck = [this](const NodePlan& node) {
      return std::any_of(plan_.faults.begin(), plan_.faults.end(), [&](const Fault& fault) {
        return fault.node == node.name &&
               (fault.kind == FaultKind::kLyingStore || fault.kind == FaultKind::kDiskHangs);
      });
    };
    return std::count_if(plan_.nodes.begin(), plan_.nodes.end(), [&](const NodePlan& node) {
      return node.healthy && node.name.starts_with('w') && !was_struck(node);
    });
  }
};

}  // namespace

void add_checkers_of_stores(AllCheckers& all) {
  all.add<AcknowledgedIsKept>("an acknowledged record is kept");
  all.add<SealedIsSealed>("a sealed run stays sealed");
  all.add<WhatIsOverIsDropped>("what is over is dropped");
  all.add<StoresAgree>("stores of the view hold the same");
  all.add<ViewIsWhole>("the view is back to its count");
}

}  // namespace muster::sim
