#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles {

using WriteId = uint64_t;  // Unique within its role's life.

// What the server may have written to its database: rows, each of which takes the place of the one
// before it.
struct SavePool {
  pb::PoolRow row;
};
struct SaveView {
  pb::View view;
};
struct SaveJob {
  pb::JobRow row;
};
struct SaveMachine {
  pb::MachineRow row;
};
struct SaveReason {
  pb::Reason reason;
};
struct SaveToken {
  pb::TokenRow row;
};
struct DropToken {
  std::string id;
};
using Change =
    std::variant<SavePool, SaveView, SaveJob, SaveMachine, SaveReason, SaveToken, DropToken>;

// All of these, or none.
struct Commit {
  WriteId id = 0;
  std::vector<Change> changes;
};

// What the server may ask its database. Of each job only the latest run is found.
struct FindJobs {
  uint64_t call = 0;
  std::string named;  // Jobs whose names begin so, kMostNamed of them; empty: all, those that were
                      // accepted last first, while kMostFound bytes last.
  std::string machine;  // What it did in them is found, too; empty: of none.
};
constexpr int kMostNamed = 2;              // Enough to tell that a name is not whole.
constexpr size_t kMostFound = 900u << 10;  // Bytes of rows: a message has a MiB.
constexpr int kMostReasons = 100;          // Of a run, and of a machine: the latest.
struct FoundJobs {
  std::vector<pb::JobRow> rows;
  uint64_t in_all = 0;                         // Jobs of the database, where all were asked for.
  std::vector<pb::Reason> reasons;             // Of the row, where it is one by its name; in order.
  std::vector<pb::Reason> reasons_of_machine;  // By time.
};
struct JobsFound {
  uint64_t call = 0;
  Result<FoundJobs> found;
};

}  // namespace muster::roles
