#include "wire/bounds.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/printable.h"
#include "wire/join.h"

namespace muster::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

// Names of machines, jobs, keys, versions; a class; what a person reads; a digest, a key, a
// signature.
constexpr size_t kName = 64, kClass = 100, kText = 500, kBinary = 128;
constexpr size_t kModel = 300, kPath = 4096, kRecord = 64u << 10, kPrompt = 512u << 10;
// What there may be of a kind at once: machines of a job, stores, classes, digests in one message.
constexpr size_t kMachines = 8192, kStores = 16, kClasses = 8, kDigests = 4096;
constexpr size_t kTasks = 256, kRuns = 16'384, kAssignments = 64, kItems = 64;
constexpr size_t kTokens = 1000, kUses = 1000;

constexpr Bound name(const char* field) { return {field, kName}; }
constexpr Bound names(const char* field, size_t count) { return {field, kName, count}; }
constexpr Bound text(const char* field) { return {field, kText, 0, true}; }
constexpr Bound binary(const char* field) { return {field, kBinary}; }
constexpr Bound list(const char* field, size_t count) { return {field, 0, count}; }

const std::vector<Bound> kBounds = {
    // Records, and what they are made of.
    {"SignedRecord.body", kRecord},
    binary("SignedRecord.public_key"),
    binary("SignedRecord.signature"),
    name("Record.job"),
    name("GrantTerms.machine"),
    name("GrantTerms.owner"),
    list("GrantTerms.items", kItems),
    binary("Answer.request_digest"),
    {"Answer.numeric_class", kClass},
    name("Answer.model_digest"),
    list("Answer.responses", kTasks),
    {"Settled.votes", kBinary, kItems},
    list("Settled.responses", kTasks),
    {"Settled.numeric_class", kClass},
    name("Settled.model_digest"),
    {"Request.context", kPrompt},
    {"Request.continuation", kPrompt},
    binary("ItemRequests.digest"),
    list("ItemRequests.requests", kTasks),
    // Jobs.
    {"JobRequest.model", kModel},
    names("JobRequest.tasks", kTasks),
    name("JobRequest.username"),
    {"ModelPin.name", kModel},
    {"ModelPin.path", kPath},
    name("ModelPin.commit"),
    name("ModelPin.dtype"),
    name("Metric.name"),
    name("TaskResult.task"),
    name("TaskResult.version"),
    list("TaskResult.metrics", 8),
    text("TaskResult.note"),
    {"TaskResult.numeric_classes", kClass, kClasses},
    list("JobResult.tasks", kTasks),
    {"JobResult.numeric_classes", kClass, kClasses},
    name("Assignment.coordinator"),
    name("JobRow.job"),
    text("JobRow.reason"),
    binary("JobRow.frozen_digest"),
    name("JobRow.coordinator"),
    list("JobRow.assignments", kAssignments),
    {"JobRow.numeric_classes", kClass, kClasses},
    names("JobRow.idempotency_keys", 8),
    name("Charge.job"),
    name("Charge.machine"),
    text("Charge.difference"),
    name("Reason.job"),
    name("Reason.machine"),
    text("Reason.text"),
    // Nodes.
    name("Address.machine"),
    binary("Challenge.nonce"),
    name("Challenge.version"),
    binary("Hello.public_key"),
    binary("Hello.signature"),
    name("Hello.version"),
    name("Hello.store_id"),
    name("Hello.owner"),
    name("Hello.instance"),
    name("Hardware.cpu"),
    {"Hello.storage_address", kClass},
    list("PoolState.live", kRuns),
    name("PoolState.coordinator"),
    list("PoolState.kept", kRuns),
    name("PoolState.pool"),
    names("PoolState.coordinators", kStores),
    list("View.members", kStores),
    list("View.joiners", kStores),
    name("Member.machine"),
    name("Member.store_id"),
    name("LiveJob.job"),
    list("LiveJob.assignments", kAssignments),
    text("Refused.reason"),
    text("StoreState.problem"),
    list("Refusals.refusals", kItems),
    name("Refusal.machine"),
    text("Refusal.what"),
    // At the door.
    name("JobRow.researcher"),
    name("Holder.owner"),
    name("Holder.token"),
    name("Join.machine"),
    binary("Join.token_hash"),
    name("TokenRow.id"),
    binary("TokenRow.hash"),
    name("TokenRow.owner"),
    names("TokenRow.machines", kUses),
    name("TokenRow.created_by"),
    name("CreateToken.id"),
    binary("CreateToken.hash"),
    name("CreateToken.owner"),
    list("TokenList.rows", kTokens),
    name("RevokeToken.id"),
    name("RemoveMachine.machine"),
    name("RemoveMachineReply.machine"),
    name("Machine.token"),
    name("Machine.job"),
    {"JoinRequest.signing_request", 1024},
    name("JoinRequest.version"),
    name("JoinRequest.owner"),
    {"JoinRequest.token", kClass},
    {"JoinRequest.certificate", 4096},
    {"JoinAnswer.certificate", 4096},
    // Researchers' calls.
    name("Submit.idempotency_key"),
    name("SubmitReply.job"),
    name("Watch.job"),
    text("JobUpdate.message"),
    list("JobList.rows", kRuns),
    name("Machine.machine"),
    text("Machine.state"),
    name("Machine.owner"),
    name("Machine.version"),
    {"Machine.storage_address", kClass},
    text("Machine.reason"),
    list("Machine.charges", 20),
    name("PoolStatus.version"),
    name("PoolStatus.pool"),
    list("PoolStatus.machines", kRuns),
    list("PoolStatus.jobs", kRuns),
    name("CancelJob.job"),
    name("Why.what"),
    name("WhyReply.what"),
    text("WhyReply.now"),
    list("WhyReply.reasons", 1000),
    name("Pardon.machine"),
    name("PardonReply.machine"),
    name("Failure.code"),
    text("Failure.message"),
    // Server and coordinator.
    {"PinModel.model", kModel},
    name("JobKey.job"),
    binary("CommitFrozen.digest"),
    binary("FrozenCommitted.digest"),
    {"CommitClass.numeric_class", kClass},
    {"ClassCommitted.numeric_classes", kClass, kClasses},
    name("ChargeNoted.machine"),
    names("WantWorkers.released", kMachines),
    list("Lend.loans", kMachines),
    names("Lend.quarantined", kMachines),
    names("Lend.retiring", kMachines),
    name("Loan.machine"),
    name("Loan.owner"),
    names("Lend.other_owners", kItems),
    text("JobProgress.reason"),
    list("JobProgress.events", kItems),
    name("JobEvent.machine"),
    text("JobEvent.text"),
    list("Finish.tallies", kMachines),
    name("Tally.machine"),
    name("SilentStore.machine"),
    text("SilentStore.what"),
    // Coordinator and worker.
    text("Preparing.what"),
    {"Ready.numeric_class", kClass},
    list("Ready.leases", kItems),
    list("HeldLease.items", kItems),
    list("Grant.items", kItems),
    text("LeaseFailed.message"),
    // Stores.
    list("Put.records", kDigests),
    {"PutDone.digests", kBinary, kDigests},
    name("PutRefused.job"),
    name("Subscribe.job"),
    {"Subscribe.digests", kBinary, kDigests},
    name("Feed.job"),
    list("Feed.records", kDigests),
    name("CompareRanges.job"),
    list("CompareRanges.ranges", 256),
    binary("CompareRanges.Range.fold"),
    name("MissingDigests.job"),
    {"MissingDigests.digests", kBinary, kDigests},
};

