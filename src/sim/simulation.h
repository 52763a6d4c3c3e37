#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/checkers.h"
#include "sim/faults.h"
#include "sim/intruder.h"
#include "sim/ledger.h"
#include "sim/plan.h"
#include "sim/researcher.h"
#include "sim/world.h"

namespace muster::sim {

// One seed, from the first joining to the verdict. First the plan's faults strike and safety is
// checked at every step; at plan.healed everything is mended, and every job must then end within
// kEndsWithin; at last the pool must be whole.
class Simulation final : private Observer {
 public:
  // After the healing, for the last job to end: loading, three votes an item on the slowest
  // machine, a quorum wait and the grace after a restart fit with room.
  static constexpr Duration kEndsWithin = seconds(900);
  // Longer for each job, where a machine goes on and on: so long it may hold an item.
  static constexpr Duration kCrawlersHold = seconds(600);

  enum class Verdict { kPassed, kWrong, kStuck };

  // `trace` gets a line for every event when it is not null.
  explicit Simulation(Plan plan, std::string* trace = nullptr);

  Verdict run();
  // Why it did not pass, in a sentence.
  [[nodiscard]] const std::string& why() const { return why_; }
  // Of everything that was said and written: equal runs, equal digests.
  [[nodiscard]] uint64_t digest() const { return digest_; }
  [[nodiscard]] uint64_t steps() const { return world_.agenda.done(); }
  [[nodiscard]] Duration lasted() const { return world_.now() - begun_; }

 private:
  void on_send(const Node& node, const pb::Envelope& envelope) override;
  void on_note(const Node& node, const roles::Note& note) override;
  void on_committed(const Node& node, const roles::Change& change) override;
  void on_stored(const Node& node, const roles::RecordChange& change) override;
  void on_started(const Node& node) override;
  void on_ended(const Node& node) override;
  void on_database_lost() override;

  void build();
  void build_intruder(Node& node, const NodePlan& planned);
  void hear_intruder(const pb::Envelope& envelope);
  void note_objection(const Node& node, const pb::Envelope& envelope);
  void watch_memory();
  void count_words(int bytes);
  void schedule_faults();
  void strike(const Fault& fault);
  void expect_noticed(const Node& node);
  void heal();
  [[nodiscard]] bool all_over() const;
  [[nodiscard]] bool may_fail() const;
  [[nodiscard]] Duration ends_within() const;
  [[nodiscard]] std::string first_wrong() const;
  Verdict stuck();
  Verdict spins();
  Verdict wrong_or(Verdict otherwise);
  void note_digest(const Node& node, uint64_t what);
  void trace(const Node& node, const std::string& text);

  Plan plan_;
  std::string* trace_;
  World world_;
  Faults faults_;
  Ledger ledger_;
  Overheard overheard_;
  std::vector<Intruder*> intruders_;
  std::map<std::string, std::set<std::string>> objectors_;  // By job: machines.
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::vector<std::unique_ptr<Researcher>> researchers_;
  Instant begun_;
  uint64_t digest_ = 0;
  Instant said_since_{};
  uint64_t said_ = 0, said_bytes_ = 0;  // Since then.
  std::string why_;
};

}  // namespace muster::sim
