// Signed records (wire/record.h, roles/grants.h), with real Ed25519 keys. The first byte of an
// input says what is done with the rest: a serialised SignedRecord as it came, which never opens,
// since nobody can sign here; or a body that is signed, which opens if it is a record within its
// bounds, reads the same when it is passed on, and never again once one bit of it, of its key or of
// its signature was turned; or the terms of an answer, which count only for the run, the machine
// and the item that they name.

#include <google/protobuf/stubs/logging.h>
#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "input.h"
#include "known_key.h"
#include "roles/grants.h"
#include "target.h"
#include "wire/bounds.h"
#include "wire/keys.h"
#include "wire/record.h"

namespace muster::fuzz {
namespace {

using wire::OpenedRecord;

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// As io::MachineKeys signs, with a seed that everybody knows.
class KnownKeys final : public wire::Keys {
 public:
  explicit KnownKeys(char seed) : key_(seed) {}
  [[nodiscard]] std::string public_key() const override { return key_.public_key; }
  [[nodiscard]] std::string sign(std::string_view bytes) const override {
    std::string out(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(out.data()), nullptr, raw(bytes),
                         bytes.size(), raw(key_.secret));
    return out;
  }
  [[nodiscard]] bool verify(std::string_view public_key, std::string_view bytes,
                            std::string_view signature) const override {
    return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
           signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(raw(signature), raw(bytes), bytes.size(), raw(public_key)) ==
               0;
  }