// "muster.v1.Hello.owner" without the package.
std::string short_name(const FieldDescriptor& field) {
  return field.full_name().substr(field.file()->package().size() + 1);
}

const Bound* bound_of(const FieldDescriptor& field) {
  static const auto by_name = [] {
    std::map<std::string, const Bound*> map;
    for (const Bound& bound : kBounds) map[bound.field] = &bound;
    return map;
  }();
  const auto found = by_name.find(short_name(field));
  return found == by_name.end() ? nullptr : found->second;
}

struct Walk;

// A field to be looked at.
struct Step {
  const FieldDescriptor* field;
  const Bound* bound;  // Null: a single message.
  const Walk* inside;  // Null: no message, or one in which nothing has a bound.
  bool has_texts;      // It is one, or there are some inside.
};

// What is to be looked at in messages of one type; found once. Of a oneof only the field that is
// set is looked at: an envelope has some eighty bodies, and a record five kinds.
struct Walk {
  struct Choice {
    const OneofDescriptor* oneof;
    std::vector<std::optional<Step>> steps;  // By the field's index in the oneof.
  };
  const Reflection* reflection;  // GetReflection() looks for it anew each time.
  std::vector<Step> steps;
  std::vector<Choice> choices;
  bool has_texts = false;
  // The smallest bound in it. A string over its bound takes more bytes than that, and so does a
  // list: a message no longer than this is within all of them.
  size_t least = std::numeric_limits<size_t>::max();
};

