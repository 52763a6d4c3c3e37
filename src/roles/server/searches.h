#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "roles/role.h"

namespace muster::roles::server {

// Researchers' calls that wait for the database: what is over is there alone.
//
// Bounds: kMost calls; beyond, none is taken. After kWait nobody waits for the database any more,
// so that a call is answered when it hangs, too: sooner than its client gives the server up.
class Searches {
 public:
  static constexpr size_t kMost = 1000;
  static constexpr Duration kWait = seconds(6);

  // Asks for what the call needs. False: so many wait already.
  [[nodiscard]] bool ask(Instant now, pb::Envelope call, FindJobs what, Effects& effects);
  // The call whose search this was, once; none: it waits no more.
  std::optional<pb::Envelope> take(uint64_t search);
  // Those that have waited too long; wakes for the next.
  std::vector<pb::Envelope> expire(Instant now, Effects& effects);
  // This process stood still: nobody has waited meanwhile.
  void excuse(Instant now);
  // Nobody waits for the answer to this client any more.
  void hang_up(const std::string& client);
  [[nodiscard]] size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    pb::Envelope call;
    Instant give_up_at{};
  };
  std::map<uint64_t, Waiting> waiting_;  // In the order in which they were asked.
  uint64_t next_ = 1;
};

}  // namespace muster::roles::server
