// How nodes behave: who may coordinate, what had to be refused, which stores do not do their duty.
#include <algorithm>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMostRefusals = 10;  // In kRefusalWindow: then the line is cut.
constexpr Duration kRefusalWindow = seconds(60);
constexpr Duration kNoteEvery = seconds(10);  // A machine's refusals, in the database.
constexpr Duration kLapse = seconds(60);      // Out of the view; doubled by each further one.
constexpr int kMostDoublings = 6;

}  // namespace

// Named by the operator, or the first that ever came: until there are tokens, nobody else may say
// what a job's result is. Returns why not.
std::string Server::refuse_coordinator(const std::string& machine, Effects& effects) {
  const auto& known = pool_.coordinators();
  if (std::find(known.begin(), known.end(), machine) != known.end()) return "";
  if (known.empty()) {
    pool_.add_coordinators(machine);
    save_pool(effects);
    return "";
  }
  MUSTER_PROBE("a coordinator that nobody named is refused");
  std::string flags;
  for (const std::string& name : known) flags += " --coordinator " + name;
  return "this pool's coordinator is another machine; to add this one, start the server with" +
         flags + " --coordinator " + machine;
}

void Server::save_pool(Effects& effects) {
  pool_write_ = write_ids_.next();
  effects.persist.push_back({*pool_write_, SavePool{pool_}});
}

bool Server::on_pool_stored(Instant now, const Stored& stored) {
  if (pool_write_ != stored.id) return false;
  pool_write_.reset();
  if (stored.outcome != Outcome::kDone) pool_due_ = now + kRepeatEvery;
  return true;
}

void Server::keep_pool(Instant now, Effects& effects) {
  if (!pool_due_) return;
  if (*pool_due_ > now) return effects.wake_by(*pool_due_);
  pool_due_.reset();
  save_pool(effects);
}

// Seen by this server itself, on the node's own line.
void Server::on_misspoken(Instant now, const Misspoken& said, Effects& effects) {
  auto node = nodes_.find(said.machine);
  if (node == nodes_.end()) return;
  note_refusal(now, said.machine, said.what, said.times, effects);
  if (node->second.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return;
  Standing& standing = standing_of(said.machine);
  auto& times = standing.refused_at;
  for (uint32_t i = 0; i < std::min<uint32_t>(said.times, kMostRefusals); ++i) times.push_back(now);
  while (!times.empty() && (times.front() + kRefusalWindow < now || times.size() > kMostRefusals)) {
    times.pop_front();
  }
  if (times.size() < kMostRefusals) return;
  MUSTER_PROBE("a machine that says what it may not loses its line");
  times.clear();
  banish(now, said.machine, said.what, effects);
}

// Its line is cut, and it is lent no more, nor does it store, until it is pardoned.
void Server::banish(Instant now, const std::string& machine, const std::string& what,
                    Effects& effects) {
  Standing& standing = standing_of(machine);
  standing.banished = true;
  pb::MachineRow row = standing.row;
  row.set_misbehaved(true);
  row.set_quarantined(true);
  row.set_refused(standing.refused);
  row.set_refusal(what);
  if (!standing.write) write_machine(standing, std::move(row), effects);
  pb::Envelope refusal = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
  refusal.mutable_refused()->set_reason(
      "ten messages in a minute that had to be refused, the last: " + what);
  effects.send.push_back({std::move(refusal)});
  on_left(now, machine, "it said what it may not: " + what, effects);
}

// What others say they had to refuse is told to whoever asks, and held against nobody.
void Server::on_refusals(Instant now, const std::string& from, const pb::Refusals& refusals,
                         Effects& effects) {
  for (const pb::Refusal& refusal : refusals.refusals()) {
    if (!nodes_.contains(refusal.machine())) continue;
    note_refusal(now, refusal.machine(), refusal.what() + ", says " + short_id(from),
                 refusal.times(), effects);
  }
}

void Server::note_refusal(Instant now, const std::string& machine, const std::string& what,
                          uint32_t times, Effects& effects) {
  Standing& standing = standing_of(machine);
  if (standing.refused == 0 || standing.refusal != what) {
    effects.warn("refused of machine " + short_id(machine) + ": " + what);
  }
  standing.refused += times;
  standing.refusal = what;
  if (standing.write || standing.note_due > now) return;
  standing.note_due = now + kNoteEvery;
  pb::MachineRow row = standing.row;
  row.set_refused(standing.refused);
  row.set_refusal(standing.refusal);
  write_machine(standing, std::move(row), effects);
}

// It does not acknowledge, feed or copy: it leaves the view, for longer each time.
void Server::note_lapse(Instant now, const std::string& machine, const std::string& what,
                        Effects& effects) {
  Standing& standing = standing_of(machine);
  if (now < standing.lapsed_until) return;
  MUSTER_PROBE("a store that does not do its duty leaves the view");
  const int doublings = std::min(standing.lapses++, kMostDoublings);
  standing.lapsed_until = now + kLapse * (1 << doublings);
  standing.lapse = what;
  effects.warn("storage node " + short_id(machine) + " " + what + "; it leaves the view");
}

void Server::on_silent_store(Instant now, const std::string& from, const pb::SilentStore& silent,
                             Effects& effects) {
  Job* job = current(silent.key(), from);
  if (job == nullptr || !in_view(silent.machine())) return;
  if (now >= standing_of(silent.machine()).lapsed_until) {
    note_event(now, *job, silent.machine(), "as a storage node it " + silent.what(), effects);
  }
  note_lapse(now, silent.machine(), silent.what(), effects);
}

bool Server::has_lapsed(Instant now, const std::string& machine) const {
  auto standing = standings_.find(machine);
  return standing != standings_.end() &&
         (now < standing->second.lapsed_until || standing->second.banished);
}

bool Server::is_banished(const std::string& machine) const {
  auto standing = standings_.find(machine);
  return standing != standings_.end() && standing->second.banished;
}

// A store has a seal of a higher epoch than the row, or the coordinator had the run under this one
// before: this database is older than what was done. Epochs go on above it.
void Server::on_overtaken(Instant now, const std::string& from, const pb::Overtaken& overtaken,
                          Effects& effects) {
  Job* job = current(overtaken.key(), from);
  constexpr uint64_t kHighest = uint64_t{1} << 62;
  const uint64_t epoch = overtaken.epoch();
  const bool news = job != nullptr && !job->writing && !is_over(job->row.state()) &&
                    epoch >= job->row.epoch() && epoch < kHighest;
  if (!news) return;
  MUSTER_PROBE("a restored server goes on above the epochs that stores know");
  note_event(now, *job, from, "an assignment that this database does not know was there before",
             effects);
  assign_to(now, *job, from, epoch + 1, effects);
}

}  // namespace muster::roles::server
