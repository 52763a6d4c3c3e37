#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace muster::roles {

// Something that has happened once, for whoever watches over this process in numbers. Nothing is
// decided by it.
struct Count {
  enum class What {
    kLeaseGranted,   // By a coordinator; one that goes on from an earlier epoch is not granted.
    kLeaseExpired,   // `of`: "no_progress", "too_slow", "machine_gone".
    kItemSettled,    // `of`: its task; one that was settled under an earlier epoch is not.
    kVoteDisagreed,  // With the value of its item.
    kCommitOutcome,  // `of`: "done", "failed", "unknown".
    kJobEnded,       // `of`: "done", "failed", "cancelled".
  } what;
  std::string of;  // Which kind of it, of a few that the program knows; empty: there are none.
};

// How many of each there are now.
struct Gauges {
  // Of the server. Machines that are connected: what they may be used for (wire/role_flag.h), and
  // how they are: "quarantined", "lent", "storage" (and not lent) or "idle"; a coordinator is
  // "coordinator".
  std::map<std::pair<std::string, std::string>, uint64_t> machines;
  // Of the server. Jobs that go on: "assigned" to a coordinator or "waiting" for one.
  std::map<std::string, uint64_t> jobs;
};

}  // namespace muster::roles
