#include "eval/model_name.h"

#include <algorithm>

#include "base/hex.h"

namespace muster::eval {
namespace {

constexpr size_t kMostCharacters = 96;

bool is_word_character(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || c == '_';
}

bool is_word(std::string_view text) {
  const bool sized = !text.empty() && text.size() <= kMostCharacters;
  return sized && text.find("..") == text.npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_word_character(c) || c == '-' || c == '.';
         });
}

bool is_half_of_a_name(std::string_view text) {
  return is_word(text) && is_word_character(text.front()) && is_word_character(text.back()) &&
         text.find("--") == text.npos;
}

}  // namespace

bool is_model_name(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != name.npos && is_half_of_a_name(name.substr(0, slash)) &&
         is_half_of_a_name(name.substr(slash + 1));
}

bool is_revision(std::string_view revision) {
  if (revision.empty() || revision.size() > kMostCharacters) return false;
  for (size_t begin = 0; begin <= revision.size();) {
    const size_t end = std::min(revision.find('/', begin), revision.size());
    const std::string_view part = revision.substr(begin, end - begin);
    if (!is_word(part) || !is_word_character(part.front())) return false;
    begin = end + 1;
  }
  return true;
}

bool is_commit(std::string_view text) { return is_hex(text, 40); }

bool is_directory_digest(std::string_view text) { return is_hex(text, 64); }

Result<ModelName> parse_model_name(std::string_view text) {
  const size_t at = std::min(text.find('@'), text.size());
  ModelName model{std::string(text.substr(0, at))};
  if (at < text.size()) model.revision = text.substr(at + 1);
  if (is_model_name(model.name) && is_revision(model.revision)) return model;
  return fail(Code::kUnsupported, "'" + std::string(text) +
                                      "' is no name of the Hub, like EleutherAI/pythia-14m or "
                                      "EleutherAI/pythia-14m@main");
}

}  // namespace muster::eval
