#include "sim/detection.h"

#include <cstdio>
#include <map>

#include "roles/message.h"
#include "sim/world.h"

namespace muster::sim {
namespace {

constexpr int kStruck = 100;  // Of each kind.

class Run final : private Observer {
 public:
  Run(int nodes, uint64_t seed) : world_(seed, *this) {
    world_.weather = {.least_delay = milliseconds(1), .jitter = milliseconds(500)};
    add("server", pb::ROLE_FLAG_UNSPECIFIED);
    add("s1", pb::ROLE_FLAG_STORAGE);
    add("s2", pb::ROLE_FLAG_STORAGE);
    for (int i = 0; i < nodes; ++i) {
      Node& node = add("w" + std::to_string(i), pb::ROLE_FLAG_COMPUTE);
      node.clock_drift_ppm = static_cast<int64_t>(world_.rng.below(40'001)) - 20'000;
    }
    for (auto& [name, node] : world_.nodes()) world_.start(*node);
  }

  Detection run(int nodes) {
    world_.reconnects = false;
    world_.agenda.run_until(world_.now() + seconds(40));
    outcome_ = {};
    for (int i = 0; i < 2 * kStruck && i < nodes; ++i) {
      Node& node = world_.node("w" + std::to_string(i));
      const auto wait = Duration(static_cast<int64_t>(world_.rng.below(10'000'000)));
      world_.agenda.in(wait, [this, &node, closes = i % 2 == 0] { strike(node, closes); });
    }
    world_.agenda.run_until(world_.now() + seconds(30));
    return outcome_;
  }

 private:
  struct Strike {
    Instant at;
    bool closes;
  };

  Node& add(const std::string& name, pb::RoleFlag flag) {
    Node& node = world_.add(name, flag);
    node.disk.latency = milliseconds(2);
    return node;
  }

  void strike(Node& node, bool closes) {
    strikes_[roles::short_id(node.machine)] = {world_.now(), closes};
    ++(closes ? outcome_.lines_closed : outcome_.silent);
    if (closes) return world_.kill(node);
    node.cut_up = node.cut_down = true;
  }

  // "machine 0123abcd is gone: ..."
  void on_note(const Node& node, const roles::Note& note) override {
    const size_t gone = note.text.find(" is gone: ");
    if (!node.is_server() || gone == std::string::npos) return;
    auto strike = strikes_.find(note.text.substr(gone - 8, 8));
    if (strike == strikes_.end()) {
      ++outcome_.wrongly;
      return;
    }
    const Duration took = world_.now() - strike->second.at;
    const bool closes = strike->second.closes;
    Duration& longest = closes ? outcome_.longest_closed : outcome_.longest_silence;
    longest = std::max(longest, took);
    ++(closes ? outcome_.noticed_closed : outcome_.noticed_silent);
    strikes_.erase(strike);
  }

  World world_;
  std::map<std::string, Strike> strikes_;  // By short id.
  Detection outcome_;
};

}  // namespace

Detection measure_detection(int nodes, uint64_t seed) { return Run(nodes, seed).run(nodes); }

int print_detection(int nodes, uint64_t seed) {
  const Detection d = measure_detection(nodes, seed);
  std::printf("%d nodes: %d of %d closed lines noticed, the last after %.3f s (limit 1 s)\n", nodes,
              d.noticed_closed, d.lines_closed, to_seconds(d.longest_closed));
  std::printf("%d nodes: %d of %d silences noticed, the last after %.3f s (limit 10 s)\n", nodes,
              d.noticed_silent, d.silent, to_seconds(d.longest_silence));
  std::printf("%d nodes: %d healthy ones taken for lost\n", nodes, d.wrongly);
  const bool good = d.noticed_closed == d.lines_closed && d.noticed_silent == d.silent &&
                    d.longest_closed <= seconds(1) && d.longest_silence <= seconds(10) &&
                    d.wrongly == 0;
  return good ? 0 : 1;
}

}  // namespace muster::sim
