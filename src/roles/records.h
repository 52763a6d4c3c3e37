#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "roles/database.h"
#include "wire/pb.h"
#include "wire/run_key.h"

namespace muster::roles {

// One record of one (job, run), named by its digest. Writing it twice is writing it once.
struct StoredRecord {
  Digest digest;
  wire::RunKey run;
  std::string author;  // Machine id; for the console alone, not kept.
  std::string bytes;   // A serialised pb::SignedRecord.
  uint64_t seals = 0;  // Not 0: it seals the run against lower epochs than this.
};

// ---- What a storage node may have written.

struct PutRecords {
  std::vector<StoredRecord> records;
};
// Takes away records that were found damaged: they can then be written again.
struct DropRecords {
  std::vector<Digest> digests;
};
// Takes away all records but those of these runs.
struct KeepRuns {
  std::vector<wire::RunKey> runs;
};
// From here on the store belongs to this pool: what it holds of another one is taken away.
struct EnterPool {
  std::string pool;
};
// Writes so many bytes, syncs them and takes them away again: whether there is room.
struct ProbeSpace {
  uint64_t bytes = 0;
};
using RecordChange = std::variant<PutRecords, DropRecords, KeepRuns, EnterPool, ProbeSpace>;

struct RecordWrite {
  WriteId id = 0;
  RecordChange change;
};

// ---- What it may read. Each is answered by an event.

// A batch of records after a cursor, for `reader`.
struct ReadRecords {
  pb::Address reader;
  pb::Subscribe request;
};
// The names of all records of a run. The answer repeats `about`: what they are read for.
struct ReadDigests {
  wire::RunKey run;
  pb::Envelope about;
};

}  // namespace muster::roles
