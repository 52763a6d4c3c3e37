#include "engine/tokenizer/bpe.h"

#include <queue>
#include <tuple>

namespace muster::engine {
namespace {

constexpr size_t kCacheEntries = 1 << 16;
constexpr size_t kCachedBytes = 64;

std::string utf8(uint32_t code_point) {  // Below 0x800, which is all the alphabet needs.
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xc0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 63))};
}

std::vector<std::string> make_byte_alphabet() {
  std::vector<std::string> alphabet(256);
  uint32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    alphabet[byte] = utf8(printable ? byte : next++);
  }
  return alphabet;
}

Status refuse_unless_empty(const Json& model, const char* key) {
  const Json& value = get_or_null(model, key);
  const bool empty = value.is_null() || value == "" || value == false || value == 0.0;
  if (empty) return {};
  return fail(Code::kUnsupported, std::string("model.") + key + " = " + value.dump() +
                                      " is not implemented; only plain byte-level BPE is");
}

}  // namespace

const std::vector<std::string>& byte_alphabet() {
  static const std::vector<std::string> alphabet = make_byte_alphabet();
  return alphabet;
}

Result<Bpe> Bpe::load(const Json& model) {
  // Older files do not say what they are: a model with merges is BPE.
  const Json& type = get_or_null(model, "type");
  const bool is_bpe = type == "BPE" || (type.is_null() && get_or_null(model, "merges").is_array());
  if (!is_bpe) {
    return fail(Code::kUnsupported, "model.type = " + type.dump() + "; only BPE is read");
  }
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix",
                          "byte_fallback", "fuse_unk"}) {
    MUSTER_TRY_STATUS(refuse_unless_empty(model, key));
  }
  Bpe bpe;
  bpe.ignore_merges_ = get_or_null(model, "ignore_merges") == true;
  const std::string unknown = get_string(model, "unk_token").value_or("");
  MUSTER_TRY_STATUS(bpe.load_vocabulary(get_or_null(model, "vocab"), unknown));
  MUSTER_TRY_STATUS(bpe.load_merges(get_or_null(model, "merges")));
  return bpe;
}

Status Bpe::load_vocabulary(const Json& vocabulary, const std::string& unknown_token) {
  if (!vocabulary.is_object()) return fail(Code::kDataLoss, "model.vocab must be an object");
  ids_.reserve(vocabulary.size());
  for (const auto& [text, id] : vocabulary.items()) {
    const bool fits = id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX;
    if (!fits) return fail(Code::kDataLoss, "model.vocab: the id of '" + text + "' is no token id");
    ids_[text] = id.get<TokenId>();
  }
  const TokenId unknown = unknown_token.empty() ? -1 : find(unknown_token);
  // A byte may be missing (SmolLM2 lacks some control characters): it then makes the unknown token,
  // or none when there is no such token.
  for (const std::string& letter : byte_alphabet()) {
    const TokenId id = find(letter);
    byte_ids_.push_back(id >= 0 ? id : unknown);
  }
  return {};
}

Status Bpe::load_merges(const Json& merges) {
  if (!merges.is_array()) return fail(Code::kDataLoss, "model.merges must be a list");
  merges_.reserve(merges.size());
  for (const Json& entry : merges) {
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
      MUSTER_TRY_STATUS(add_merge(entry[0].get<std::string>(), entry[1].get<std::string>()));
      continue;
    }
    const std::string text = entry.is_string() ? entry.get<std::string>() : "";
    const size_t space = text.find(' ');
    if (space == std::string::npos) return fail(Code::kDataLoss, "model.merges: not a pair");
    MUSTER_TRY_STATUS(add_merge(text.substr(0, space), text.substr(space + 1)));
  }
  return {};
}

Status Bpe::add_merge(const std::string& left, const std::string& right) {
  const TokenId a = find(left), b = find(right), merged = find(left + right);
  if (a < 0 || b < 0 || merged < 0) {
    return fail(Code::kDataLoss,
                "model.merges: '" + left + " " + right + "' is not made of vocabulary entries");
  }
  // One that stands twice has the rank of where it stands last.
  merges_.insert_or_assign(pair_key(a, b), Merge{next_rank_++, merged});
  return {};
}

TokenId Bpe::find(const std::string& text) const {
  auto found = ids_.find(text);
  return found == ids_.end() ? -1 : found->second;
}

void Bpe::encode(std::string_view pre_token, std::vector<TokenId>& out) {
  if (pre_token.size() > kCachedBytes) return merge(pre_token, out);
  const std::string key(pre_token);
  auto found = cache_.find(key);
  if (found == cache_.end()) {
    if (cache_.size() >= kCacheEntries) cache_.clear();
    std::vector<TokenId> ids;
    merge(pre_token, ids);
    found = cache_.emplace(key, std::move(ids)).first;
  }
  out.insert(out.end(), found->second.begin(), found->second.end());
}

// The symbols form a doubly linked list; a heap holds the possible merges, stale ones included
// (recognised because their left symbol has changed).
void Bpe::merge(std::string_view pre_token, std::vector<TokenId>& out) const {
  if (ignore_merges_) {
    std::string text;
    for (unsigned char byte : pre_token) text += byte_alphabet()[byte];
    if (const TokenId whole = find(text); whole >= 0) return out.push_back(whole);
  }
  struct Symbol {
    TokenId id;
    int32_t previous, next;  // -1 at the ends; id -1 once merged away.
  };
  struct Candidate {
    int32_t rank, left;
    TokenId left_id, right_id, merged;
    bool operator>(const Candidate& o) const {
      return std::tie(rank, left) > std::tie(o.rank, o.left);
    }
  };
  std::vector<Symbol> symbols;
  symbols.reserve(pre_token.size());
  for (unsigned char byte : pre_token) {
    const auto at = static_cast<int32_t>(symbols.size());
    if (byte_ids_[byte] >= 0) symbols.push_back({byte_ids_[byte], at - 1, at + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;
  const auto count = static_cast<int32_t>(symbols.size());
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
  auto consider = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return;
    const TokenId a = symbols[left].id, b = symbols[symbols[left].next].id;
    if (auto merge = merges_.find(pair_key(a, b)); merge != merges_.end()) {
      heap.push({merge->second.rank, left, a, b, merge->second.merged});
    }
  };
  for (int32_t i = 0; i < count; ++i) consider(i);
  while (!heap.empty()) {
    const Candidate best = heap.top();
    heap.pop();
    Symbol& left = symbols[best.left];
    if (left.id != best.left_id || left.next < 0) continue;
    Symbol& right = symbols[left.next];
    if (right.id != best.right_id) continue;
    left.id = best.merged;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.id >= 0) out.push_back(symbol.id);
  }
}

}  // namespace muster::engine
