// The one door for JSON (base/json.h). What it lets in is what nlohmann's own reader makes of the
// same text, no deeper than it says, and comes out of its own words and of CBOR again as it was;
// reading takes at most 64 KiB and 60 bytes a byte of the text, however it ends.
#include "base/json.h"

#include "base/check.h"
#include "base/printable.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

constexpr size_t kMostBytes = 1 << 20, kDeepest = 64;
constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 60;

size_t depth_of(const Json& value) {
  size_t deepest = 0;
  for (const Json& inner : value.is_structured() ? value : Json::array()) {
    deepest = std::max(deepest, depth_of(inner));
  }
  return deepest + (value.is_structured() ? 1 : 0);
}

}  // namespace

void run(std::string_view input) {
  Result<Json> read;
  const size_t memory = peak_bytes([&] { read = parse_json(input, kMostBytes); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size());
  if (!read) {
    MUSTER_CHECK(read.error().code == Code::kDataLoss && !read.error().message.empty());
    return;
  }
  MUSTER_CHECK(is_utf8(input));
  MUSTER_CHECK(depth_of(*read) <= kDeepest);
  MUSTER_CHECK(*read == Json::parse(input, nullptr, false));
  MUSTER_CHECK(*parse_json(read->dump(), 8 * kMostBytes) == *read);
  MUSTER_CHECK(*parse_cbor(to_cbor(*read), 8 * kMostBytes) == *read);
  MUSTER_CHECK(!parse_json(input, input.size() - 1));
}

std::vector<std::string> seeds() {
  return {R"({"a":[1,-2,0.5,1e10,true,false,null],"b":{"c":"text","d":{}}})",
          R"(["\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t","é","😀"])",
          "[18446744073709551615,-9223372036854775808,18446744073709551616,-0,-0.0,1e-400]",
          std::string(64, '[') + std::string(64, ']'),
          " \n[ ] ",
          "\"\"",
          "0",
          R"({"":{"":[]},"a":0})"};
}

std::vector<std::string> words() {
  return {"true",    "false",          "null",  "{\"a\":", "[[",          "]]",
          "\\u0000", "\\ud83d\\ude00", "1e999", "-0",      "\xef\xbb\xbf"};
}

}  // namespace muster::fuzz
