#include "engine/tokenizer/added_tokens.h"

#include <algorithm>

#include "engine/tokenizer/white_space.h"

namespace muster::engine {
namespace {

// How many bytes of white space `text` ends and begins with.
size_t trailing_space(std::string_view text) {
  const size_t all = text.size();
  while (!text.empty() && is_white_space(last_character(text))) {
    text.remove_suffix(last_character(text).size());
  }
  return all - text.size();
}

size_t leading_space(std::string_view text) {
  const size_t all = text.size();
  while (!text.empty() && is_white_space(first_character(text))) {
    text.remove_prefix(first_character(text).size());
  }
  return all - text.size();
}

}  // namespace

Result<std::vector<AddedToken>> read_added_tokens(const Json& list) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) return tokens;
  if (!list.is_array()) return fail(Code::kDataLoss, "added_tokens must be a list");
  for (const Json& entry : list) {
    AddedToken token;
    MUSTER_TRY(token.text, get_string(entry, "content"));
    MUSTER_TRY(auto id, get_int(entry, "id"));
    if (token.text.empty() || id < 0 || id > INT32_MAX) {
      return fail(Code::kDataLoss, "added_tokens: an entry without text or id");
    }
    token.id = static_cast<TokenId>(id);
    MUSTER_TRY(const bool single_word, get_bool(entry, "single_word"));
    if (single_word) {
      return fail(Code::kUnsupported, "added_tokens: single_word of '" + token.text + "'");
    }
    MUSTER_TRY(token.normalized, get_bool(entry, "normalized"));
    MUSTER_TRY(token.strip_left, get_bool(entry, "lstrip"));
    MUSTER_TRY(token.strip_right, get_bool(entry, "rstrip"));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : tokens) {  // Of one text the last counts.
    std::erase_if(tokens_, [&](const AddedToken& other) { return other.text == token.text; });
    tokens_.push_back(token);
  }
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    return a.text.size() > b.text.size();
  });
  for (size_t i = 0; i < tokens_.size(); ++i) {
    by_first_[static_cast<unsigned char>(tokens_[i].text[0])].push_back(i);
  }
}

const AddedToken* AddedTokens::longest_at(std::string_view rest) const {
  for (size_t index : by_first_[static_cast<unsigned char>(rest[0])]) {
    if (rest.substr(0, tokens_[index].text.size()) == tokens_[index].text) return &tokens_[index];
  }
  return nullptr;
}

// The matches follow one another whatever white space they take along: what one took may be
// another's, too.
void AddedTokens::split(std::string_view text, std::vector<Piece>& pieces) const {
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token = longest_at(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t start = at, end = at + token->text.size();
    at = end;
    if (token->strip_left && start > done) {
      start -= trailing_space(text.substr(done, start - done));
    }
    if (token->strip_right) end += leading_space(text.substr(end));
    if (start > done) pieces.push_back({text.substr(done, start - done), -1});
    pieces.push_back({text.substr(start, end - start), token->id});
    done = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), -1});
}

TokenId AddedTokens::find(std::string_view text) const {
  for (const AddedToken& token : tokens_) {
    if (token.text == text) return token.id;
  }
  return -1;
}

}  // namespace muster::engine
