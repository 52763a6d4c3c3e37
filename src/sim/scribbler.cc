#include "sim/scribbler.h"

#include <array>
#include <cmath>
#include <limits>

namespace muster::sim {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kDeepest = 6;
constexpr size_t kMostStolen = 256;

template <typename T>
void set(Message& m, const FieldDescriptor& f, T value,
         void (google::protobuf::Reflection::*one)(Message*, const FieldDescriptor*, T) const,
         void (google::protobuf::Reflection::*more)(Message*, const FieldDescriptor*, T) const) {
  (m.GetReflection()->*(f.is_repeated() ? more : one))(&m, &f, value);
}

void steal(std::vector<std::string>& list, const std::string& what) {
  if (list.size() < kMostStolen && list.back() != what) list.push_back(what);
}

}  // namespace

void Scribbler::steal_text(const std::string& text) { steal(texts_, text); }
void Scribbler::steal_name(const std::string& name) { steal(names_, name); }

uint64_t Scribbler::number() {
  static constexpr std::array<uint64_t, 14> kNumbers = {
      0, 1, 2, 3, 5, 63, 64, 77, 1000, INT32_MAX, UINT32_MAX, 1ULL << 60, INT64_MAX, UINT64_MAX};
  return kNumbers[rng_.below(kNumbers.size())];
}

double Scribbler::real() {
  static constexpr std::array<double, 7> kReals = {0,
                                                   -1,
                                                   1,
                                                   -1e300,
                                                   std::numeric_limits<double>::infinity(),
                                                   -1e-320,
                                                   std::numeric_limits<double>::quiet_NaN()};
  return kReals[rng_.below(kReals.size())];
}

std::string Scribbler::text() {
  if (rng_.below(16) == 0) return std::string(rng_.below(3) * 5000, 'x');
  return texts_[rng_.below(texts_.size())];
}

std::string Scribbler::name() {
  if (rng_.below(4) != 0) return names_[rng_.below(names_.size())];
  static constexpr std::array<size_t, 6> kLengths = {0, 1, 31, 32, 33, 64};
  return std::string(kLengths[rng_.below(kLengths.size())], static_cast<char>(rng_.below(256)));
}

void Scribbler::fill_once(Message& m, const FieldDescriptor& f, int depth) {
  using R = google::protobuf::Reflection;
  switch (f.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return set(m, f, static_cast<int32_t>(number()), &R::SetInt32, &R::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return set(m, f, static_cast<int64_t>(number()), &R::SetInt64, &R::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return set(m, f, static_cast<uint32_t>(number()), &R::SetUInt32, &R::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return set(m, f, number(), &R::SetUInt64, &R::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return set(m, f, real(), &R::SetDouble, &R::AddDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return set(m, f, static_cast<float>(real()), &R::SetFloat, &R::AddFloat);
    case FieldDescriptor::CPPTYPE_BOOL:
      return set(m, f, rng_.below(2) == 0, &R::SetBool, &R::AddBool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return set(m, f, static_cast<int>(rng_.below(9)), &R::SetEnumValue, &R::AddEnumValue);
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value = f.type() == FieldDescriptor::TYPE_BYTES ? name() : text();
      const auto* r = m.GetReflection();
      return f.is_repeated() ? r->AddString(&m, &f, std::move(value))
                             : r->SetString(&m, &f, std::move(value));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const auto* r = m.GetReflection();
      Message* inner = f.is_repeated() ? r->AddMessage(&m, &f) : r->MutableMessage(&m, &f);
      if (depth < kDeepest) fill(*inner, depth + 1);
      return;
    }
  }
}

void Scribbler::fill_field(Message& message, const Field& field, int depth) {
  const uint64_t most = depth > 2 ? 1 : rng_.below(16) == 0 ? 40 : 3;
  const uint64_t times = field.is_repeated() ? 1 + rng_.below(most) : 1;
  for (uint64_t i = 0; i < times; ++i) fill_once(message, field, depth);
}

void Scribbler::fill(Message& message, int depth) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    if (rng_.below(4) != 0) fill_field(message, *descriptor->field(i), depth);
  }
}

// Whether the list was altered.
bool Scribbler::alter_list(Message& message, const Field& field, int depth) {
  const auto* r = message.GetReflection();
  const int count = r->FieldSize(message, &field);
  if (count == 0) return false;
  if (rng_.below(4) == 0) return r->RemoveLast(&message, &field), true;
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return false;
  const int which = static_cast<int>(rng_.below(static_cast<uint64_t>(count)));
  if (rng_.below(2) == 0)
    return alter(*r->MutableRepeatedMessage(&message, &field, which), depth + 1), true;
  Message* copy = r->AddMessage(&message, &field);
  copy->CopyFrom(r->GetRepeatedMessage(message, &field, which));
  alter(*copy, depth + 1);
  return true;
}

void Scribbler::alter(Message& message, int depth) {
  const auto* descriptor = message.GetDescriptor();
  const auto* r = message.GetReflection();
  if (descriptor->field_count() == 0) return;
  const auto count = static_cast<uint64_t>(descriptor->field_count());
  const Field& field = *descriptor->field(static_cast<int>(rng_.below(count)));
  if (field.is_repeated()) {
    if (!alter_list(message, field, depth)) fill_field(message, field, depth + 1);
    return;
  }
  const bool nested = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (nested && r->HasField(message, &field) && depth < kDeepest && rng_.below(8) != 0)
    return alter(*r->MutableMessage(&message, &field), depth + 1);
  r->ClearField(&message, &field);
  if (rng_.below(6) != 0) fill_field(message, field, depth + 1);
}

}  // namespace muster::sim
