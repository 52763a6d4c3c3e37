#pragma once

#include "base/digest.h"
#include "base/result.h"
#include "wire/keys.h"
#include "wire/pb.h"

namespace muster::wire {

// What names a signed record: SHA-256 over its body and its author's key.
Digest record_digest(const pb::SignedRecord& record);

pb::SignedRecord sign_record(const pb::Record& record, const Keys& keys);

// A record that was taken apart after its signature was found good.
struct OpenedRecord {
  Digest digest;
  std::string machine;  // The author.
  pb::Record record;
};
// kDataLoss when the signature does not fit or the body is no record, kInvalidArgument when the
// body has a field over its bound.
Result<OpenedRecord> open_record(const pb::SignedRecord& record, const Keys& keys);
// The same for whoever has computed record_digest(record) already.
Result<OpenedRecord> open_record(const pb::SignedRecord& record, const Digest& digest,
                                 const Keys& keys);

}  // namespace muster::wire
