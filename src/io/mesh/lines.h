#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "host/ports.h"

namespace muster::io {

class NodeLine;

// What waits for an answer to a researcher's call.
class Call {
 public:
  virtual ~Call() = default;
  virtual void answer(const pb::Envelope& envelope) = 0;
};

// Who is connected. Guards itself; calls nobody with the lock held.
class Lines {
 public:
  explicit Lines(host::Inbox& inbox) : inbox(inbox) {}

  void admit(const std::string& machine, std::shared_ptr<NodeLine> line);
  bool remove(const std::string& machine, const NodeLine* line);
  std::shared_ptr<NodeLine> find(const std::string& machine);
  void deliver(pb::Envelope envelope);
  void cancel_all();

  std::string add_call(std::shared_ptr<Call> call) {
    std::lock_guard lock(mutex_);
    const std::string name = "call-" + std::to_string(++next_call_);
    calls_[name] = std::move(call);
    return name;
  }
  void remove_call(const std::string& name) {
    std::lock_guard lock(mutex_);
    calls_.erase(name);
  }

  host::Inbox& inbox;

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<NodeLine>> lines_;
  std::map<std::string, std::shared_ptr<Call>> calls_;
  uint64_t next_call_ = 0;
};

}  // namespace muster::io
