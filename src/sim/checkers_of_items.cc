// How items are settled, and what numbers come of it.
#include "sim/checkers.h"

#include <algorithm>

#include "eval/metric.h"
#include "sim/stand_in_tasks.h"
#include "wire/owner.h"
#include "wire/short_id.h"

namespace muster::sim {
namespace {

std::vector<Question> questions_of(const eval::Item& item) {
  std::vector<Question> questions;
  for (const auto& request : item.requests) {
    questions.emplace_back(request.context, request.continuation);
  }
  return questions;
}

using ItemKey = std::tuple<std::string, uint32_t, uint32_t>;  // {job, run, item}

ItemKey item_key(const pb::Record& record, uint32_t item) {
  return {record.job(), record.run(), item};
}

std::string name_of(const ItemKey& key) {
  return "item " + std::to_string(std::get<2>(key)) + " of job " +
         wire::short_id(std::get<0>(key)) + " run " + std::to_string(std::get<1>(key));
}

// The items of a job in order, over all its tasks.
class JobItems {
 public:
  explicit JobItems(const pb::JobRequest& request) : tasks_(*stand_in_tasks(request)) {
    for (size_t task = 0; task < tasks_->size(); ++task) {
      for (const auto& item : (*tasks_)[task].items) items_.emplace_back(task, &item);
    }
  }
  [[nodiscard]] size_t size() const { return items_.size(); }
  [[nodiscard]] const eval::Item& item(size_t i) const { return *items_[i].second; }
  [[nodiscard]] size_t task(size_t i) const { return items_[i].first; }

 private:
  std::shared_ptr<const roles::FrozenTasks> tasks_;
  std::vector<std::pair<size_t, const eval::Item*>> items_;
};

// A settled item never changes, neither value nor votes, while one store that acknowledged it
// survives. Nobody is held to it once a database was lost: a run may have begun twice then, under
// the same epochs, and the stores hold what came of both.
class SettledNeverChanges final : public Checker {
 public:
  using Checker::Checker;
  void on_acknowledged(const KnownRecord& known) override {
    if (database_lost_) return;
    if (!known.record.has_settled() || !is_held(ledger_.view(), known.digest)) return;
    const ItemKey key = item_key(known.record, known.record.settled().item());
    const std::string verdict = known.record.settled().SerializeAsString();
    auto [entry, is_new] = settled_.try_emplace(key, First{verdict, known.digest});
    if (!is_new && entry->second.verdict != verdict) {
      wrong(name_of(key) + " was settled otherwise before");
    }
    entry->second.digest = known.digest;
  }
  // What no store of the view holds any more is lost with those who had it, even should one of them
  // come back later.
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveView>(&change);
    if (save == nullptr) return;
    std::erase_if(settled_,
                  [&](const auto& entry) { return !is_held(save->view, entry.second.digest); });
  }
  void on_database_lost() override { database_lost_ = true; }

 private:
  struct First {
    std::string verdict;
    Digest digest;  // Of the record that was acknowledged last.
  };
  std::map<ItemKey, First> settled_;
  bool database_lost_ = false;
};

// An item is settled by votes of distinct machines that agree, and by enough of them.
class VotesAreSound final : public Checker {
 public:
  using Checker::Checker;
  void on_acknowledged(const KnownRecord& known) override {
    // Also where only intruders' stores have it.
    if (known.record.has_answer()) note_vote(known);
    if (!known.record.has_settled() || !checked_.insert(known.digest).second) return;
    const pb::Settled& settled = known.record.settled();
    const ItemKey key = item_key(known.record, settled.item());
    std::set<std::string> machines, owners, models;
    for (const std::string& bytes : settled.votes()) {
      const auto digest = Digest::from_bytes(bytes);
      const KnownRecord* vote = digest ? ledger_.find(*digest) : nullptr;
      const bool is_vote = vote != nullptr && vote->record.has_answer() &&
                           vote->record.answer().item() == settled.item() &&
                           vote->record.job() == known.record.job() &&
                           vote->record.run() == known.record.run();
      if (!is_vote) return wrong(name_of(key) + " counts something that is no vote on it");
      if (!ledger_.was_asked(*vote))
        return wrong(name_of(key) + " counts a vote that nobody asked for");
      owners.insert(owner_of(*vote));
      if (const auto& model = vote->record.answer().model_digest(); !model.empty()) {
        models.insert(model);
      }
      if (!machines.insert(vote->author).second) {
        return wrong(name_of(key) + " counts two votes of one machine");
      }
    }
    if (models.size() > 1) {
      return wrong(name_of(key) +
                   " counts votes of models that were not loaded from the same bytes");
    }
    if (machines.empty()) return wrong(name_of(key) + " is settled without a vote");
    const Instant then = first_written_[verdict_of(known.record)];
    const bool many = has_many_owners(known.record.job(), then) &&
                      another_could_vote(known.record, settled.item(), owners, then);
    check_count(key, many ? owners.size() : machines.size());
  }
  void on_stored(const Node&, const roles::RecordChange& change) override {
    const auto* put = std::get_if<roles::PutRecords>(&change);
    if (put == nullptr) return;
    for (const roles::StoredRecord& stored : put->records) {
      const KnownRecord* known = ledger_.find(stored.digest);
      if (known != nullptr && known->record.has_answer()) note_answer(*known);
      if (known == nullptr || !known->record.has_settled()) continue;
      first_written_.try_emplace(verdict_of(known->record), world_.now());
    }
  }

