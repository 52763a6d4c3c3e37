#include "io/engine_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/frame.h"
#include "base/guarded.h"
#include "base/printable.h"
#include "wire/failure.h"

extern char** environ;

namespace muster::io {
namespace {

constexpr int kChildSocket = 3;
constexpr int kSayEveryMs = 1000;
constexpr size_t kMostWords = 2000;  // Bytes of what goes on to the pool.

Result<roles::Scores> read_scores(const Json& answer, size_t expected) {
  roles::Scores scores;
  MUSTER_TRY(scores.model_digest, get_string(answer, "model_digest"));
  for (const Json& row : get_or_null(answer, "results")) {
    const bool right = row.is_array() && row.size() == 4 && row[0].is_number() &&
                       row[1].is_boolean() && row[2].is_number_unsigned() && row[3].is_number();
    if (!right) return fail(Code::kFailed, "the engine gave scores that cannot be read");
    pb::Response& response = scores.responses.emplace_back();
    response.set_loglikelihood(row[0].get<double>());
    response.set_is_greedy(row[1].get<bool>());
    response.set_tokens(row[2].get<uint32_t>());
    response.set_margin(row[3].get<double>());
  }
  if (scores.responses.size() != expected)
    return fail(Code::kFailed, "the engine gave too few scores");
  return scores;
}

// An error's words go into messages, which are UTF-8.
template <typename T>
Result<T> in_words(Result<T> result) {
  if (!result) result.error().message = printable(result.error().message, kMostWords);
  return result;
}

}  // namespace

EngineProcess::EngineProcess(Options options, ModelSource& models, host::Inbox& inbox)
    : options_(std::move(options)), models_(models), inbox_(inbox) {
  thread_ = std::thread([this] { run(); });
}

EngineProcess::~EngineProcess() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (child_ > 0) ::kill(child_, SIGKILL);
  }
  wake_.notify_one();
  thread_.join();
  end_child();
}

bool EngineProcess::is_load(const Work& work) {
  return std::holds_alternative<roles::LoadModel>(work.what);
}

// Another model that is fetched or loaded is of no use any more.
void EngineProcess::load(pb::Role owner, const roles::LoadModel& load) {
  {
    std::lock_guard lock(mutex_);
    std::erase_if(work_, is_load);  // They would end without an answer.
    work_.push_back({owner, load});
    if (doing_ == Doing::kLoading) kill_child();
  }
  wake_.notify_one();
}

void EngineProcess::score(pb::Role owner, const roles::ScoreItem& item) {
  {
    std::lock_guard lock(mutex_);
    if (work_.size() < kMostWaiting) {
      work_.push_back({owner, item});
      return wake_.notify_one();
    }
  }
  inbox_.post(owner, roles::ItemScored{
                         item.id, fail(Code::kTryLater, "too many items wait for the engine")});
}

// What is being scored is of no use any more: the child is killed, and a new one loads the model
// again from pages that are still in memory. One that loads is let be: the next item needs it.
void EngineProcess::stop_scoring() {
  std::lock_guard lock(mutex_);
  std::erase_if(work_, [](const Work& work) { return !is_load(work); });
  if (!item_) return;
  item_.reset();
  dropped_ = true;
  if (doing_ == Doing::kScoring) kill_child();
}

// It may have answered just before: whoever needs the child next looks whether it was killed.
void EngineProcess::kill_child() {
  if (child_ <= 0) return;
  killed_ = true;
  ::kill(child_, SIGKILL);
}

void EngineProcess::end_if_killed() {
  {
    std::lock_guard lock(mutex_);
    if (!killed_) return;
  }
  end_child();
}

void EngineProcess::run() {
  while (const auto work = next()) {
    if (const auto* load = std::get_if<roles::LoadModel>(&work->what)) do_load(work->owner, *load);
    if (const auto* item = std::get_if<roles::ScoreItem>(&work->what)) do_score(work->owner, *item);
  }
}

// Waits for work; nothing when there will be none.
std::optional<EngineProcess::Work> EngineProcess::next() {
  std::unique_lock lock(mutex_);
  doing_ = Doing::kNothing;
  item_.reset();
  wake_.wait(lock, [this] { return stopped_ || !work_.empty(); });
  if (stopped_) return {};
  Work work = std::move(work_.front());
  work_.pop_front();
  if (const auto* item = std::get_if<roles::ScoreItem>(&work.what)) item_ = {work.owner, item->id};
  dropped_ = false;
  return work;
}

// False: what is in hand is of no use any more.
bool EngineProcess::begin(Doing doing) {
  std::lock_guard lock(mutex_);
  if (dropped_ || stopped_ || (doing != Doing::kScoring && other_model_waits())) return false;
  doing_ = doing;
  return true;
}

bool EngineProcess::other_model_waits() const {
  return std::any_of(work_.begin(), work_.end(), is_load);
}

