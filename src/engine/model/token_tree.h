#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tokenizer/bpe.h"

namespace muster::engine {

// Token sequences with shared beginnings, as a trie laid out in rows: each distinct prefix is one
// row and is computed once. Rows are in depth-first order, so a chain without branches is a range.
//
//        the cat ┬ sat      rows: the cat sat | ran far
//                └ ran far  segments: [0,2) [2,3) [3,5), the last two with parent 0
class TokenTree {
 public:
  // A chain of rows. It sees its parent's chain, that one's parent's, ..., and itself up to the
  // row.
  struct Segment {
    int64_t begin, end;  // Rows.
    int64_t parent;      // Index of a segment, or -1.
  };

  // Adds a sequence (at least one token) and returns a handle for row_of().
  int64_t add(std::span<const TokenId> tokens);
  // Lays out the rows. After this no more add().
  void finish();

  // The row of the token at `position` of the sequence with this handle.
  [[nodiscard]] int64_t row_of(int64_t handle, int64_t position) const;

  [[nodiscard]] int64_t rows() const { return static_cast<int64_t>(tokens_.size()); }
  [[nodiscard]] const std::vector<TokenId>& tokens() const { return tokens_; }        // [rows]
  [[nodiscard]] const std::vector<int64_t>& positions() const { return positions_; }  // [rows]
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }

 private:
  struct Node {
    TokenId token;
    int64_t parent, depth;
    std::vector<int64_t> children;  // In order of arrival.
    int64_t row = -1;
  };
  int64_t child(int64_t node, TokenId token);
  void lay_out_chain(int64_t node, int64_t parent_segment,
                     std::vector<std::pair<int64_t, int64_t>>& open);

  std::vector<Node> nodes_ = {{-1, -1, -1, {}}};  // nodes_[0] is the empty prefix; it has no row.
  std::vector<int64_t> leaf_of_;                  // [handles]
  std::vector<TokenId> tokens_;
  std::vector<int64_t> positions_;
  std::vector<Segment> segments_;
};

}  // namespace muster::engine
