#include "wire/record.h"

#include "wire/bounds.h"

namespace muster::wire {
namespace {

// What a record's signature is over: nothing else that a machine signs begins like this.
std::string signed_bytes(const Digest& digest) {
  return "muster record" + std::string(digest.view());
}

}  // namespace

Digest record_digest(const pb::SignedRecord& record) {
  Hasher hasher;
  hasher.add_field(record.body());
  hasher.add_field(record.public_key());
  return hasher.finish_sha256();
}

pb::SignedRecord sign_record(const pb::Record& record, const Keys& keys) {
  pb::SignedRecord out;
  out.set_body(record.SerializeAsString());
  out.set_public_key(keys.public_key());
  out.set_signature(keys.sign(signed_bytes(record_digest(out))));
  return out;
}

Result<OpenedRecord> open_record(const pb::SignedRecord& record, const Keys& keys) {
  return open_record(record, record_digest(record), keys);
}

Result<OpenedRecord> open_record(const pb::SignedRecord& record, const Digest& digest,
                                 const Keys& keys) {
  OpenedRecord out{digest, machine_id(record.public_key()), {}};
  if (!keys.verify(record.public_key(), signed_bytes(digest), record.signature())) {
    return fail(Code::kDataLoss, "a record's signature does not fit");
  }
  if (!out.record.ParseFromString(record.body())) {
    return fail(Code::kDataLoss, "a record's body cannot be read");
  }
  MUSTER_TRY_STATUS(check_bounds(out.record));
  return out;
}

}  // namespace muster::wire
