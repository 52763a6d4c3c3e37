#include "io/database/server_database.h"

#include <algorithm>
#include <thread>

#include "io/database/connection.h"
#include "io/database/reach.h"
#include "io/database/schema.h"
#include "io/database/tables.h"

namespace muster::io {
namespace {

// For another server, while there is nothing to write.
constexpr std::chrono::seconds kLookEvery{2};
constexpr std::chrono::minutes kPatienceAtStart{2};
constexpr std::chrono::seconds kAskFor{3};
constexpr std::chrono::milliseconds kAskEvery{50};
constexpr const char* kTooSlow = "the database does not keep up";

}  // namespace

ServerDatabase::ServerDatabase(const DatabaseAddress& address, host::Inbox& inbox,
                               Listener listener)
    : inbox_(inbox),
      listener_(std::move(listener)),
      connection_(Connection::to(address)),
      reach_(std::make_unique<Reach>(*connection_, listener_.news)),
      tables_(std::make_unique<ServerTables>(*connection_)) {}

Result<std::unique_ptr<ServerDatabase>> ServerDatabase::open(const DatabaseAddress& address,
                                                             host::Inbox& inbox, Listener listener,
                                                             int64_t unix_ms) {
  std::unique_ptr<ServerDatabase> database(new ServerDatabase(address, inbox, std::move(listener)));
  MUSTER_TRY_STATUS(database->begin(std::chrono::milliseconds(unix_ms)));
  database->thread_ = std::make_unique<WorkThread<Work>>(
      [raw = database.get()](std::deque<Work> work) { raw->work_through(std::move(work)); },
      kMostWaiting, kLookEvery);
  return database;
}

ServerDatabase::~ServerDatabase() = default;

bool ServerDatabase::is_reachable() const {
  return reach_->is_there() && Clock::now() - reached_.load() <= kAnswersWithin;
}

Status ServerDatabase::begin(std::chrono::milliseconds clock) {
  MUSTER_TRY_STATUS(connection_->open());
  Status begun;
  try {
    connection_->within(kPatienceAtStart, [&] {
      begun = bring_up_to_date(*connection_);
      if (!begun) return;
      tables_->take_over();
      clock_.begin(connection_->session(), clock);
      begun = read();
    });
  } catch (const std::exception& error) {
    return fail(connection_->passes(error) ? Code::kUnavailable : Code::kDisk,
                connection_->name() + ": " + reason_of(error));
  }
  return begun;
}

Status ServerDatabase::read() {
  reached_ = Clock::now();
  MUSTER_TRY(state_, tables_->load(clock_.counted().count() - roles::server::Limits::kDayMs));
  return {};
}

void ServerDatabase::commit(pb::Role owner, roles::Commit commit) {
  const roles::WriteId id = commit.id;
  if (thread_->put(ToCommit{owner, std::move(commit)})) return;
  inbox_.post(owner, roles::Stored{id, roles::Outcome::kFailed, kTooSlow});
}

void ServerDatabase::find(pb::Role owner, const roles::FindJobs& find) {
  const size_t most = find.named.empty() ? kMostLists : kMostSearches;
  if (searches_.fetch_add(1) < most && thread_->put(ToFind{owner, find})) return;
  searches_.fetch_sub(1);
  inbox_.post(owner, roles::JobsFound{find.call, fail(Code::kTryLater, kTooSlow)});
}

// However much there is to do, it looks every now and then.
void ServerDatabase::work_through(std::deque<Work> work) {
  std::vector<ToCommit> commits;
  std::vector<ToFind> searches;
  for (Work& one : work) {
    if (auto* commit = std::get_if<ToCommit>(&one)) commits.push_back(std::move(*commit));
    if (auto* search = std::get_if<ToFind>(&one)) searches.push_back(std::move(*search));
  }
  for (size_t from = 0; from < commits.size(); from += kMostTogether) {
    commit_together(
        std::span(commits).subspan(from, std::min(kMostTogether, commits.size() - from)));
    look_if_due();
  }
  for (const ToFind& one : searches) {
    searches_.fetch_sub(1);
    inbox_.post(one.owner, roles::JobsFound{one.find.call, search(one.find)});
    look_if_due();
  }
  if (work.empty()) look();
}

void ServerDatabase::commit_together(std::span<const ToCommit> batch) {
  const Attempt together = attempt(batch);
  if (!together.again) return answer(batch, together);
  for (size_t i = 0; i < batch.size(); ++i)
    answer(batch.subspan(i, 1), attempt(batch.subspan(i, 1)));
}

void ServerDatabase::answer(std::span<const ToCommit> batch, const Attempt& attempt) {
  for (const ToCommit& one : batch) {
    inbox_.post(one.owner, roles::Stored{one.commit.id, attempt.outcome, attempt.why});
  }
}

ServerDatabase::Attempt ServerDatabase::attempt(std::span<const ToCommit> batch) {
  const Status there = reach_->try_now();
  if (!there) return {roles::Outcome::kFailed, there.error().message};
  return carry_out(batch);
}

ServerDatabase::Attempt ServerDatabase::carry_out(std::span<const ToCommit> batch) {
  std::string name;
  bool is_ending = false;
  Status refused;
  const auto work = [&] {
    Transaction transaction(*connection_);
    auto fenced = tables_->fence();
    if (!fenced) return void(refused = fail(fenced.error()));
    name = *fenced;
    for (const ToCommit& one : batch) {
      for (const roles::Change& change : one.commit.changes) tables_->apply(change);
    }
    refused = connection_->still_there();
    if (!refused) return;
    is_ending = true;
    transaction.commit();
  };
  try {
    connection_->within(kPatience, work);
    if (!refused) return {roles::Outcome::kFailed, refused.error().message};
    return {roles::Outcome::kDone, ""};
  } catch (const std::exception& error) {
    const bool may_be_done = is_ending && connection_->may_be_done(error);
    const bool is_lost = connection_->is_lost(error);
    if (is_lost) reach_->lose(error);
    const auto outcome = may_be_done ? ask_after(name) : roles::Outcome::kFailed;
    const bool again = outcome == roles::Outcome::kFailed && (is_lost || batch.size() > 1);
    return {outcome, reason_of(error), again};
  }
}

// The old session may still be at it.
roles::Outcome ServerDatabase::ask_after(const std::string& transaction) {
  if (transaction.empty()) return roles::Outcome::kUnknown;
  auto outcome = roles::Outcome::kUnknown;
  const auto until = Clock::now() + kAskFor;
  while (outcome == roles::Outcome::kUnknown && Clock::now() < until) {
    if (!reach_->try_now()) {
      std::this_thread::sleep_for(kAskEvery);
      continue;
    }
    try {
      connection_->within(kPatience, [&] { outcome = connection_->outcome(transaction); });
    } catch (const std::exception& error) {
      if (!connection_->is_lost(error)) return outcome;
      reach_->lose(error);
    }
    if (outcome == roles::Outcome::kUnknown) std::this_thread::sleep_for(kAskEvery);
  }
  return outcome;
}

Result<roles::FoundJobs> ServerDatabase::search(const roles::FindJobs& find) {
  if (const Status there = reach_->try_now(); !there) {
    return fail(Code::kTryLater, there.error().message);
  }
  try {
    Result<roles::FoundJobs> found;
    connection_->within(kPatience, [&] { found = tables_->find(find); });
    return found;
  } catch (const std::exception& error) {
    if (connection_->is_lost(error)) reach_->lose(error);
    return fail(Code::kTryLater, reason_of(error));
  }
}

void ServerDatabase::look_if_due() {
  if (Clock::now() - looked_ >= kLookEvery) look();
}

// Whether the pool is still this server's. A database that cannot be read is nobody else's yet.
void ServerDatabase::look() {
  looked_ = Clock::now();
  if (!reach_->try_now()) return;
  bool is_mine = true;
  try {
    connection_->within(kPatience, [&] {
      is_mine = tables_->is_mine();
      if (is_mine) clock_.count_on(connection_->session());
    });
    reached_ = Clock::now();
  } catch (const std::exception& error) {
    if (connection_->is_lost(error)) reach_->lose(error);
  }
  if (!is_mine) listener_.superseded();
}

}  // namespace muster::io
