#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace muster::io {

// Finds out that two machines have one key, as when a disk image was copied after a first start:
// each new line of the one closes that of the other. Every process draws a name when it starts
// (Hello.instance), and one that comes back after another had its place must run beside it; a
// machine that only reconnects, or restarts, never does that.
//
// kReturns such returns in kWindow are two machines; then all are refused for kWindow. Not guarded.
class Twins {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr size_t kReturns = 3;

  // A process of this name has proven the machine's key: whether the machine is refused.
  bool are_two(const std::string& machine, const std::string& instance, Instant now);
  // Forgets what is over; call it every now and then. Costs a look at every machine of a minute.
  void forget_old(Instant now);

 private:
  struct Machine {
    std::vector<std::string> instances;  // Seen in the window; the last one has the line.
    std::vector<Instant> returns;
    Instant last, refused_until;
  };
  std::map<std::string, Machine> machines_;
};

}  // namespace muster::io
