#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "host/ports.h"
#include "io/model_source.h"

namespace muster::io {

// muster-engine as a child process: started when first needed, killed when what it scores is
// withdrawn. One thread talks to it; answers go to the inbox. What is thrown there becomes the
// answer's error.
//
// A child that died while it scored, killed or not, is followed at once by another that loads the
// model again, before anybody asks for the next item: a load may take longer than a lease. Whoever
// waits for it hears Scoring every second, so the lease lives on; a child that loads is not killed
// when its item is withdrawn. A load ends after kLongestLoad, or, without an answer, when another
// one is asked for: so one load waits at most. kMostWaiting items may wait; one on top is answered
// by kTryLater.
class EngineProcess final : public host::Engine {
 public:
  static constexpr std::chrono::minutes kLongestLoad{30};
  static constexpr size_t kMostWaiting = 100;

  struct Options {
    Path program;
    int threads = 0;  // 0: its share of the cores.
  };
  // `models` and `inbox` outlive the object.
  EngineProcess(Options options, ModelSource& models, host::Inbox& inbox);
  ~EngineProcess() override;

  void load(pb::Role owner, const roles::LoadModel& load) override;
  void score(pb::Role owner, const roles::ScoreItem& item) override;
  void stop_scoring() override;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Work {
    pb::Role owner;
    std::variant<roles::LoadModel, roles::ScoreItem> what;
  };
  // What the child is at; kLoading with no work in hand: it loads again.
  enum class Doing { kNothing, kFetching, kLoading, kScoring };

  static bool is_load(const Work& work);
  void run();
  std::optional<Work> next();
  bool begin(Doing doing);
  [[nodiscard]] bool other_model_waits() const;  // With mutex_ held.
  void do_load(pb::Role owner, const roles::LoadModel& load);
  Result<std::string> load_into_engine();
  void do_score(pb::Role owner, const roles::ScoreItem& item);
  Result<roles::Scores> score_once(const roles::ScoreItem& item);
  void load_again();
  void say_scoring();
  Status start_child();
  void kill_child();  // With mutex_ held.
  void end_if_killed();
  void end_child();
  Result<Json> ask(const Json& message, std::optional<Time> until = {});
  Error child_error();

  Options options_;
  ModelSource& models_;
  host::Inbox& inbox_;
  Path model_;  // What the child should have loaded; empty: nothing.
  bool loaded_ = false;
  int64_t next_id_ = 1;
  int socket_ = -1;

  std::mutex mutex_;  // For all below.
  std::condition_variable wake_;
  std::deque<Work> work_;  // kMostWaiting, and a load; see score() and load().
  std::optional<std::pair<pb::Role, uint64_t>> item_;  // In hand, unless it was dropped.
  Doing doing_ = Doing::kNothing;
  int child_ = -1;       // Process id; stop_scoring() and load() kill from another thread.
  bool killed_ = false;  // The child was told to end, and its end was not yet seen.
  bool dropped_ = false, stopped_ = false;  // dropped_: the item in hand was withdrawn.
  std::thread thread_;
};

}  // namespace muster::io
