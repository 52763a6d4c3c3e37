#pragma once

#include <map>
#include <string>

#include "roles/role.h"

namespace muster::roles {

// What a node had to refuse, on its way to the server, where a person may ask for it. Told every
// few seconds, once: it is nothing that anything depends on. Bounded: kMostMachines at a time, the
// last thing of each.
class RefusalLog {
 public:
  static constexpr size_t kMostMachines = 64;

  void note(const std::string& machine, const std::string& what);
  void send_due(Instant now, Effects& effects);

 private:
  struct Refused {
    std::string what;
    uint32_t times = 0;
  };
  std::map<std::string, Refused> refused_;
  Instant due_{};
};

}  // namespace muster::roles
