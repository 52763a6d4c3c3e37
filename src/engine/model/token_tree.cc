#include "engine/model/token_tree.h"

#include <utility>

#include "base/check.h"

namespace muster::engine {

int64_t TokenTree::child(int64_t node, TokenId token) {
  for (int64_t candidate : nodes_[node].children) {
    if (nodes_[candidate].token == token) return candidate;
  }
  const auto fresh = static_cast<int64_t>(nodes_.size());
  nodes_.push_back({token, node, nodes_[node].depth + 1, {}});
  nodes_[node].children.push_back(fresh);
  return fresh;
}

int64_t TokenTree::add(std::span<const TokenId> tokens) {
  MUSTER_CHECK(!tokens.empty() && tokens_.empty());
  int64_t node = 0;
  for (TokenId token : tokens) node = child(node, token);
  leaf_of_.push_back(node);
  return static_cast<int64_t>(leaf_of_.size()) - 1;
}

// Gives rows to `node` and to its only child, that one's only child, and so on; the children at the
// first branch go on `open`, together with the segment they hang from.
void TokenTree::lay_out_chain(int64_t node, int64_t parent_segment,
                              std::vector<std::pair<int64_t, int64_t>>& open) {
  const auto index = static_cast<int64_t>(segments_.size());
  Segment segment{rows(), rows(), parent_segment};
  while (true) {
    nodes_[node].row = segment.end++;
    tokens_.push_back(nodes_[node].token);
    positions_.push_back(nodes_[node].depth);
    if (nodes_[node].children.size() != 1) break;
    node = nodes_[node].children[0];
  }
  segments_.push_back(segment);
  const auto& children = nodes_[node].children;
  for (auto it = children.rbegin(); it != children.rend(); ++it) open.emplace_back(*it, index);
}

void TokenTree::finish() {
  std::vector<std::pair<int64_t, int64_t>> open;
  const auto& roots = nodes_[0].children;
  for (auto it = roots.rbegin(); it != roots.rend(); ++it) open.emplace_back(*it, -1);
  while (!open.empty()) {
    const auto [node, parent_segment] = open.back();
    open.pop_back();
    lay_out_chain(node, parent_segment, open);
  }
}

int64_t TokenTree::row_of(int64_t handle, int64_t position) const {
  int64_t node = leaf_of_[handle];
  while (nodes_[node].depth > position) node = nodes_[node].parent;
  MUSTER_CHECK(nodes_[node].depth == position);
  return nodes_[node].row;
}

}  // namespace muster::engine
