#include "engine/tokenizer/added_tokens.h"

#include <algorithm>

namespace muster::engine {
namespace {

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool flag(const Json& token, const char* key) { return get_or_null(token, key) == true; }

}  // namespace

Result<AddedTokens> AddedTokens::load(const Json& list, bool normalized) {
  AddedTokens added;
  if (list.is_null()) return added;
  if (!list.is_array()) return fail(Code::kDataLoss, "added_tokens must be a list");
  for (const Json& entry : list) {
    MUSTER_TRY(auto text, get_string(entry, "content"));
    MUSTER_TRY(auto id, get_int(entry, "id"));
    if (text.empty() || id < 0 || id > INT32_MAX) {
      return fail(Code::kDataLoss, "added_tokens: an entry without text or id");
    }
    if (flag(entry, "single_word")) {
      return fail(Code::kUnsupported, "added_tokens: single_word of '" + text + "'");
    }
    if (flag(entry, "normalized") != normalized) continue;
    added.tokens_.push_back(
        {text, static_cast<TokenId>(id), flag(entry, "lstrip"), flag(entry, "rstrip")});
  }
  std::stable_sort(added.tokens_.begin(), added.tokens_.end(),
                   [](const Token& a, const Token& b) { return a.text.size() > b.text.size(); });
  for (size_t i = 0; i < added.tokens_.size(); ++i) {
    added.by_first_[static_cast<unsigned char>(added.tokens_[i].text[0])].push_back(i);
  }
  return added;
}

const AddedTokens::Token* AddedTokens::longest_at(std::string_view rest) const {
  for (size_t index : by_first_[static_cast<unsigned char>(rest[0])]) {
    if (rest.substr(0, tokens_[index].text.size()) == tokens_[index].text) return &tokens_[index];
  }
  return nullptr;
}

void AddedTokens::split(std::string_view text, std::vector<Piece>& pieces) const {
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const Token* token = longest_at(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t start = at, end = at + token->text.size();
    while (token->strip_left && start > done && is_ascii_space(text[start - 1])) --start;
    while (token->strip_right && end < text.size() && is_ascii_space(text[end])) ++end;
    if (start > done) pieces.push_back({text.substr(done, start - done), -1});
    pieces.push_back({text.substr(start, end - start), token->id});
    at = done = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), -1});
}

TokenId AddedTokens::find(std::string_view text) const {
  for (const Token& token : tokens_) {
    if (token.text == text) return token.id;
  }
  return -1;
}

}  // namespace muster::engine