 private:
  // The same under whatever epoch: what a successor adopts was settled by the rules of its time.
  static std::string verdict_of(const pb::Record& record) {
    std::string verdict = name_of(item_key(record, record.settled().item()));
    for (const std::string& vote : record.settled().votes()) verdict += vote;
    return verdict;
  }
  // Whose machine it was by the terms that asked for the answer: what it says itself counts for
  // nothing, and two processes with one key may say different things.
  static std::string owner_of(const KnownRecord& answer) {
    pb::Record terms;
    terms.ParseFromString(answer.record.answer().grant().body());
    return wire::owner_of(answer.author, terms.grant().owner());
  }
  // The server had told so for long enough that whoever settled had heard it.
  bool has_many_owners(const std::string& job, Instant then) const {
    auto since = many_since_.find(job);
    return since != many_since_.end() && then - since->second > seconds(10);
  }
  void note_answer(const KnownRecord& known) {
    answered_[wire::run_key(known.record)][known.author] = {owner_of(known), world_.now()};
    note_vote(known);
  }
  void note_vote(const KnownRecord& known) {
    voted_.emplace(item_key(known.record, known.record.answer().item()), known.author);
  }
  // Some machine of an owner who has not voted was at work for this run just then. An intruder may
  // have said that it cannot.
  bool another_could_vote(const pb::Record& record, uint32_t item,
                          const std::set<std::string>& owners, Instant then) {
    for (const auto& [machine, last] : answered_[{record.job(), record.run()}]) {
      const Node* node = world_.find(machine);
      const bool at_work = (node == nullptr || !node->insider) && last.at <= then &&
                           then - last.at < seconds(3) && lent_[record.job()].contains(machine) &&
                           !failed_.contains({item_key(record, item), machine}) &&
                           !voted_.contains({item_key(record, item), machine});
      if (at_work && !owners.contains(last.owner) && !is_shared(machine)) return true;
    }
    return false;
  }
  // Two processes with one key push each other out: nobody waits for them.
  bool is_shared(const std::string& machine) const {
    return std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [&](const NodePlan& node) {
      return !node.key_of.empty() && world_.node(node.key_of).machine == machine;
    });
  }
  void check_count(const ItemKey& key, size_t votes) {
    const auto& rows = world_.node("server").database.rows;
    auto row = rows.find(std::get<0>(key));
    if (row == rows.end() || row->second.run() != std::get<1>(key)) return;
    const pb::JobRequest& request = row->second.request();
    if (votes >= request.redundancy() || request.adaptive()) return;
    // Fewer are right only in a pool that had nobody else for the quorum wait.
    const Duration waited = world_.now() - accepted_[{std::get<0>(key), std::get<1>(key)}];
    // Clocks run up to 2 % fast.
    if (waited * 100 < milliseconds(request.quorum_wait_ms()) * 97) {
      wrong(name_of(key) + " is settled on " + std::to_string(votes) + " votes without waiting");
    }
  }
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (envelope.has_lease_failed()) {
      const pb::LeaseFailed& failed = envelope.lease_failed();
      failed_.emplace(ItemKey{failed.key().job(), failed.key().run(), failed.item()}, node.machine);
    }
    if (!node.is_server()) return;
    if (envelope.has_lend()) {
      const std::string& job = envelope.lend().key().job();
      lent_[job].clear();
      for (const pb::Loan& loan : envelope.lend().loans()) lent_[job].insert(loan.machine());
      envelope.lend().many_owners() ? void(many_since_.try_emplace(job, world_.now()))
                                    : void(many_since_.erase(job));
    }
    if (!envelope.has_submit_reply()) return;
    const auto& reply = envelope.submit_reply();
    if (!reply.has_failure()) accepted_.try_emplace(wire::run_key(reply), world_.now());
  }

  struct LastAnswer {
    std::string owner;
    Instant at{};
  };
  std::map<RunKey, std::map<std::string, LastAnswer>> answered_;  // By machine.
  std::map<std::string, std::set<std::string>> lent_;             // By job.
  std::set<std::pair<ItemKey, std::string>> failed_, voted_;      // By machine.
  std::set<Digest> checked_;
  std::map<RunKey, Instant> accepted_;
  std::map<std::string, Instant> first_written_;  // By verdict.
  std::map<std::string, Instant> many_since_;  // By job: its coordinator was told of many owners.
};

