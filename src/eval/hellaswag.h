#pragma once

#include "base/json.h"
#include "base/result.h"
#include "eval/item.h"

namespace muster::eval {

// HellaSwag's clean-up of a text: outer white space, "[title]", "[...]" marks, double spaces.
std::string clean_hellaswag(std::string_view text);

// A HellaSwag row (activity_label, ctx_a, ctx_b, choices, gold) as lm-eval asks it with no
// examples: the cleaned context, and each cleaned ending after a space.
Result<Item> hellaswag_item(const Json& row);

}  // namespace muster::eval
