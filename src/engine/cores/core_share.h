#pragma once

#include <chrono>

namespace muster::engine {

// The threads of one engine among those that compute on this machine. An engine at work says so by
// the name of its process, "muster-scoring" as `ps` and `top` show it, and "muster-engine" when it
// waits; so nothing is left behind by one that dies, and nobody has to be told of the others.
class CoreShare {
 public:
  // `threads`: as many as the user said; 0: a share of usable_cores(), by how many are at work: of
  // those in the same cgroup where its quota limits the cores, else of all that can be seen.
  explicit CoreShare(int threads);

  // Before and after each computation, by the process's first thread. The number of threads for it.
  // Looks at every process, at most once a second.
  int begin();
  void end();

 private:
  const int told_;
  int cores_ = 1;
  int others_ = 0;
  bool within_cgroup_ = false;
  std::chrono::steady_clock::time_point looked_{};
};

}  // namespace muster::engine
