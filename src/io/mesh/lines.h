#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "io/intake.h"
#include "io/mesh/admissions.h"
#include "io/mesh/seldom.h"
#include "io/mesh/twins.h"

namespace muster::io {

class NodeLine;

// What waits for an answer to a researcher's call.
class Call {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  virtual ~Call() = default;
  virtual void answer(const pb::Envelope& envelope) = 0;
  // About once a second.
  virtual void tick(Instant now) = 0;
};

// Who is connected. Guards itself; calls nobody with the lock held.
class Lines {
 public:
  using Instant = Call::Instant;
  explicit Lines(Intake& intake) : intake(intake) {}

  // A stream has begun; it is kept until forget().
  void open(std::shared_ptr<NodeLine> line);
  // It has proven to be `machine`: the newer line wins. False when two machines take turns at one
  // key: then both are told so, and neither is admitted.
  bool admit(const std::string& machine, const std::string& instance, const NodeLine& line);
  // It is over. Returned so that it lives on for the caller.
  std::shared_ptr<NodeLine> forget(const NodeLine& line, const std::string& machine);

  // What one node says to another, or a node or client to the server's role. What is dropped on the
  // way is counted and told.
  void relay(pb::Envelope envelope);
  bool ask_server(pb::Envelope envelope, std::function<void()> taken);
  // What the server's role says: to a node, whose line ends when it is Refused, or to a client.
  void tell(pb::Envelope envelope);

  // A node said what it may not, whether that is told or not.
  void count_refusal() { ++refusals_; }
  [[nodiscard]] uint64_t refusals() const { return refusals_; }
  // `machine` said what it may not.
  void refused(const std::string& machine, const std::string& why);
  void left_out(const std::string& machine, const std::string& why);

  std::string add_call(std::shared_ptr<Call> call);
  void remove_call(const std::string& name);

  // About once a second: ends what was begun and not gone on with.
  void tick(Instant now);
  void close_all();

  Intake& intake;
  // A sentence for the console, and what a node said that was not passed on. Any thread calls them.
  std::function<void(const std::string&)> on_news = [](const std::string&) {};
  std::function<void(const std::string& machine, const std::string& why)> on_refusal =
      [](const std::string&, const std::string&) {};

 private:
  std::shared_ptr<NodeLine> find(const std::string& machine);
  std::shared_ptr<Call> find_call(const std::string& name);
  void part(const std::string& machine, NodeLine* older, NodeLine& newer);

  std::mutex mutex_;
  std::map<const NodeLine*, std::shared_ptr<NodeLine>> open_;
  std::map<std::string, std::shared_ptr<NodeLine>> admitted_;
  std::map<std::string, std::shared_ptr<Call>> calls_;
  Twins twins_;
  Admissions admissions_;
  uint64_t next_call_ = 0;
  std::atomic<uint64_t> refusals_ = 0;
  Seldom refused_, left_out_, behind_;
};

}  // namespace muster::io
