#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

// Keys keep the order in which they were written: files and hashes depend on it.
using Json = nlohmann::ordered_json;

// The one door for JSON and CBOR from outside. Depth is bounded to 64, size to max_bytes and the
// number of values to 4,000,000, which cost up to about 60 bytes each besides those of their
// strings; a number that is not finite, bytes after the end (a zero byte too), a byte-order mark,
// invalid UTF-8, CBOR strings of unknown length and CBOR numbers below -2^63 are errors
// (kDataLoss). nlohmann's own from_cbor overflows the stack on a megabyte of 0x81, hence the SAX
// reader.
Result<Json> parse_json(std::string_view text, size_t max_bytes);
Result<Json> parse_cbor(std::string_view bytes, size_t max_bytes);

std::string to_cbor(const Json& value);

// Typed access that names the field it misses: "config.json: hidden_size must be a whole number".
Result<int64_t> get_int(const Json& object, const char* key);
Result<double> get_number(const Json& object, const char* key);
Result<bool> get_bool(const Json& object, const char* key);
Result<std::string> get_string(const Json& object, const char* key);

// The value under `key`, or null when the key is absent or `object` is no object.
const Json& get_or_null(const Json& object, std::string_view key);

}  // namespace muster
