// Who is lent what, and what those who lend have read.
#include <algorithm>

#include "sim/checkers.h"

namespace muster::sim {
namespace {

using EpochKey = std::tuple<std::string, uint32_t, uint64_t>;  // {job, run, epoch}

struct FeedKey {  // What differs most stands first.
  uint64_t next;
  std::string store;
  EpochKey reader;
  auto operator<=>(const FeedKey&) const = default;
};

// A lease id names one lease of a coordinator: what is said of it late cannot be taken for another.
class LeaseIdsAreFresh final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (!envelope.has_grant()) return;
    const pb::Grant& grant = envelope.grant();
    // What the server before had, and this one has not heard of, begins anew with it.
    if (!is_live(wire::run_key(grant.key()))) return;
    if (granted_
            .emplace(node.machine, grant.key().job(), grant.key().run(), grant.lease().epoch(),
                     grant.lease().number())
            .second) {
      return;
    }
    wrong("lease " + std::to_string(grant.lease().number()) + " of epoch " +
          std::to_string(grant.lease().epoch()) + " is granted a second time");
  }
  void on_database_lost() override { granted_.clear(); }

 private:
  std::set<std::tuple<std::string, std::string, uint32_t, uint64_t, uint64_t>> granted_;
};

// A coordinator takes a lease back from whoever it was granted to: nobody else ever held it,
// whatever terms they show.
class LeasesAreTheGrantees final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (node.insider) return;
    if (envelope.has_grant()) {
      granted_.insert(held(envelope.grant().key(), envelope.grant().lease(), envelope.to()));
    }
    if (!envelope.has_withdraw()) return;
    const pb::Withdraw& withdraw = envelope.withdraw();
    if (granted_.contains(held(withdraw.key(), withdraw.lease(), envelope.to()))) return;
    wrong("lease " + std::to_string(withdraw.lease().number()) + " of epoch " +
          std::to_string(withdraw.lease().epoch()) + " is taken back from " +
          world_.find(envelope.to().machine())->name + ", which was never granted it");
  }

 private:
  using Held = std::tuple<std::string, uint32_t, uint64_t, uint64_t, std::string>;
  static Held held(const pb::JobKey& key, const pb::LeaseId& lease, const pb::Address& to) {
    return {key.job(), key.run(), lease.epoch(), lease.number(), to.machine()};
  }
  std::set<Held> granted_;
};

// Whoever was told that it may leave holds nothing, and gets nothing any more on this line.
class WhoMayLeaveHoldsNothing final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (envelope.has_holding()) free_.erase(node.machine);  // It is on a new one.
    if (node.insider) return;
    if (envelope.has_heartbeat() && envelope.heartbeat().may_leave()) {
      free_.insert(envelope.to().machine());
    }
    if (!envelope.has_lend()) return;
    for (const auto& loan : envelope.lend().loans()) {
      if (!free_.contains(loan.machine()) || world_.find(loan.machine())->insider) continue;
      wrong(world_.find(loan.machine())->name + " is lent after it was told that it may leave");
    }
  }
  void on_started(const Node& node) override { free_.erase(node.machine); }

 private:
  std::set<std::string> free_;
};

// Nobody is asked for what they have answered, however late, once the coordinator has read it: it
// has read what comes before the cursor from which it asks a store on. What was asked for under an
// epoch that the row has forgotten counts no more.
class NobodyIsAskedTwice final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (envelope.has_feed()) return on_feed(node, envelope.feed());
    if (envelope.has_subscribe()) return on_subscribe(envelope);
    if (!envelope.has_grant()) return;
    const pb::Grant& grant = envelope.grant();
    const auto& read = read_[{grant.key().job(), grant.key().run(), grant.key().epoch()}];
    for (const auto& item : grant.items()) {
      if (epochs_repeat_ || !read.contains({envelope.to().machine(), item.item()})) continue;
      wrong(world_.find(envelope.to().machine())->name + " is asked for item " +
            std::to_string(item.item()) + ", which it has answered");
    }
  }
  void on_database_lost() override { epochs_repeat_ = true; }

 private:
  using Answered = std::set<std::pair<std::string, uint32_t>>;  // {machine, item}
  void on_feed(const Node& store, const pb::Feed& feed) {
    if (feed.records().empty() || feed.epoch() == 0) return;  // Stores copy from each other.
    Answered answered;
    for (const pb::SignedRecord& record : feed.records()) {
      const KnownRecord* known = ledger_.find(record);
      if (known == nullptr || !known->record.has_answer()) continue;  // Altered, or no answer.
      if (!is_remembered(known->record)) continue;
      answered.emplace(known->author, known->record.answer().item());
    }
    const FeedKey key{feed.next(), store.machine, {feed.job(), feed.run(), feed.epoch()}};
    auto [entry, is_new] = sent_.try_emplace(key, answered);
    // Sent again, altered or not this time: only one of the two is read.
    if (!is_new) std::erase_if(entry->second, [&](const auto& a) { return !answered.contains(a); });
  }
  void on_subscribe(const pb::Envelope& envelope) {
    const pb::Subscribe& ask = envelope.subscribe();
    const EpochKey reader{ask.job(), ask.run(), ask.epoch()};
    auto sent = sent_.find({ask.cursor(), envelope.to().machine(), reader});
    if (sent == sent_.end()) return;
    read_[reader].insert(sent->second.begin(), sent->second.end());
  }

  std::map<FeedKey, Answered> sent_;
  std::map<EpochKey, Answered> read_;
  bool epochs_repeat_ =
      false;  // A new server may give one that another coordinator has read under.
};

// A coordinator reads on from where a feed ended that it had asked for under its own epoch: one
// that was asked for before the run was sealed may lack what came between.
class ReadUnderItsEpoch final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (envelope.has_feed()) {
      const pb::Feed& feed = envelope.feed();
      sent_.insert({feed.next(), node.machine, {feed.job(), feed.run(), feed.epoch()}});
    }
    if (!envelope.has_subscribe() || envelope.from().role() != pb::ROLE_COORDINATOR) return;
    const pb::Subscribe& ask = envelope.subscribe();
    const EpochKey reader{ask.job(), ask.run(), ask.epoch()};
    if (ask.cursor() == 0 || sent_.contains({ask.cursor(), envelope.to().machine(), reader}))
      return;
    wrong(node.name + " reads on under epoch " + std::to_string(ask.epoch()) +
          " from where no feed of that epoch ended");
  }

 private:
  std::set<FeedKey> sent_;
};

}  // namespace

void add_checkers_of_leases(AllCheckers& all) {
  all.add<LeaseIdsAreFresh>("a lease id names one lease");
  all.add<LeasesAreTheGrantees>("a lease is its grantee's");
  all.add<NobodyIsAskedTwice>("nobody is asked twice");
  all.add<WhoMayLeaveHoldsNothing>("who may leave holds nothing");
  all.add<ReadUnderItsEpoch>("what is read was asked for under the epoch");
}

}  // namespace muster::sim
