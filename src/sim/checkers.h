#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/ledger.h"
#include "sim/plan.h"
#include "sim/world.h"
#include "wire/run_key.h"

namespace muster::sim {

using wire::RunKey;

// One promise of the pool that is looked at from outside, after every step that could break it.
// Says what is wrong through `wrong`, once at most.
class Checker : public Observer {
 public:
  // All outlive the object.
  Checker(const char* name, World& world, Ledger& ledger, const Plan& plan)
      : name_(name), world_(world), ledger_(ledger), plan_(plan) {}

  [[nodiscard]] const std::string& found() const { return found_; }  // Empty: nothing wrong.
  // A record is acknowledged, possibly not for the first time.
  virtual void on_acknowledged(const KnownRecord&) {}
  // The pool was healed, every job is over, and some time has passed.
  virtual void at_end() {}

 protected:
  void wrong(const std::string& what) {
    if (found_.empty()) found_ = std::string(name_) + ": " + what;
  }
  [[nodiscard]] bool is_live(const RunKey& run) const;
  // Whether the row names who had the run under the record's epoch: it forgets all but the latest,
  // and nobody copies or counts what was done before.
  [[nodiscard]] bool is_remembered(const pb::Record& record) const;
  // Members of the view now, that still have the store they joined with; intruders are none, since
  // nobody is held to what they have.
  [[nodiscard]] std::vector<const Node*> members() const;
  // Whether such a member, or a joiner, has the record.
  [[nodiscard]] bool is_held(const pb::View& view, const Digest& digest) const;

  const char* name_;
  World& world_;
  Ledger& ledger_;
  const Plan& plan_;

 private:
  std::string found_;
};

// Makes the checkers, each by its name.
struct AllCheckers {
  template <typename T>
  void add(const char* name) {
    list.push_back(std::make_unique<T>(name, world, ledger, plan));
  }
  World& world;
  Ledger& ledger;
  const Plan& plan;
  std::vector<std::unique_ptr<Checker>> list;
};
void add_checkers_of_jobs(AllCheckers& all);
void add_checkers_of_stores(AllCheckers& all);
void add_checkers_of_leases(AllCheckers& all);
void add_checkers_of_items(AllCheckers& all);
void add_checkers_of_trust(AllCheckers& all);
void add_checkers_of_shares(AllCheckers& all);

// Every checker there is.
std::vector<std::unique_ptr<Checker>> all_checkers(World& world, Ledger& ledger, const Plan& plan);

}  // namespace muster::sim
