#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eval/item.h"
#include "roles/coordinator/situation.h"
#include "roles/coordinator/voters.h"
#include "wire/lease_id.h"

namespace muster::roles::coordinator {

struct StageSetting {
  size_t redundancy = 2;
  size_t items = 4;
  size_t bytes = 100;  // Of text, each item.
  bool adaptive = false;
};

// For tests: a job to decide about, made by hand. Values are of class "A" unless a test says
// otherwise; a machine's name begins with its owner's, so that "a1" and "a2" are both of "a".
class SituationStage : public testing::Test {
 protected:
  explicit SituationStage(const StageSetting& its = {}) : setting(its) {
    auto tasks = std::make_shared<FrozenTasks>();
    tasks->push_back({.task = "task"});
    for (size_t i = 0; i < setting.items; ++i) {
      eval::Item& item = tasks->back().items.emplace_back();
      item.doc_id = static_cast<int64_t>(10 + i);
      item.requests.push_back({std::string(setting.bytes - 5, 'x'), " yes"});
    }
    Rng rng(1);
    items.set_classes({"A"});
    items.freeze(tasks, rng);
    owners.on_vote(now);
  }
  ~SituationStage() override {
    items.check();
    leases.check();
    machines.check();
    standings.check();
  }

  [[nodiscard]] Situation situation() const {
    return {items, leases, machines, owners, standings, setting.adaptive};
  }

  // ---- Machines.

  // Lent, and asked to have the model ready.
  void arrive(const std::vector<std::string>& names) {
    pb::Lend lend;
    for (const std::string& name : names) {
      pb::Loan& loan = *lend.add_loans();
      loan.set_machine(name);
      loan.set_owner(name.substr(0, 1));
    }
    (void)machines.arrive(now, lend, effects);
  }
  void ready(const std::vector<std::string>& names, const std::string& its_class = "A") {
    arrive(names);
    for (const std::string& name : names) machines.on_ready(name, its_class);
  }
  void give_back(const std::string& name, Code code = Code::kNotFound) {
    machines.give_back(now, name, {code, "no model"}, effects);
  }
  void measure(const std::string& name, size_t bytes_per_second) {
    machines.note_speed(name, bytes_per_second, seconds(1));
  }
  void trust(const std::string& name) {
    standings.set_before(name, Standings::kTrustedAt);
    items.refresh_votes_of(name);
  }
  // What the server says besides who is lent.
  void hear(uint32_t elsewhere, const std::string& retiring = "") {
    pb::Lend lend;
    lend.set_elsewhere(elsewhere);
    if (!retiring.empty()) lend.add_retiring(retiring);
    (void)machines.hear(lend);
  }
  void look_at_owners() { (void)owners.look(now, machines, leases, true, effects); }

  // ---- Items.

  void set_classes(std::vector<std::string> classes) {
    items.set_classes(std::move(classes));
    recount_all();
  }
  void set_distinct_owners() {
    items.set_distinct_owners(true);
    recount_all();
  }
  void vote(uint32_t index, const std::string& machine, double loglikelihood = -3) {
    const std::string* its_class = machines.class_of(machine);
    (void)items.vote(index, {machine, machine.substr(0, 1), sha256(machine),
                             its_class == nullptr ? "A" : *its_class, answer(loglikelihood)});
  }
  // Of every machine of a list.
  void votes(uint32_t index, const std::vector<std::string>& names, double loglikelihood = -3) {
    for (const std::string& name : names) vote(index, name, loglikelihood);
  }
  void exclude(uint32_t index, const std::string& machine) {
    items.fail(index, machine, Item::kExcludedAt, "crashed");
  }
  void settle(uint32_t index) {
    Vote value;
    value.numeric_class = "A";
    value.responses = answer(-3);
    items.settle(index, value, setting.redundancy);
  }

  // The machine is at these, from now on.
  LeaseId hold(const std::string& machine, std::vector<uint32_t> indices) {
    Lease lease{.machine = machine, .items = std::move(indices), .granted = now};
    lease.bytes = lease.items.size() * setting.bytes;
    lease.deadline = now + Lease::kWithoutProgress;
    lease.latest = now + seconds(600);
    return leases.add(std::move(lease));
  }

  const StageSetting setting;
  Instant now = Instant() + seconds(100);
  Effects effects;
  pb::JobKey key = its_key();
  Standings standings{key};
  Leases leases{key.epoch()};
  Machines machines{key.epoch()};
  Owners owners;
  Items items{setting.redundancy, [this](const Item& item) {
                return votes_enough(situation(), item, setting.redundancy);
              }};

 private:
  static pb::JobKey its_key() {
    pb::JobKey key;
    key.set_job("job");
    key.set_run(1);
    key.set_epoch(3);
    return key;
  }
  static std::vector<pb::Response> answer(double loglikelihood) {
    pb::Response out;
    out.set_loglikelihood(loglikelihood);
    out.set_margin(1);
    out.set_tokens(4);
    return {out};
  }
  void recount_all() {
    for (const Item& item : items) items.recount(item.index(), item.by_machine);
  }
};

}  // namespace muster::roles::coordinator
