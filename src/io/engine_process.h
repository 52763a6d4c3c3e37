#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "host/ports.h"

namespace muster::io {

// Finds a pinned model on this machine, and fetches it when it is not here. Blocks; may be slow.
// `say` gets words about the progress.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  virtual Result<Path> obtain(const pb::ModelPin& model,
                              const std::function<void(const std::string&)>& say) = 0;
};

// muster-engine as a child process: started when first needed, started again after it died, killed
// when its work is withdrawn. One thread talks to it; answers go to the inbox.
class EngineProcess final : public host::Engine {
 public:
  struct Options {
    Path program;
    int threads = 0;  // 0: one per core.
  };
  // `models` and `inbox` outlive the object.
  EngineProcess(Options options, ModelSource& models, host::Inbox& inbox);
  ~EngineProcess() override;

  void load(pb::Role owner, const roles::LoadModel& load) override;
  void score(pb::Role owner, const roles::ScoreItem& item) override;
  void stop_scoring() override;

 private:
  struct Work {
    pb::Role owner;
    std::variant<roles::LoadModel, roles::ScoreItem> what;
  };
  void run();
  void put(Work work);
  void do_load(pb::Role owner, const roles::LoadModel& load);
  Result<std::string> load_into_engine();
  void do_score(pb::Role owner, const roles::ScoreItem& item);
  Result<std::vector<pb::Response>> score_once(pb::Role owner, const roles::ScoreItem& item);
  Status start_child();
  void end_child();
  Result<Json> ask(const Json& message, pb::Role owner, uint64_t scoring);
  Error child_error();

  Options options_;
  ModelSource& models_;
  host::Inbox& inbox_;
  Path model_;  // What the child should have loaded; empty: nothing.
  bool loaded_ = false;
  int64_t next_id_ = 1;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> work_;
  int child_ = -1;  // Process id; guarded, since stop_scoring() kills from another thread.
  int socket_ = -1;
  bool scoring_ = false, withdrawn_ = false, stopped_ = false;
  std::thread thread_;
};

// The path of a program that is installed beside this one.
Path program_beside_this(const std::string& name);

}  // namespace muster::io
