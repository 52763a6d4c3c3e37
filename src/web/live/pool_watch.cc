#include "web/live/pool_watch.h"

#include <chrono>

#include "base/guarded.h"
#include "web/json/job_json.h"
#include "web/json/pool_json.h"

namespace muster::web {
namespace {

constexpr size_t kMostMachinesTold = 400;  // At a look: who missed more reads the map again.

int64_t unix_ms_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

PoolWatch::PoolWatch(Sources sources) : sources_(std::move(sources)) {}

void PoolWatch::begin() {
  thread_ = std::thread([this] { run(); });
}

PoolWatch::~PoolWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  end_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const PoolNow> PoolWatch::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::string PoolWatch::silence() const {
  const std::lock_guard lock(mutex_);
  return silence_;
}

void PoolWatch::run() {
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    lock.unlock();
    const Status looked = guarded([&]() -> Status {
      look(unix_ms_now());
      return {};
    });
    if (!looked) note_silence(looked.error().message);
    lock.lock();
    end_.wait_for(lock, kEvery, [&] { return is_over_; });
  }
}

void PoolWatch::look(int64_t now_ms) {
  const Status read = read_database();
  const auto status = sources_.status();
  if (!status) return note_silence(status.error().message);
  const auto changes = history_.note(now_ms, *status);
  over_.insert(changes.over.begin(), changes.over.end());
  tell_over();
  {
    const std::lock_guard lock(mutex_);
    now_ = std::make_shared<const PoolNow>(history_.now());
  }
  note_silence(read ? "" : read.error().message);
  tell(changes);
}

Status PoolWatch::read_database() {
  MUSTER_TRY_STATUS(sources_.board.refresh(sources_.archive));
  MUSTER_TRY(const auto counts, sources_.archive.count_runs());
  std::map<std::string, int64_t> runs;
  for (const auto& count : counts) runs[count.state] = count.runs;
  history_.note_runs(std::move(runs));
  return {};
}

void PoolWatch::note_silence(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(silence_, why) == why) return;
  }
  sources_.on_news(why.empty() ? "the pool is heard again" : why);
}

void PoolWatch::tell(const PoolHistory::Changes& changes) {
  const PoolNow& now = history_.now();
  const bool is_news = !has_told_ || !changes.machines.empty() || !changes.jobs.empty() ||
                       !changes.over.empty() || now.items_per_s > 0;
  has_told_ = true;
  tell_machines(changes.machines);
  for (const std::string& job : changes.jobs) {
    sources_.events.tell({"pool", "job:" + job}, "job", job_event(now.jobs.at(job)).dump());
  }
  tell_results();
  if (!is_news) return;
  sources_.events.tell({"pool"}, "pool", pool_event(now).dump());
}

void PoolWatch::tell_machines(const std::vector<std::string>& machines) {
  const PoolNow& now = history_.now();
  const bool are_many = machines.size() > kMostMachinesTold;
  for (const std::string& id : machines) {
    const auto machine = now.machines.find(id);
    if (machine == now.machines.end()) continue;
    std::vector<std::string> topics{"machine:" + id};
    if (!are_many) topics.emplace_back("pool");
    sources_.events.tell(topics, "machine", machine_event(now, machine->second).dump());
  }
  if (are_many) {
    sources_.events.tell({"pool"}, "resync", Json{{"topics", Json::array({"map"})}}.dump());
  }
}

// One that cannot be read now is read at a later look; one that has begun anew is told as it goes.
void PoolWatch::tell_over() {
  std::erase_if(over_, [&](const std::string& job) {
    if (history_.now().jobs.contains(job)) return true;
    const auto row = sources_.archive.run(job, std::nullopt);
    if (!row) return false;
    if (*row) {
      history_.note_end(**row);
      sources_.events.tell({"pool", "job:" + job}, "job", job_event({.row = **row}).dump());
    }
    return true;
  });
}

void PoolWatch::tell_results() {
  const uint64_t revision = sources_.board.revision();
  for (const pb::JobRow& row : sources_.board.take_news()) {
    sources_.events.tell({"pool", "board"}, "result", result_event(revision, row).dump());
  }
}

}  // namespace muster::web
