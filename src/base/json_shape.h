#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace muster {

// What the fields of a JSON object must be, as a table.
struct JsonType {
  const char* name;  // "a string": for whoever reads that a value is none.
  bool (*fits)(const Json& value);
};
struct JsonField {
  const char* key;
  JsonType type;
  bool is_needed = true;
};

// kUnsupported unless `object` is one in which each field fits its type; one that is not needed may
// be absent. Fields without a row are nobody's. Names the field by its path, which begins with
// `where`; "" is the whole file.
Status check_fields(const std::string& where, const Json& object,
                    std::span<const JsonField> fields);

namespace json_type {

// Not negative.
inline bool is_whole_number(const Json& value) {
  return value.is_number_unsigned() || (value.is_number_integer() && value >= 0);
}

inline constexpr JsonType kFlag{"true or false",
                                [](const Json& value) { return value.is_boolean(); }};
inline constexpr JsonType kFlagOrNull{
    "true, false or null", [](const Json& value) { return value.is_null() || value.is_boolean(); }};
inline constexpr JsonType kText{"a string", [](const Json& value) { return value.is_string(); }};
inline constexpr JsonType kTextOrNull{
    "a string or null", [](const Json& value) { return value.is_null() || value.is_string(); }};
inline constexpr JsonType kNumber{"a number", [](const Json& value) { return value.is_number(); }};
inline constexpr JsonType kNumberOrNull{
    "a number or null", [](const Json& value) { return value.is_null() || value.is_number(); }};
inline constexpr JsonType kWhole{"a whole number", is_whole_number};
inline constexpr JsonType kWholeOrNull{"a whole number or null", [](const Json& value) {
                                         return value.is_null() || is_whole_number(value);
                                       }};
inline constexpr JsonType kList{"a list", [](const Json& value) { return value.is_array(); }};
inline constexpr JsonType kObject{"an object", [](const Json& value) { return value.is_object(); }};
inline constexpr JsonType kObjectOrNull{
    "an object or null", [](const Json& value) { return value.is_null() || value.is_object(); }};

}  // namespace json_type

}  // namespace muster
