#include "eval/multiple_choice.h"

#include "eval/text.h"

namespace muster::eval {

Result<std::vector<std::string>> string_list(const Json& row, const char* key) {
  std::vector<std::string> strings;
  for (const Json& value : get_or_null(row, key)) {
    if (!value.is_string()) return fail(Code::kDataLoss, std::string(key) + " must be strings");
    strings.push_back(value.get<std::string>());
  }
  if (strings.empty())
    return fail(Code::kDataLoss, std::string(key) + " must be a list of strings");
  return strings;
}

Result<Item> multiple_choice_item(const Json& row, const std::string& context,
                                  const std::vector<std::string>& choices) {
  Item item;
  MUSTER_TRY(item.gold, get_int(row, "gold"));
  if (item.gold < 0 || item.gold >= static_cast<int64_t>(choices.size())) {
    return fail(Code::kDataLoss, "gold names no choice");
  }
  for (const std::string& choice : choices) {
    item.requests.push_back({context, " " + choice});
    item.lengths.push_back(length(choice));
  }
  item.doc = row;
  return item;
}

}  // namespace muster::eval
