#pragma once

#include <span>

#include "base/json.h"
#include "base/result.h"
#include "eval/item.h"

namespace muster::eval {

// An MMLU row (subject, question, choices, gold) as lm-eval asks it: the subject's description,
// the `examples` with their answers, the question, and the letters A to D as choices.
Result<Item> mmlu_item(const Json& row, std::span<const Json> examples);

}  // namespace muster::eval
