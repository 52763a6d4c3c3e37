#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// How the answers of machines have fared in a job: who agreed with others, who was outvoted, whose
// votes do not count at all. A machine is trusted after kTrustedAt items in a row on which it
// agreed: those that the server has committed, and those of this job since it was last charged.
//
// Each answer is judged once. A charge is said to the server until it has noted it.
//
// Invariants: whoever has an open charge was judged for that item, and nothing that the server
// knows from before speaks for it any more.
class Standings {
 public:
  static constexpr uint64_t kTrustedAt = 200;

  explicit Standings(pb::JobKey key) : key_(std::move(key)) {}

  [[nodiscard]] bool has_judged(uint32_t item, const std::string& machine) const {
    return judged_.contains({item, machine});
  }
  // Its answer to the item is the value; that counts for it only where it `earns_trust`.
  void on_agreed(uint32_t item, const std::string& machine, bool earns_trust);
  // It is not: `difference` says to a person where.
  void charge(Instant now, uint32_t item, const std::string& machine,
              const std::string& difference);
  void on_noted(const pb::ChargeNoted& noted);
  // What the server knows of it from before this job. Whether it is trusted now and was not, or
  // the other way round.
  bool set_before(const std::string& machine, uint64_t agreed);
  // All whose votes do not count; returns those that are new among them, in order.
  std::vector<std::string> set_quarantined(std::set<std::string> machines);

  // Appends the charges that are due, and when to come back.
  void send_due(Instant now, Effects& effects);
  // What the server is told of `most` machines at the end of the job.
  [[nodiscard]] std::vector<pb::Tally> tallies(size_t most) const;

  [[nodiscard]] bool is_trusted(const std::string& machine) const;
  [[nodiscard]] bool is_quarantined(const std::string& machine) const {
    return quarantined_.contains(machine);
  }
  [[nodiscard]] const std::set<std::string>& quarantined() const { return quarantined_; }
  [[nodiscard]] bool has_open_charges() const { return !charges_.empty(); }

  void check() const;

 private:
  struct Standing {
    uint64_t before = 0;  // Items in a row it agreed on, as the server has committed.
    uint64_t agreed = 0;  // The same in this job, since it was charged.
    bool charged = false;
    [[nodiscard]] uint64_t in_a_row() const { return agreed + (charged ? 0 : before); }
  };
  using Answer = std::pair<uint32_t, std::string>;  // {item, machine}

  pb::JobKey key_;
  std::map<std::string, Standing> standings_;  // By machine, whether it is lent now or not.
  std::set<Answer> judged_;
  std::map<Answer, pb::Charge> charges_;  // Not noted yet.
  Instant due_{};                         // Of the charges.
  std::set<std::string> quarantined_;
};

}  // namespace muster::roles::coordinator
