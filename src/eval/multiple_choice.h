#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "eval/item.h"

namespace muster::eval {

// The strings of a list field; kDataLoss when it is anything else.
Result<std::vector<std::string>> string_list(const Json& row, const char* key);

// One request per choice: the context, and the choice after the target delimiter (a space).
// `row` gives gold, and becomes the item's document.
Result<Item> multiple_choice_item(const Json& row, const std::string& context,
                                  const std::vector<std::string>& choices);

}  // namespace muster::eval