// Of every type that an envelope, a record or a word at the door can have inside. No type has
// itself inside.
class Walks {
 public:
  Walks();
  // Null: nothing in messages of this type has a bound.
  const Walk* find(const Descriptor* type) const;

 private:
  const Walk* make(const Descriptor* type);
  Walk made_of(const Descriptor* type);
  std::optional<Step> step_of(const FieldDescriptor* field);

  std::map<const Descriptor*, Walk> walks_;
};

const Walks& walks() {
  static const Walks all;
  return all;
}

std::optional<Step> Walks::step_of(const FieldDescriptor* field) {
  const bool is_string = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const Bound* bound = is_string || field->is_repeated() ? bound_of(*field) : nullptr;
  MUSTER_CHECK(bound != nullptr || !(is_string || field->is_repeated()));
  const Walk* inside = is_message ? make(field->message_type()) : nullptr;
  if (bound == nullptr && inside == nullptr) return std::nullopt;
  const bool has_texts = inside != nullptr ? inside->has_texts : bound->is_text;
  return Step{field, bound, inside, has_texts};
}

size_t least_of(const Step& step) {
  size_t least = step.inside == nullptr ? std::numeric_limits<size_t>::max() : step.inside->least;
  if (step.bound == nullptr) return least;
  for (const size_t bound : {step.bound->bytes, step.bound->count}) {
    if (bound > 0) least = std::min(least, bound);
  }
  return least;
}

Walk Walks::made_of(const Descriptor* type) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  Walk walk{factory->GetPrototype(type)->GetReflection(), {}, {}};
  for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
    walk.choices.push_back({type->oneof_decl(i), {}});
  }
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::optional<Step> step = step_of(field);
    if (step) {
      walk.has_texts |= step->has_texts;
      walk.least = std::min(walk.least, least_of(*step));
    }
    if (const OneofDescriptor* oneof = field->real_containing_oneof()) {
      walk.choices.at(static_cast<size_t>(oneof->index())).steps.push_back(step);
    } else if (step) {
      walk.steps.push_back(*step);
    }
  }
  return walk;
}

const Walk* Walks::make(const Descriptor* type) {
  if (!walks_.contains(type)) walks_.emplace(type, made_of(type));
  return find(type);
}

const Walk* Walks::find(const Descriptor* type) const {
  const auto found = walks_.find(type);
  MUSTER_CHECK(found != walks_.end());
  const Walk& walk = found->second;
  return walk.steps.empty() && walk.choices.empty() ? nullptr : &walk;
}

const Walk& envelope_walk() {
  static const Walk* const walk = walks().find(pb::Envelope::GetDescriptor());
  return *walk;
}

Walks::Walks() {
  make(pb::Envelope::GetDescriptor());
  make(pb::Record::GetDescriptor());
  make(pb::JoinRequest::GetDescriptor());
  make(pb::JoinAnswer::GetDescriptor());
}

const Step* chosen(const Message& message, const Walk& walk, const Walk::Choice& choice) {
  const FieldDescriptor* field = walk.reflection->GetOneofFieldDescriptor(message, choice.oneof);
  if (field == nullptr) return nullptr;
  const std::optional<Step>& step = choice.steps.at(static_cast<size_t>(field->index_in_oneof()));
  return step ? &*step : nullptr;
}

Status over(const Bound& bound, const char* what) {
  return fail(Code::kInvalidArgument, std::string(bound.field) + " is over its bound: " + what);
}

