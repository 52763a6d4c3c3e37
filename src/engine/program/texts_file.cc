#include "engine/program/texts_file.h"

#include "base/json.h"
#include "engine/tokenizer/tokenizer.h"

namespace muster::engine {
namespace {

constexpr size_t kMaxTextsBytes = size_t{4} << 30, kMaxLineBytes = 64u << 20;

}  // namespace

Status encode_file(const Path& model, const Path& texts, const Path& output) {
  MUSTER_TRY(const auto input, read_input(texts, kMaxTextsBytes));
  MUSTER_TRY(auto tokenizer, Tokenizer::load(model));
  std::string lines;
  std::string_view rest = input;
  for (size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto encode = [&]() -> Status {
      MUSTER_TRY(const Json text, parse_json(line, kMaxLineBytes));
      if (!text.is_string()) return fail(Code::kDataLoss, "a line must be a JSON string");
      MUSTER_TRY(const auto ids, tokenizer.encode(text.get<std::string>(), true));
      lines += Json(ids).dump() + "\n";
      return {};
    };
    if (auto encoded = encode(); !encoded) {
      return fail(encoded.error().in(texts.string() + ":" + std::to_string(number)));
    }
  }
  return write_output(output, lines);
}

}  // namespace muster::engine
