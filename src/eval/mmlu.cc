#include "eval/mmlu.h"

#include "eval/multiple_choice.h"
#include "eval/text.h"

namespace muster::eval {
namespace {

const std::vector<std::string>& letters() {
  static const std::vector<std::string> four = {"A", "B", "C", "D"};
  return four;
}

// The question with its choices, up to "Answer:".
Result<std::string> question_part(const Json& row) {
  MUSTER_TRY(const auto question, get_string(row, "question"));
  MUSTER_TRY(const auto choices, string_list(row, "choices"));
  if (choices.size() != letters().size()) return fail(Code::kDataLoss, "choices must be four");
  std::string text = strip(question) + "\n";
  for (size_t i = 0; i < choices.size(); ++i) text += letters()[i] + ". " + choices[i] + "\n";
  return text + "Answer:";
}

Result<std::string> example_part(const Json& row) {
  MUSTER_TRY(const auto question, question_part(row));
  MUSTER_TRY(const auto gold, get_int(row, "gold"));
  if (gold < 0 || gold > 3) return fail(Code::kDataLoss, "gold names no choice");
  return question + " " + letters()[static_cast<size_t>(gold)] + "\n\n";
}

}  // namespace

Result<Item> mmlu_item(const Json& row, std::span<const Json> examples) {
  MUSTER_TRY(const auto subject, get_string(row, "subject"));
  std::string context = "The following are multiple choice questions (with answers) about " +
                        replace_all(subject, "_", " ") + ".\n\n";
  for (const Json& example : examples) {
    MUSTER_TRY(const auto part, example_part(example));
    context += part;
  }
  MUSTER_TRY(const auto question, question_part(row));
  return multiple_choice_item(row, context + question, letters());
}

}  // namespace muster::eval