Status check(const Message& message, const Walk& walk);

Status check_repeated(const Message& message, const Reflection& reflection, const Step& step) {
  const int count = reflection.FieldSize(message, step.field);
  if (static_cast<size_t>(count) > step.bound->count) return over(*step.bound, "too many");
  if (step.inside == nullptr && step.bound->bytes == 0) return {};
  std::string scratch;
  for (int i = 0; i < count; ++i) {
    if (step.inside != nullptr) {
      MUSTER_TRY_STATUS(check(reflection.GetRepeatedMessage(message, step.field, i), *step.inside));
    } else if (reflection.GetRepeatedStringReference(message, step.field, i, &scratch).size() >
               step.bound->bytes) {
      return over(*step.bound, "too long");
    }
  }
  return {};
}

Status check(const Message& message, const Reflection& reflection, const Step& step) {
  if (step.field->is_repeated()) return check_repeated(message, reflection, step);
  if (step.inside != nullptr) {
    if (!reflection.HasField(message, step.field)) return {};
    return check(reflection.GetMessage(message, step.field), *step.inside);
  }
  std::string scratch;
  const std::string& said = reflection.GetStringReference(message, step.field, &scratch);
  if (said.size() > step.bound->bytes) return over(*step.bound, "too long");
  return {};
}

// Of a message whose ByteSizeLong() was asked for, or is inside one: its size is known then.
Status check(const Message& message, const Walk& walk) {
  if (static_cast<size_t>(message.GetCachedSize()) <= walk.least) return {};
  for (const Step& step : walk.steps) MUSTER_TRY_STATUS(check(message, *walk.reflection, step));
  for (const Walk::Choice& choice : walk.choices) {
    const Step* step = chosen(message, walk, choice);
    if (step != nullptr) MUSTER_TRY_STATUS(check(message, *walk.reflection, *step));
  }
  return {};
}

void fit(Message& message, const Walk& walk);

void fit(Message& message, const Reflection& reflection, const Step& step) {
  if (step.inside != nullptr && step.field->is_repeated()) {
    const int count = reflection.FieldSize(message, step.field);
    for (int i = 0; i < count; ++i) {
      fit(*reflection.MutableRepeatedMessage(&message, step.field, i), *step.inside);
    }
  } else if (step.inside != nullptr) {
    if (!reflection.HasField(message, step.field)) return;
    fit(*reflection.MutableMessage(&message, step.field), *step.inside);
  } else {
    std::string scratch;
    const std::string& said = reflection.GetStringReference(message, step.field, &scratch);
    if (said.size() <= step.bound->bytes && is_utf8(said)) return;
    reflection.SetString(&message, step.field, fit_text(said, step.bound->bytes));
  }
}

void fit(Message& message, const Walk& walk) {
  for (const Step& step : walk.steps) {
    if (step.has_texts) fit(message, *walk.reflection, step);
  }
  for (const Walk::Choice& choice : walk.choices) {
    const Step* step = chosen(message, walk, choice);
    if (step != nullptr && step->has_texts) fit(message, *walk.reflection, *step);
  }
}

}  // namespace

const std::vector<Bound>& bounds() { return kBounds; }

Status check_bounds(const Message& message) {
  const Walk* walk = walks().find(message.GetDescriptor());
  if (walk == nullptr || message.ByteSizeLong() <= walk->least) return {};
  return check(message, *walk);
}

Status check_bounds(const pb::Envelope& envelope) {
  if (envelope.ByteSizeLong() > kMaxEnvelopeBytes) {
    return fail(Code::kInvalidArgument, "a message of more than 1 MiB");
  }
  return check(envelope, envelope_walk());
}

void fit_texts(pb::Envelope& envelope) { fit(envelope, envelope_walk()); }

namespace {

// The length of the UTF-8 character that begins here; 0: none does.
size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead > 0xF4 || length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

}  // namespace

std::string fit_text(std::string_view text, size_t bytes) {
  std::string out;
  while (!text.empty()) {
    const size_t length = character_length(text);
    const std::string_view next = length == 0 ? std::string_view("?") : text.substr(0, length);
    if (out.size() + next.size() > bytes) break;
    out += next;
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace muster::wire
