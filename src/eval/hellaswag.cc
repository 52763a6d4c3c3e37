#include "eval/hellaswag.h"

#include "eval/multiple_choice.h"
#include "eval/text.h"

namespace muster::eval {
namespace {

// Without the shortest "[...]" spans that lie within one line.
std::string without_marks(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t close = text[at] == '[' ? text.find_first_of("]\n", at) : std::string_view::npos;
    if (close != std::string_view::npos && text[close] == ']') {
      at = close + 1;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

std::string clean_hellaswag(std::string_view text) {
  return replace_all(without_marks(replace_all(strip(text), " [title]", ". ")), "  ", " ");
}

Result<Item> hellaswag_item(const Json& row) {
  MUSTER_TRY(const auto label, get_string(row, "activity_label"));
  MUSTER_TRY(const auto ctx_a, get_string(row, "ctx_a"));
  MUSTER_TRY(const auto ctx_b, get_string(row, "ctx_b"));
  MUSTER_TRY(auto endings, string_list(row, "choices"));
  for (std::string& ending : endings) ending = clean_hellaswag(ending);
  const std::string query = clean_hellaswag(label + ": " + ctx_a + " " + capitalize(ctx_b));
  MUSTER_TRY(auto item, multiple_choice_item(row, query, endings));
  item.doc["query"] = query;
  item.doc["choices"] = endings;
  return item;
}

}  // namespace muster::eval
