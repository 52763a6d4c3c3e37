// Who has how many machines while jobs compete.
#include <algorithm>

#include "base/probe.h"
#include "sim/checkers.h"

namespace muster::sim {
namespace {

// As seen from what server and coordinators say to each other, once nothing goes wrong any more: a
// researcher who could use a machine of another one's, who has two more, has one promised within
// kSoon; and what is promised is given back within kOneLease.
class MachinesAreShared final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (node.insider) return;
    if (node.is_server() && envelope.has_lend()) {
      note(envelope.lend(), envelope.to().machine());
    } else if (envelope.has_want_workers()) {
      note(envelope.want_workers(), node.machine);
    } else {
      return;
    }
    if (is_quiet()) look();
  }
  void on_started(const Node&) override { unfair_since_.reset(); }
  void on_ended(const Node&) override { unfair_since_.reset(); }
  void on_database_lost() override { shares_.clear(); }

 private:
  static constexpr Duration kSoon = seconds(10), kOneLease = seconds(120);
  struct Share {  // Of a job.
    std::string coordinator;
    std::set<std::string> has, released;
    std::map<std::string, Instant> promised;  // To others, of what it has.
    size_t wants = 0;
  };
  struct Side {  // A researcher.
    size_t has = 0, promised = 0, lacks = 0;
    std::vector<const Share*> jobs;
  };

  [[nodiscard]] bool is_quiet() const {
    const bool any_intruder = std::any_of(plan_.nodes.begin(), plan_.nodes.end(),
                                          [](const NodePlan& one) { return !one.acts.empty(); });
    return !any_intruder && world_.now() > plan_.healed + kSoon;
  }
  void note(const pb::Lend& lend, const std::string& coordinator) {
    Share& share = shares_[wire::run_key(lend.key())];
    share.coordinator = coordinator;
    share.has.clear();
    for (const pb::Loan& loan : lend.loans()) share.has.insert(loan.machine());
    std::map<std::string, Instant> promised;
    for (const std::string& machine : lend.retiring()) {
      const auto before = share.promised.find(machine);
      promised[machine] = before == share.promised.end() ? world_.now() : before->second;
    }
    share.promised = std::move(promised);
  }
  void note(const pb::WantWorkers& want, const std::string& coordinator) {
    Share& share = shares_[wire::run_key(want.key())];
    if (share.coordinator != coordinator) return;
    share.wants = want.count();
    share.released = {want.released().begin(), want.released().end()};
  }

  [[nodiscard]] std::map<std::string, Side> sides() const {
    std::map<std::string, Side> sides;
    for (const auto& [run, share] : shares_) {
      Side& side = sides[world_.node("server").database.rows.at(run.job).researcher()];
      side.has += share.has.size();
      side.promised += share.promised.size();
      side.lacks += share.wants > share.has.size() ? share.wants - share.has.size() : 0;
      side.jobs.push_back(&share);
    }
    return sides;
  }
  // Whether one of its machines is of use to the other; stores are lent by a rule of their own.
  [[nodiscard]] bool has_for(const Side& rich, const Side& poor) const {
    const auto stores = members();
    const auto is_store = [&](const std::string& machine) {
      return std::any_of(stores.begin(), stores.end(),
                         [&](const Node* store) { return store->machine == machine; });
    };
    for (const Share* from : rich.jobs) {
      for (const std::string& machine : from->has) {
        if (from->promised.contains(machine) || is_store(machine)) continue;
        if (std::any_of(poor.jobs.begin(), poor.jobs.end(), [&](const Share* to) {
              return to->wants > to->has.size() && !to->released.contains(machine);
            })) {
          return true;
        }
      }
    }
    return false;
  }
  // There are two researchers: what one is to give back goes to the other.
  [[nodiscard]] bool is_unfair(const Side& rich, const Side& poor) const {
    const size_t of_rich = rich.has - rich.promised + poor.promised,
                 of_poor = poor.has - poor.promised + rich.promised;
    return of_rich >= of_poor + 2 && poor.lacks > rich.promised && has_for(rich, poor);
  }
  void look() {
    std::erase_if(shares_, [&](const auto& entry) { return !is_live(entry.first); });
    const auto all = sides();
    if (all.size() != 2) return unfair_since_.reset();
    const Side &one = all.begin()->second, &other = all.rbegin()->second;
    if (one.lacks > 0 && other.lacks > 0) MUSTER_PROBE("two researchers compete for machines");
    if (!is_unfair(one, other) && !is_unfair(other, one)) {
      unfair_since_.reset();
    } else if (world_.now() > unfair_since_.value_or(world_.now()) + kSoon) {
      wrong("one researcher has " + std::to_string(one.has) + " machines, the other " +
            std::to_string(other.has) + ", who could use more, and is promised none");
    } else if (!unfair_since_) {
      unfair_since_ = world_.now();
    }
    for (const auto& [run, share] : shares_) {
      for (const auto& [machine, since] : share.promised) {
        if (world_.now() < since + kOneLease) continue;
        wrong(world_.find(machine)->name + " is to be given back by job " + run.job +
              " and was not within one lease");
      }
    }
  }

  std::map<RunKey, Share> shares_;
  std::optional<Instant> unfair_since_;
};

}  // namespace

void add_checkers_of_shares(AllCheckers& all) {
  all.add<MachinesAreShared>("researchers share the machines");
}

}  // namespace muster::sim
