#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "eval/item.h"
#include "roles/coordinator/votes.h"
#include "roles/keys.h"
#include "roles/outbox.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// Drives one job under one epoch, from its row to its result.
//
//   freezing    FreezeRequests was asked for.
//   committing  CommitFrozen is repeated until the server has the digest in the job's row.
//   reading     records that other epochs left are read from the view; requests are stored.
//   running     machines are made ready, leases granted, answers read from the view, items settled.
//   finishing   Finish is repeated until the server answers; then over().
//
// Answers are learned from storage alone. An item settles with `redundancy` votes that agree, of
// distinct machines; a settled item counts once its record is acknowledged. Sums go in item order,
// so the result does not depend on who was fast.
class Job {
 public:
  // `keys` outlives the object.
  Job(pb::JobRow row, const Keys& keys, Instant now);

  // What there is to do first.
  void start(Effects& effects);
  void on_frozen(Instant now, const RequestsFrozen& frozen, Effects& effects);
  // A message that names this job, or comes from the storage view.
  void on_message(Instant now, const pb::Envelope& envelope, Effects& effects);
  void on_pool_state(const pb::PoolState& state);
  void on_line(Instant now, bool up);
  // After every event: grants, repeats, time-outs.
  void move(Instant now, Effects& effects);

  [[nodiscard]] bool over() const { return phase_ == Phase::kOver; }
  [[nodiscard]] const pb::JobKey& key() const { return key_; }

 private:
  enum class Phase { kFreezing, kCommitting, kReading, kRunning, kFinishing, kOver };

  struct Item {
    const eval::Item* item = nullptr;
    size_t task = 0;
    pb::ItemRequests requests;
    size_t bytes = 0;  // Of text: the measure of work.
    ItemVotes votes;
    std::set<std::string> open;           // Machines that hold a lease with it.
    std::map<std::string, int> failures;  // By machine; two bar it.
    std::vector<pb::Response> value;      // Once settled.
    size_t votes_at_settling = 0;         // 0: open.
    bool acknowledged = false;
  };
  struct Machine {
    bool ready = false;
    std::string numeric_class;
    std::string unable;     // Why it cannot; empty while it may.
    std::string preparing;  // What it does before it is ready: "fetching 12 of 98 MB".
    Instant prepare_due{};
    Instant not_before{};  // After a failed attempt.
    std::optional<uint64_t> lease;
    double bytes_per_second = 0;  // Measured; 0: not yet.
  };
  struct Lease {
    std::string machine;
    std::vector<uint32_t> items;
    size_t bytes = 0;
    Instant granted{}, deadline{};
  };
  struct Reader {
    std::string store_id;  // A cursor means nothing to another store.
    uint64_t cursor = 0;
    bool caught_up = false;
    Instant due{};
  };

  // job.cc: phases, messages, the end.
  void on_lend(const pb::Lend& lend, Effects& effects);
  void on_feed(Instant now, const std::string& member, const pb::Feed& feed, Effects& effects);
  void read_feeds(Instant now, Effects& effects);
  void repeat_requests(Instant now, Effects& effects);
  void report(Instant now, Effects& effects);
  void begin_running(Instant now);
  void finish(pb::JobResult result, Effects& effects);
  void give_up(const Error& error, Effects& effects);
  [[nodiscard]] pb::JobResult result(Instant now) const;
  [[nodiscard]] pb::TaskResult task_result(size_t task) const;
  [[nodiscard]] std::string waiting_reason() const;

  // job_leases.cc: who works on what.
  void on_preparing(const std::string& machine, const pb::Preparing& preparing);
  void on_ready(const std::string& machine, const pb::Ready& ready);
  void on_unable(Instant now, const std::string& machine, const pb::Unable& unable,
                 Effects& effects);
  void on_progress(Instant now, uint64_t lease);
  void on_lease_failed(Instant now, const pb::LeaseFailed& failed, Effects& effects);
  void prepare_machines(Instant now, Effects& effects);
  void grant_all(Instant now, Effects& effects);
  bool grant(Instant now, const std::string& name, Machine& machine, Effects& effects);
  void expire_leases(Instant now, Effects& effects);
  void close_lease_if_answered(Instant now, const std::string& machine);
  void close_lease(Instant now, uint64_t number, bool measured);
  void withdraw(Instant now, uint64_t number, Effects& effects);
  [[nodiscard]] size_t votes_needed(const Item& item) const;
  [[nodiscard]] bool may_vote(const std::string& machine, const Item& item) const;
  [[nodiscard]] bool is_barred_everywhere(const Item& item) const;
  [[nodiscard]] bool is_useful(const std::string& name, const Machine& machine) const;
  [[nodiscard]] size_t machines_wanted() const;

  // job_settling.cc: what the votes say.
  void on_record(Instant now, const pb::SignedRecord& record, Effects& effects);
  void settle_if_agreed(Item& item, size_t votes_enough);
  void settle_what_waited(Instant now, Effects& effects);
  [[nodiscard]] bool is_stuck(Instant now) const;
  void fail_disputed(const Item& item, Effects& effects);

  pb::JobRow row_;
  pb::JobKey key_;
  const Keys& keys_;
  Instant started_;
  Phase phase_ = Phase::kFreezing;
  bool line_up_ = true;

  std::shared_ptr<const FrozenTasks> tasks_;
  std::vector<Item> items_;
  std::string digest_;  // Of all requests.
  size_t settled_ = 0, acknowledged_ = 0;

  Outbox outbox_;  // Tag = item index for settled records; kRequestsTag for requests.
  std::map<std::string, Reader> readers_;  // By member.
  std::set<Digest> seen_;                  // Records read; two members hold the same ones.
  std::map<std::string, Machine> machines_;
  std::map<uint64_t, Lease> leases_;
  uint64_t next_lease_ = 1;
  std::set<std::string> classes_;

  std::optional<Instant> stuck_since_;
  Instant others_may_return_until_{};  // After a new line or assignment: nobody is missing yet.
  Instant repeat_due_{}, report_due_{};
  pb::Envelope repeated_;  // CommitFrozen or Finish.
};

}  // namespace muster::roles::coordinator
