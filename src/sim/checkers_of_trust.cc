// What an intruder must not bring about.
#include <algorithm>

#include "sim/checkers.h"
#include "sim/process.h"

namespace muster::sim {
namespace {

// A store keeps only what was asked for: answers under a lease that was granted for that item, and
// what a coordinator writes that the server has assigned. Whatever else says its signature.
class OnlyWhatWasAskedFor final : public Checker {
 public:
  using Checker::Checker;
  void on_stored(const Node& node, const roles::RecordChange& change) override {
    const auto* put = std::get_if<roles::PutRecords>(&change);
    if (put == nullptr || node.insider) return;
    for (const roles::StoredRecord& stored : put->records) {
      const KnownRecord* known = ledger_.find(stored.digest);
      if (known == nullptr || ledger_.is_genuine(*known)) continue;
      return wrong(node.name + " keeps " + name_of(*known) + " of " + author_of(*known) +
                   ", for which nobody asked");
    }
  }

 private:
  static std::string name_of(const KnownRecord& known) {
    switch (known.record.kind_case()) {
      case pb::Record::kAnswer:
        return "an answer to item " + std::to_string(known.record.answer().item());
      case pb::Record::kSettled:
        return "a settled item";
      case pb::Record::kSeal:
        return "a seal of epoch " + std::to_string(known.record.epoch());
      default:
        return "a record of no kind";
    }
  }
  std::string author_of(const KnownRecord& known) const {
    const Node* author = world_.find(known.author);
    return author == nullptr ? "a made-up key" : author->name;
  }
};

// Whoever votes does not see the votes of others before.
class AnswersAreNotShown final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (!envelope.has_feed() || envelope.feed().records().empty() || node.insider) return;
    const pb::Feed& feed = envelope.feed();
    if (ledger_.may_be_shown(feed.job(), feed.run(), envelope.to().machine())) return;
    const Node* to = world_.find(envelope.to().machine());
    wrong(node.name + " shows answers to " + (to == nullptr ? "nobody" : to->name));
  }
};

// An honest machine is not punished: no charge, no quarantine. Two liars who say the same may
// outvote one that is honest, of what they were asked; then nobody is held to it.
class HonestAreNotPunished final : public Checker {
 public:
  using Checker::Checker;
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveMachine>(&change);
    if (save == nullptr || liars() > 1) return;
    const Node* node = world_.find(save->row.machine());
    if (node == nullptr || node->insider || !node->engine.lie.empty()) return;
    if (save->row.quarantined()) return wrong(node->name + " is honest and in quarantine");
    if (!save->row.charges().empty()) wrong(node->name + " is honest and charged");
  }

 private:
  int64_t liars() const {
    return std::count_if(plan_.nodes.begin(), plan_.nodes.end(),
                         [](const NodePlan& node) { return !node.lie.empty(); });
  }
};

// An honest machine's line is closed by the server only when it was silent.
class HonestAreNotRefused final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    const Node* to = envelope.has_refused() ? world_.find(envelope.to().machine()) : nullptr;
    if (!node.is_server() || to == nullptr || to->insider) return;
    if (envelope.refused().reason().find("heard") == std::string::npos)
      wrong(to->name + " is honest and refused: " + envelope.refused().reason());
  }
};

// A store that was left alone, as were the coordinator and the server, is not said to neglect its
// duty: what ails one store costs no other its place.
class HonestStoresAreNotStruck final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (!envelope.has_silent_store() || node.insider) return;
    const Node* store = world_.find(envelope.silent_store().machine());
    if (store == nullptr || store->insider) return;
    const bool feeds_nonsense = envelope.silent_store().what().starts_with("feeds ");
    if (feeds_nonsense ? serves_altered_records(store->name) : has_excuse(node, *store)) return;
    wrong(node.name + " says that " + store->name + " " + envelope.silent_store().what());
  }

 private:
  static constexpr Duration kAfterwards = seconds(30);  // What ails one may be noticed so late.

  [[nodiscard]] bool serves_altered_records(const std::string& store) const {
    return std::any_of(plan_.faults.begin(), plan_.faults.end(), [&](const Fault& fault) {
      return fault.node == store &&
             (fault.kind == FaultKind::kRot || fault.kind == FaultKind::kLyingStore);
    });
  }
  [[nodiscard]] bool has_excuse(const Node& coordinator, const Node& store) const {
    return !is_calm() || was_troubled(store.name) || was_troubled(coordinator.name) ||
           was_troubled("server") || was_troubled("");
  }
  [[nodiscard]] bool is_calm() const {
    // What is 20 s late is as good as lost to whoever waits for 8 s.
    return plan_.weather.lost_per_mille + plan_.weather.late_per_mille < 5 ||
           world_.now() > plan_.healed + kAfterwards;
  }
  [[nodiscard]] bool was_troubled(const std::string& name) const {
    return std::any_of(plan_.faults.begin(), plan_.faults.end(), [&](const Fault& fault) {
      const bool passed = !fault.for_good && fault.until + kAfterwards < world_.now();
      return fault.node == name && fault.at <= world_.now() && !passed;
    });
  }
};

}  // namespace

void add_checkers_of_trust(AllCheckers& all) {
  all.add<OnlyWhatWasAskedFor>("a store keeps only what was asked for");
  all.add<AnswersAreNotShown>("answers are not shown");
  all.add<HonestAreNotPunished>("an honest machine is not punished");
  all.add<HonestAreNotRefused>("an honest machine is not refused");
  all.add<HonestStoresAreNotStruck>("a store that does its duty keeps its place");
}

}  // namespace muster::sim
