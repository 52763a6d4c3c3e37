// What comes over a line: a serialised Envelope (wire/bounds.h, line_rules.h). The check of bounds,
// which leaves out what is too short to be over one, says what a walk over every field says. What
// passes the line's rules is within its bounds, has a row in the table of who may say what, and
// still passes when it is serialised and read again, as the server does that passes it on. Cutting
// texts makes no message longer and none bad, and is done once. Reading takes at most 64 KiB and
// 300 bytes a byte of a message.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>

#include <map>

#include "base/check.h"
#include "base/printable.h"
#include "memory.h"
#include "target.h"
#include "wire/authority.h"
#include "wire/bounds.h"
#include "wire/line_rules.h"

namespace muster::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// An empty element of a list is two bytes, and some messages have 300 here. Where lengths lie,
// protobuf reserves 50 MB for a string before it sees that the bytes are not there.
constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 300, kMemoryOfALie = 50'000'000;

const wire::Bound* bound_of(const FieldDescriptor* field) {
  static const auto by_name = [] {
    std::map<std::string, const wire::Bound*> map;
    for (const wire::Bound& bound : wire::bounds())
      map["muster.v1." + std::string(bound.field)] = &bound;
    return map;
  }();
  const auto found = by_name.find(field->full_name());
  return found == by_name.end() ? nullptr : found->second;
}

bool is_within(const Message& message);

bool is_within(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  const bool is_list = field->is_repeated();
  const int count = is_list                                ? reflection->FieldSize(message, field)
                    : reflection->HasField(message, field) ? 1
                                                           : 0;
  const wire::Bound* bound = bound_of(field);
  if (is_list && static_cast<size_t>(count) > bound->count) return false;
  for (int i = 0; i < count; ++i) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const std::string text = is_list ? reflection->GetRepeatedString(message, field, i)
                                       : reflection->GetString(message, field);
      if (text.size() > bound->bytes) return false;
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!is_within(is_list ? reflection->GetRepeatedMessage(message, field, i)
                             : reflection->GetMessage(message, field))) {
        return false;
      }
    }
  }
  return true;
}

bool is_within(const Message& message) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (!is_within(message, type->field(i))) return false;
  }
  return true;
}

void check_fitting(pb::Envelope envelope) {
  const size_t before = envelope.ByteSizeLong();
  const bool passed = wire::check_bounds(envelope).has_value();
  wire::fit_texts(envelope);
  MUSTER_CHECK(envelope.ByteSizeLong() <= before);
  MUSTER_CHECK(!passed || wire::check_bounds(envelope));
  const std::string once = envelope.SerializeAsString();
  wire::fit_texts(envelope);
  MUSTER_CHECK(envelope.SerializeAsString() == once);
}

void check_verdict(const pb::Envelope& envelope, pb::RoleFlag flag) {
  const wire::Verdict verdict = wire::judge(envelope, flag);
  if (!verdict.passes) {
    MUSTER_CHECK(verdict.why.empty() == (envelope.body_case() == pb::Envelope::BODY_NOT_SET));
    return;
  }
  MUSTER_CHECK(wire::check_bounds(envelope));
  MUSTER_CHECK(!wire::who_says(envelope.body_case()).empty());
  MUSTER_CHECK(wire::may_speak_as(envelope.from().role(), flag));
  pb::Envelope again;
  MUSTER_CHECK(again.ParseFromString(envelope.SerializeAsString()));
  MUSTER_CHECK(wire::judge(again, flag).passes);
}

}  // namespace

void run(std::string_view input) {
  // The walk over the types is made once, and is nobody's memory.
  static const bool is_made = wire::check_bounds(pb::Envelope()).has_value();
  static auto* const talks = google::protobuf::SetLogHandler(nullptr);
  MUSTER_CHECK(is_made && talks != nullptr);
  pb::Envelope envelope;
  bool is_one = false;
  const size_t memory = peak_bytes([&] {
    is_one = envelope.ParseFromArray(input.data(), static_cast<int>(input.size()));
    if (is_one) (void)wire::check_bounds(envelope);
  });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size() + (is_one ? 0 : kMemoryOfALie));
  if (!is_one) return;
  const bool is_small = envelope.ByteSizeLong() <= wire::kMaxEnvelopeBytes;
  MUSTER_CHECK(wire::check_bounds(envelope).has_value() == (is_small && is_within(envelope)));
  for (int flag = 0; flag <= pb::RoleFlag_MAX; ++flag) {
    check_verdict(envelope, static_cast<pb::RoleFlag>(flag));
  }
  check_fitting(envelope);
}

namespace {

// One of each field, and within a list one of it; three levels down.
void fill(Message& message, int depth) {
  const auto* type = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->real_containing_oneof() != nullptr && depth == 0) continue;
    const bool is_list = field->is_repeated();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (depth < 3) {
        fill(is_list ? *reflection->AddMessage(&message, field)
                     : *reflection->MutableMessage(&message, field),
             depth + 1);
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      is_list ? reflection->AddString(&message, field, "ab")
              : reflection->SetString(&message, field, "ab");
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
      is_list ? reflection->AddUInt32(&message, field, 1)
              : reflection->SetUInt32(&message, field, 1);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64 && !is_list) {
      reflection->SetUInt64(&message, field, 1);
    }
  }
}

// Somebody who may say it, to somebody who may hear it.
void address(pb::Envelope& envelope) {
  for (int from = 0; from <= pb::ROLE_CLIENT; ++from) {
    for (int to = 0; to <= pb::ROLE_CLIENT; ++to) {
      if (!wire::may_say(static_cast<pb::Role>(from), static_cast<pb::Role>(to),
                         envelope.body_case())) {
        continue;
      }
      envelope.mutable_from()->set_role(static_cast<pb::Role>(from));
      envelope.mutable_to()->set_role(static_cast<pb::Role>(to));
    }
  }
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  const auto* type = pb::Envelope::GetDescriptor();
  for (const pb::Envelope::BodyCase body : wire::bodies()) {
    pb::Envelope envelope;
    const auto* field = type->FindFieldByNumber(body);
    fill(*pb::Envelope::GetReflection()->MutableMessage(&envelope, field), 1);
    address(envelope);
    out.push_back(envelope.SerializeAsString());
  }
  pb::Envelope long_text;
  long_text.mutable_from()->set_role(pb::ROLE_WORKER);
  long_text.mutable_lease_failed()->set_message(std::string(499, 'a') + "\xc3\xa9");
  out.push_back(long_text.SerializeAsString());
  return out;
}

std::vector<std::string> words() {
  // Tags of the first fields, and lengths at which bounds lie.
  return {"\x0a",
          "\x12",
          "\x1a",
          "\x22",
          "\x08\x01",
          std::string("\x0a\x40") + std::string(64, 'x'),
          std::string("\x0a\x41") + std::string(65, 'x'),
          "\xff\xff\xff\xff\x0f",
          "\xc3\xa9"};
}

}  // namespace muster::fuzz
