#include "wire/bounds.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/check.h"

namespace muster::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Names of machines, jobs, keys, versions; a class; what a person reads; a digest, a key, a
// signature.
constexpr size_t kName = 64, kClass = 100, kText = 500, kBinary = 128;
constexpr size_t kModel = 300, kPath = 4096, kRecord = 64u << 10, kPrompt = 512u << 10;
// What there may be of a kind at once: machines of a job, stores, classes, digests in one message.
constexpr size_t kMachines = 8192, kStores = 16, kClasses = 8, kDigests = 4096;
constexpr size_t kTasks = 256, kRuns = 16'384, kAssignments = 64, kItems = 64;

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
    list("Answer.responses", kTasks),
    {"Settled.votes", kBinary, kItems},
    list("Settled.responses", kTasks),
    {"Settled.numeric_class", kClass},
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
    names("JobRow.begun_by", 8),
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
    names("WantWorkers.spare", kMachines),
    list("Lend.loans", kMachines),
    names("Lend.quarantined", kMachines),
    name("Lend.retiring"),
    name("Loan.machine"),
    name("Loan.owner"),
    names("Lend.other_owners", kItems),
    text("JobProgress.reason"),
    list("JobProgress.happenings", kItems),
    name("Happening.machine"),
    text("Happening.text"),
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
    name("Compare.job"),
    list("Compare.ranges", 256),
    binary("Compare.Range.fold"),
    name("Holds.job"),
    {"Holds.digests", kBinary, kDigests},
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

// What is to be looked at in messages of one type; found once.
struct Plan {
  struct Field {
    const FieldDescriptor* field;
    const Bound* bound;  // Null: a single message.
  };
  std::vector<Field> fields;
};

const Plan& plan_of(const Descriptor* type) {
  static thread_local std::map<const Descriptor*, Plan> plans;
  auto [entry, is_new] = plans.try_emplace(type);
  if (!is_new) return entry->second;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const bool is_string = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!is_string && !is_message && !field->is_repeated()) continue;
    const Bound* bound = bound_of(*field);
    MUSTER_CHECK(bound != nullptr || (is_message && !field->is_repeated()));
    entry->second.fields.push_back({field, bound});
  }
  return entry->second;
}

bool is_message(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

Status over(const Bound& bound, const char* what) {
  return fail(Code::kInvalidArgument, std::string(bound.field) + " is over its bound: " + what);
}

Status check_repeated(const Message& message, const FieldDescriptor* field, const Bound& bound) {
  const Reflection& reflection = *message.GetReflection();
  const int count = reflection.FieldSize(message, field);
  if (static_cast<size_t>(count) > bound.count) return over(bound, "too many");
  std::string scratch;
  for (int i = 0; i < count; ++i) {
    if (is_message(field)) {
      MUSTER_TRY_STATUS(check_bounds(reflection.GetRepeatedMessage(message, field, i)));
    } else if (bound.bytes > 0 &&
               reflection.GetRepeatedStringReference(message, field, i, &scratch).size() >
                   bound.bytes) {
      return over(bound, "too long");
    }
  }
  return {};
}

}  // namespace

const std::vector<Bound>& bounds() { return kBounds; }

Status check_bounds(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  for (const auto& [field, bound] : plan_of(message.GetDescriptor()).fields) {
    if (field->is_repeated()) {
      MUSTER_TRY_STATUS(check_repeated(message, field, *bound));
    } else if (is_message(field)) {
      if (!reflection.HasField(message, field)) continue;
      MUSTER_TRY_STATUS(check_bounds(reflection.GetMessage(message, field)));
    } else if (reflection.GetStringReference(message, field, &scratch).size() > bound->bytes) {
      return over(*bound, "too long");
    }
  }
  return {};
}

Status check_bounds(const pb::Envelope& envelope) {
  if (envelope.ByteSizeLong() > kMaxEnvelopeBytes) {
    return fail(Code::kInvalidArgument, "a message of more than 1 MiB");
  }
  return check_bounds(static_cast<const Message&>(envelope));
}

void fit_texts(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  for (const auto& [field, bound] : plan_of(message.GetDescriptor()).fields) {
    if (is_message(field) && field->is_repeated()) {
      const int count = reflection.FieldSize(message, field);
      for (int i = 0; i < count; ++i) {
        fit_texts(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    } else if (is_message(field)) {
      if (reflection.HasField(message, field))
        fit_texts(*reflection.MutableMessage(&message, field));
    } else if (bound->is_text) {
      const std::string& said = reflection.GetStringReference(message, field, &scratch);
      if (said.empty()) continue;
      std::string fitting = fit_text(said, bound->bytes);
      if (fitting != said) reflection.SetString(&message, field, std::move(fitting));
    }
  }
}

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