void EngineProcess::do_load(pb::Role owner, const roles::LoadModel& load) {
  const std::string& commit = load.model.commit();
  auto say = [&](const std::string& what) {
    inbox_.post(owner, roles::ModelLoading{commit, printable(what)});
  };
  auto loaded = guarded([&]() -> Result<std::string> {
    if (!begin(Doing::kFetching)) return fail(Code::kInterrupted, "another model is wanted");
    const auto stopped = [this] {
      std::lock_guard lock(mutex_);
      return stopped_ || other_model_waits();
    };
    MUSTER_TRY(auto path, models_.obtain(load.model, {say, stopped}));
    model_ = std::move(path);
    loaded_ = false;
    say("loading into memory");
    if (!begin(Doing::kLoading)) return fail(Code::kInterrupted, "another model is wanted");
    return load_into_engine();
  });
  std::lock_guard lock(mutex_);
  doing_ = Doing::kNothing;
  if (!loaded && (stopped_ || other_model_waits())) return;
  inbox_.post(owner, roles::ModelLoaded{commit, in_words(std::move(loaded))});
}

Result<std::string> EngineProcess::load_into_engine() {
  end_if_killed();
  if (socket_ < 0) MUSTER_TRY_STATUS(start_child());
  const Json message{{"type", "load"},
                     {"id", next_id_++},
                     {"model", model_.string()},
                     {"threads", options_.threads}};
  MUSTER_TRY(const Json answer, ask(message, std::chrono::steady_clock::now() + kLongestLoad));
  loaded_ = true;
  return get_string(answer, "numeric_class");
}

void EngineProcess::do_score(pb::Role owner, const roles::ScoreItem& item) {
  auto scores = in_words(guarded([&] { return score_once(item); }));
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (!dropped_) inbox_.post(owner, roles::ItemScored{item.id, std::move(scores)});
  }
  load_again();
}

Result<roles::Scores> EngineProcess::score_once(const roles::ScoreItem& item) {
  end_if_killed();
  if (!loaded_) {  // It could not be loaded again.
    if (!begin(Doing::kLoading)) return fail(Code::kInterrupted, "the item was withdrawn");
    if (auto loaded = load_into_engine(); !loaded) {
      return fail(Code::kFailed, loaded.error().message);
    }
  }
  Json requests = Json::array();
  for (const auto& [context, continuation] : item.requests) {
    requests.push_back(Json::array({context, continuation}));
  }
  const Json message{{"type", "score"}, {"id", next_id_++}, {"requests", std::move(requests)}};
  if (!begin(Doing::kScoring)) return fail(Code::kInterrupted, "the item was withdrawn");
  MUSTER_TRY(const Json answer, ask(message));
  return read_scores(answer, item.requests.size());
}

// After a child that died while it scored. Another model that is wanted already is not kept
// waiting.
void EngineProcess::load_again() {
  {
    std::lock_guard lock(mutex_);
    if (loaded_ || doing_ != Doing::kScoring || other_model_waits()) return;
    item_.reset();
    dropped_ = false;
    doing_ = Doing::kLoading;
  }
  (void)guarded([this] { return load_into_engine(); });  // The next item tries again, and tells.
}

// Whoever waits for the child hears that it is at it: for the item in hand, or the next one.
void EngineProcess::say_scoring() {
  std::optional<std::pair<pb::Role, uint64_t>> waits;
  {
    std::lock_guard lock(mutex_);
    waits = item_;
    for (const Work& work : work_) {
      const auto* item = std::get_if<roles::ScoreItem>(&work.what);
      if (!waits && item != nullptr) waits = {work.owner, item->id};
    }
  }
  if (waits) inbox_.post(waits->first, roles::Scoring{waits->second});
}

// Sends one message and waits for what ends it; progress on the way is passed on. With `until` the
// child is silent meanwhile, and is ended when it takes longer.
Result<Json> EngineProcess::ask(const Json& message, std::optional<Time> until) {
  if (!write_frame(socket_, message)) return fail(child_error());
  while (true) {
    pollfd line{socket_, POLLIN, 0};
    if (until && ::poll(&line, 1, kSayEveryMs) == 0) {
      if (std::chrono::steady_clock::now() > *until) {
        end_child();
        return fail(Code::kFailed, "the engine did not load the model within 30 minutes");
      }
      say_scoring();
      continue;
    }
    auto answer = read_frame(socket_);
    if (!answer || !*answer) return fail(child_error());
    const std::string type = get_string(**answer, "type").value_or("");
    if (type == "progress") {
      say_scoring();
    } else if (type == "failed") {
      return fail(wire::to_code(get_string(**answer, "code").value_or("")),
                  get_string(**answer, "message").value_or("the engine failed"));
    } else {
      return std::move(**answer);
    }
  }
}

Status EngineProcess::start_child() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(Code::kFailed, std::string("socketpair: ") + std::strerror(errno));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], kChildSocket);
  // A group of its own: Ctrl-C in a terminal is for the worker, which ends its engine itself.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::string program = options_.program.string(), serve = "serve", flag = "--fd", fd = "3";
  char* arguments[] = {program.data(), serve.data(), flag.data(), fd.data(), nullptr};
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, program.c_str(), &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return fail(Code::kFailed, program + ": " + std::strerror(error));
  }
  std::lock_guard lock(mutex_);
  socket_ = ends[0];
  child_ = child;
  if (stopped_ || other_model_waits()) ::kill(child_, SIGKILL);
  return {};
}

void EngineProcess::end_child() {
  std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::close(socket_);
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  socket_ = child_ = -1;
  killed_ = false;
  loaded_ = false;
}

// The child is gone, or broke the rules of the line; either way it is ended.
Error EngineProcess::child_error() {
  end_child();
  return {Code::kFailed, "the engine crashed or was killed (out of memory?)"};
}

}  // namespace muster::io