// A job's numbers equal those of one process doing all the work alone.
class NumbersAreRight final : public Checker {
 public:
  using Checker::Checker;
  void on_acknowledged(const KnownRecord& known) override {
    if (!known.record.has_settled()) return;
    const pb::Settled& settled = known.record.settled();
    known_[item_key(known.record, settled.item())].push_back(&known);
  }
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveJob>(&change);
    if (save == nullptr || save->row.state() != pb::JOB_STATE_DONE) return;
    const pb::JobRow& row = save->row;
    const JobItems items(row.request());
    std::vector<std::vector<eval::ItemScore>> scores(row.result().tasks_size());
    for (size_t i = 0; i < items.size(); ++i) {
      const auto key = ItemKey(row.job(), row.run(), static_cast<uint32_t>(i));
      auto found = known_.find(key);
      if (found == known_.end()) {
        return wrong("the result counts " + name_of(key) +
                     ", which no acknowledged record settles");
      }
      const pb::Settled& settled = found->second.back()->record.settled();
      const std::vector<pb::Response> value(settled.responses().begin(), settled.responses().end());
      const auto& classes = row.numeric_classes();
      if (std::find(classes.begin(), classes.end(), settled.numeric_class()) == classes.end()) {
        return wrong(name_of(key) + " has a value of a class that was not committed");
      }
      if (!is_allowed(settled.numeric_class(), value, questions_of(items.item(i))) &&
          !only_liars_voted(settled)) {
        return wrong(name_of(key) + " has a value that no honest machine of its class gives");
      }
      std::vector<eval::Response> responses;
      for (const auto& response : value) {
        responses.push_back({response.loglikelihood(), response.is_greedy()});
      }
      if (items.task(i) >= scores.size()) return wrong("the result lacks a task");
      scores[items.task(i)].push_back(eval::score_item(items.item(i), responses));
    }
    for (size_t task = 0; task < scores.size(); ++task) {
      const auto metrics = eval::aggregate(scores[task]);
      const auto& told = row.result().tasks(static_cast<int>(task));
      for (size_t m = 0; m < metrics.size(); ++m) {
        if (told.metrics_size() <= static_cast<int>(m) ||
            told.metrics(static_cast<int>(m)).value() != metrics[m].value) {
          return wrong("job " + row.job() + ": " + metrics[m].name +
                       " is not what its settled items give");
        }
      }
    }
  }

 private:
  // Liars who say the same, or one vote an item: then a wrong value may win, of what they were
  // asked.
  bool only_liars_voted(const pb::Settled& settled) const {
    return std::all_of(settled.votes().begin(), settled.votes().end(), [&](const auto& vote) {
      const auto digest = Digest::from_bytes(vote);
      const KnownRecord* known = digest ? ledger_.find(*digest) : nullptr;
      const Node* voter = known == nullptr ? nullptr : world_.find(known->author);
      const bool lies = voter != nullptr && (!voter->engine.lie.empty() || voter->insider);
      return lies && ledger_.was_asked(*known);
    });
  }
  std::map<ItemKey, std::vector<const KnownRecord*>> known_;
};

}  // namespace

void add_checkers_of_items(AllCheckers& all) {
  all.add<SettledNeverChanges>("a settled item never changes");
  all.add<VotesAreSound>("votes are of distinct machines and enough");
  all.add<NumbersAreRight>("the numbers equal one process alone");
}

}  // namespace muster::sim
