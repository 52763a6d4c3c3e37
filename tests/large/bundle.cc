// What muster-large has in the place of the bundle (src/eval/bundle.cc); all else of it is muster.
#include "eval/bundle.h"

#include <string>

namespace muster::eval {
namespace {

constexpr int kItems = 56'000;
constexpr size_t kContextBytes = 740;  // Each of the four requests has it: 3 kB an item.

// Each item's texts are its own: no two requests of the job are equal.
std::string rows() {
  std::string text;
  text.reserve(kItems * (kContextBytes + 200));
  for (int item = 0; item < kItems; ++item) {
    std::string context = "Item " + std::to_string(item);
    while (context.size() < kContextBytes) context += " and on it goes";
    text += R"({"activity_label": "A large job", "ctx_a": ")" + context +
            R"(", "ctx_b": "", "choices": ["up", "down", "left", "right"], "gold": )" +
            std::to_string(item % 4) + "}\n";
  }
  return text;
}

}  // namespace

std::string_view bundled(std::string_view name) {
  if (name != "tinyHellaswag.jsonl") return {};
  static const std::string large = rows();
  return large;
}

}  // namespace muster::eval