 private:
  KnownKey key_;
};

const KnownKeys& worker() {
  static const KnownKeys keys(1);
  return keys;
}
const KnownKeys& coordinator() {
  static const KnownKeys keys(2);
  return keys;
}

pb::SignedRecord signed_by(std::string_view body, const wire::Keys& keys) {
  pb::SignedRecord record;
  record.set_body(std::string(body));
  record.set_public_key(keys.public_key());
  // By the words of proto/muster/v1/record.proto.
  Hasher hasher;
  hasher.add_field(record.body());
  hasher.add_field(record.public_key());
  record.set_signature(keys.sign("muster record" + hasher.finish()));
  return record;
}

void check_foreign(std::string_view bytes) {
  pb::SignedRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  MUSTER_CHECK(!wire::open_record(record, worker()));
}

void check_genuine(const pb::SignedRecord& record) {
  pb::Record body;
  const bool is_record = body.ParseFromString(record.body()) && wire::check_bounds(body);
  const auto opened = wire::open_record(record, worker());
  MUSTER_CHECK(opened.has_value() == is_record);
  if (!opened) return;
  MUSTER_CHECK(opened->machine == wire::machine_id(record.public_key()));
  pb::SignedRecord passed_on;
  MUSTER_CHECK(passed_on.ParseFromString(record.SerializeAsString()));
  const auto again = wire::open_record(passed_on, coordinator());
  MUSTER_CHECK(again && again->digest == opened->digest && again->machine == opened->machine);
}

void check_altered(const pb::SignedRecord& genuine, Input& in) {
  pb::SignedRecord record = genuine;
  std::string* const parts[] = {record.mutable_body(), record.mutable_public_key(),
                                record.mutable_signature()};
  std::string& part = *parts[in.below(3)];
  const size_t at = size_t{in.byte()} << 8 | in.byte();
  const auto bit = static_cast<char>(1 << in.below(8));
  if (part.empty()) {
    part = "x";
  } else {
    part[at % part.size()] = static_cast<char>(part[at % part.size()] ^ bit);
  }
  MUSTER_CHECK(!wire::open_record(record, worker()));
  if (part.size() > 1) part.pop_back();
  MUSTER_CHECK(!wire::open_record(record, worker()));
}

// An answer, and the terms it carries; each says what the input says, or what the other one says.
void check_terms(Input& in) {
  const uint8_t differs = in.byte();
  pb::JobKey key;
  key.set_job(std::string(in.take(3)));
  key.set_run(in.byte());
  key.set_epoch(in.byte());
  pb::GrantTerms terms;
  terms.set_machine((differs & 1) == 0 ? wire::machine_id(worker().public_key()) : "another");
  for (size_t items = in.below(5); items > 0; --items) terms.add_items(in.byte());
  pb::Record answer;
  answer.set_job((differs & 2) == 0 ? key.job() : key.job() + "'");
  answer.set_run(key.run() + ((differs & 4) == 0 ? 0 : 1));
  answer.set_epoch(key.epoch() + ((differs & 8) == 0 ? 0 : 1));
  answer.mutable_answer()->set_item(in.byte());
  *answer.mutable_answer()->mutable_grant() = roles::sign_grant(key, terms, coordinator());
  const auto opened = wire::open_record(wire::sign_record(answer, worker()), worker());
  if (!opened) return;  // Not UTF-8.
  const auto& items = terms.items();
  const bool asked =
      (differs & 15) == 0 && std::count(items.begin(), items.end(), answer.answer().item()) > 0;
  roles::Assignments assignments;
  assignments.Add()->set_epoch(key.epoch());
  const bool had_run = (differs & 16) == 0;
  assignments[0].set_coordinator(had_run ? wire::machine_id(coordinator().public_key()) : "");
  roles::Grants grants(worker());
  for (int times = 0; times < 2; ++times) {  // The second time they are known.
    MUSTER_CHECK(!grants.who_asked(*opened).coordinator.empty() == asked);
    MUSTER_CHECK(grants.was_asked_for(*opened, assignments) == (asked && had_run));
  }
}

}  // namespace

void run(std::string_view input) {
  static auto* const talks = google::protobuf::SetLogHandler(nullptr);
  MUSTER_CHECK(talks != nullptr);
  Input in(input);
  const size_t what = in.below(3);
  if (what == 0) return check_foreign(in.rest());
  if (what == 1) return check_terms(in);
  Input change(in.take(4));
  const pb::SignedRecord genuine = signed_by(in.rest(), worker());
  check_genuine(genuine);
  check_altered(genuine, change);
}

std::vector<std::string> seeds() {
  pb::Record answer, settled, seal, terms;
  for (pb::Record* record : {&answer, &settled, &seal, &terms}) {
    record->set_job("0123456789abcdef");
    record->set_run(1);
    record->set_epoch(7);
  }
  answer.mutable_answer()->set_item(3);
  answer.mutable_answer()->set_request_digest(std::string(32, 'd'));
  answer.mutable_answer()->set_numeric_class("approximate-float32");
  answer.mutable_answer()->add_responses()->set_loglikelihood(-1.5);
  *answer.mutable_answer()->mutable_grant() = signed_by(terms.SerializeAsString(), coordinator());
  settled.mutable_settled()->add_votes(std::string(32, 'v'));
  settled.mutable_settled()->add_responses()->set_is_greedy(true);
  seal.mutable_seal()->set_life(1234567);
  terms.mutable_grant()->set_machine("0123456789abcdef");
  terms.mutable_grant()->add_items(3);
  std::vector<std::string> out;
  for (const pb::Record& record : {answer, settled, seal, terms}) {
    const std::string body = record.SerializeAsString();
    pb::SignedRecord unsigned_one = signed_by(body, worker());
    unsigned_one.set_signature(std::string(crypto_sign_BYTES, 's'));
    out.push_back(std::string(1, '\0') + unsigned_one.SerializeAsString());
    for (const char part : {'\0', '\1', '\2'}) out.push_back(std::string{2, part, 0, 9, 3} + body);
  }
  out.push_back(std::string("\1\0job\1\7\2\3\4\3", 11));
  out.push_back(std::string("\1\3job\1\7\2\3\4\3", 11));
  return out;
}

std::vector<std::string> words() {
  return {"\x0a", "\x12 ", "\x1a@", std::string("\1\0", 2), "muster record"};
}

}  // namespace muster::fuzz
