#pragma once

#include <map>
#include <string>
#include <vector>

#include "roles/role.h"
#include "wire/keys.h"
#include "wire/record.h"

namespace muster::roles {

using Assignments = google::protobuf::RepeatedPtrField<pb::Assignment>;

// Whether this machine had the run under this epoch, as the server says.
bool had_run(const Assignments& assignments, uint64_t epoch, const std::string& machine);

// Under whatever epoch.
bool had_run_ever(const Assignments& assignments, const std::string& machine);

// What a coordinator asks a machine for, signed; `terms` has 64 items at most.
pb::SignedRecord sign_grant(const pb::JobKey& key, const pb::GrantTerms& terms, const Keys& keys);

// Tells what was asked for from what was not. A vote counts only if it shows the terms under which
// its author was asked: then no store can invent voters, and no machine can vote unasked. Needs no
// memory of what was granted, so any store and any later coordinator can ask.
//
// Remembers the last kMostKept terms that it found good: the answers of a lease all carry the same.
class Grants {
 public:
  static constexpr size_t kMostKept = 1024;

  // `keys` outlives the object.
  explicit Grants(const Keys& keys) : keys_(keys) {}

  // The terms, when one who had the run under their epoch has signed them; kPermission otherwise.
  // It stands until the next call.
  Result<const OpenedRecord*> open(const pb::SignedRecord& terms, const Assignments& assignments);

  // Whether an answer's author was asked for this very item, in this run, under this epoch.
  bool was_asked_for(const OpenedRecord& answer, const Assignments& assignments);
  // Whoever signed the terms of an answer, if they ask its author for just this; whether it might
  // ask is not looked at. Without a coordinator: nobody did.
  struct Asked {
    std::string coordinator, owner;  // The author's, at that time.
  };
  Asked who_asked(const OpenedRecord& answer);

 private:
  Result<const OpenedRecord*> open(const pb::SignedRecord& terms);

  const Keys& keys_;
  std::map<Digest, OpenedRecord> good_;
};

}  // namespace muster::roles
