#include "engine/model/decoder.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace muster::engine {
namespace {

constexpr int64_t kQueryBlock = 64;    // Rows of one attention block: its scores stay in cache.
constexpr int64_t kLogitsBlock = 128;  // Rows of one block of logits.

at::Tensor apply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt);
}

// The rows a segment sees, oldest first: its ancestors' ranges, then its own.
std::vector<std::pair<int64_t, int64_t>> visible_ranges(const TokenTree& tree, int64_t segment) {
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t s = segment; s >= 0; s = tree.segments()[s].parent) {
    ranges.emplace_back(tree.segments()[s].begin, tree.segments()[s].end);
  }
  std::reverse(ranges.begin(), ranges.end());
  return ranges;
}

}  // namespace

at::Tensor Decoder::embed(const TokenTree& tree) const {
  at::Tensor out = at::empty({tree.rows(), spec_.hidden}, at::kFloat);
  const auto* from = embedding_.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  for (int64_t row = 0; row < tree.rows(); ++row) {
    std::memcpy(to + row * spec_.hidden, from + tree.tokens()[row] * spec_.hidden,
                static_cast<size_t>(spec_.hidden) * sizeof(float));
  }
  return out;
}

at::Tensor Decoder::normalized(const at::Tensor& x, const NormWeights& norm) const {
  at::Tensor out = at::empty(x.sizes(), at::kFloat);
  const auto* from = x.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  const auto* weight = norm.weight.const_data_ptr<float>();
  const auto* bias = norm.bias.defined() ? norm.bias.const_data_ptr<float>() : nullptr;
  const auto epsilon = static_cast<float>(spec_.norm_epsilon);
  at::parallel_for(0, x.size(0), 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* in = from + row * spec_.hidden;
      float* result = to + row * spec_.hidden;
      if (spec_.norm == Norm::kRms) {
        rms_norm(in, weight, epsilon, spec_.hidden, result);
      } else {
        layer_norm(in, weight, bias, epsilon, spec_.hidden, result);
      }
    }
  });
  return out;
}

Decoder::Projected Decoder::project(const at::Tensor& x, const Layer& layer) const {
  Projected out;
  const int64_t d = spec_.head_dim;
  if (spec_.fused_qkv) {
    out.q = out.k = out.v = apply(x, layer.fused_qkv.weight, layer.fused_qkv.bias);
    auto* data = out.q.mutable_data_ptr<float>();
    const int64_t row = 3 * spec_.heads * d;
    out.query = {data, row, 3 * d};
    out.key = {data + d, row, 3 * d};
    out.value = {data + 2 * d, row, 3 * d};
    return out;
  }
  out.q = apply(x, layer.query.weight, layer.query.bias);
  out.k = apply(x, layer.key.weight, layer.key.bias);
  out.v = apply(x, layer.value.weight, layer.value.bias);
  out.query = {out.q.mutable_data_ptr<float>(), spec_.heads * d, d};
  out.key = {out.k.mutable_data_ptr<float>(), spec_.kv_heads * d, d};
  out.value = {out.v.mutable_data_ptr<float>(), spec_.kv_heads * d, d};
  return out;
}

void Decoder::rotate_all(const Heads& heads, int64_t head_count,
                         const std::vector<int64_t>& positions) const {
  const int64_t half = spec_.rotary_dims / 2;
  at::parallel_for(0, static_cast<int64_t>(positions.size()), 16, [&](int64_t begin, int64_t end) {
    std::vector<float> cosines(half), sines(half);
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(positions[row]) * frequencies_[i];
        cosines[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
        sines[i] = static_cast<float>(std::sin(static_cast<double>(angle)));
      }
      for (int64_t head = 0; head < head_count; ++head) {
        rotate(heads.data + row * heads.row_stride + head * heads.head_stride, cosines.data(),
               sines.data(), half);
      }
    }
  });
}

// One head of one segment: its queries in blocks, against all the keys it sees, gathered once.
void Decoder::attend(const Projected& projected, const TokenTree& tree, int64_t segment,
                     int64_t head, at::Tensor& out) const {
  const int64_t d = spec_.head_dim;
  const int64_t kv_head = head / (spec_.heads / spec_.kv_heads);
  const auto [begin, end, parent] = tree.segments()[segment];
  const auto ranges = visible_ranges(tree, segment);
  int64_t visible = 0;
  for (const auto& [from, to] : ranges) visible += to - from;
  const int64_t before = visible - (end - begin);  // Keys of the ancestors.

  at::Tensor keys = at::empty({visible, d}, at::kFloat);
  at::Tensor values = at::empty({visible, d}, at::kFloat);
  auto* key_rows = keys.mutable_data_ptr<float>();
  auto* value_rows = values.mutable_data_ptr<float>();
  for (const auto& [from, to] : ranges) {
    for (int64_t row = from; row < to; ++row, key_rows += d, value_rows += d) {
      std::memcpy(
          key_rows,
          projected.key.data + row * projected.key.row_stride + kv_head * projected.key.head_stride,
          d * sizeof(float));
      std::memcpy(value_rows,
                  projected.value.data + row * projected.value.row_stride +
                      kv_head * projected.value.head_stride,
                  d * sizeof(float));
    }
  }

  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  at::Tensor scores = at::empty({kQueryBlock * visible}, at::kFloat);
  auto* score_data = scores.mutable_data_ptr<float>();
  for (int64_t row = begin; row < end; row += kQueryBlock) {
    const int64_t count = std::min(kQueryBlock, end - row);
    const int64_t seen = before + (row + count - begin);  // By the last query of the block.
    at::Tensor queries = at::from_blob(projected.query.data + row * projected.query.row_stride +
                                           head * projected.query.head_stride,
                                       {count, d}, {projected.query.row_stride, 1}, at::kFloat);
    at::Tensor block = at::from_blob(score_data, {count, seen}, at::kFloat);
    at::mm_out(block, queries, keys.narrow(0, 0, seen).t());
    for (int64_t i = 0; i < count; ++i) {
      const int64_t own = before + (row + i - begin) + 1;
      softmax(score_data + i * seen, scale, own);
      std::fill(score_data + i * seen + own, score_data + (i + 1) * seen, 0.0f);
    }
    at::Tensor target = out.narrow(0, row, count).narrow(1, head * d, d);
    at::mm_out(target, block, values.narrow(0, 0, seen));
  }
}

at::Tensor Decoder::attention(const at::Tensor& x, const Layer& layer,
                              const TokenTree& tree) const {
  const Projected projected = project(x, layer);
  rotate_all(projected.query, spec_.heads, tree.positions());
  rotate_all(projected.key, spec_.kv_heads, tree.positions());
  at::Tensor mixed = at::empty({tree.rows(), spec_.heads * spec_.head_dim}, at::kFloat);
  const auto pieces = static_cast<int64_t>(tree.segments().size()) * spec_.heads;
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      attend(projected, tree, piece / spec_.heads, piece % spec_.heads, mixed);
    }
  });
  return apply(mixed, layer.attention_out.weight, layer.attention_out.bias);
}

at::Tensor Decoder::mlp(const at::Tensor& x, const Layer& layer) const {
  at::Tensor up = apply(x, layer.up.weight, layer.up.bias);
  at::Tensor inner = spec_.gated_mlp ? apply(x, layer.gate.weight, layer.gate.bias) : up;
  auto* inner_data = inner.mutable_data_ptr<float>();
  const auto* up_data = up.const_data_ptr<float>();
  MUSTER_CHECK(spec_.gated_mlp == (spec_.activation == Activation::kSilu));
  at::parallel_for(0, x.size(0), 4, [&](int64_t begin, int64_t end) {
    const int64_t offset = begin * spec_.inner, size = (end - begin) * spec_.inner;
    if (spec_.gated_mlp) {
      silu_times(inner_data + offset, up_data + offset, size);
    } else {
      gelu(inner_data + offset, size);
    }
  });
  return apply(inner, layer.down.weight, layer.down.bias);
}

at::Tensor Decoder::hidden_states(const TokenTree& tree,
                                  const std::function<void()>& progress) const {
  at::Tensor x = embed(tree);
  auto* rows = x.mutable_data_ptr<float>();
  auto add_to_rows = [&](const at::Tensor& y) { add(rows, y.const_data_ptr<float>(), x.numel()); };
  for (const Layer& layer : layers_) {
    const at::Tensor attended = attention(normalized(x, layer.attention_norm), layer, tree);
    if (spec_.parallel_residual) {
      const at::Tensor fed = mlp(normalized(x, layer.mlp_norm), layer);
      add_to_rows(attended);
      add_to_rows(fed);
    } else {
      add_to_rows(attended);
      add_to_rows(mlp(normalized(x, layer.mlp_norm), layer));
    }
    progress();
  }
  return normalized(x, final_norm_);
}

int64_t Decoder::working_bytes(int64_t rows, int64_t picked) const {
  const int64_t heads = (spec_.heads + 2 * spec_.kv_heads) * spec_.head_dim;
  const int64_t attention = 2 * spec_.head_dim + kQueryBlock;  // Of one head at a time.
  const int64_t in_a_row = 6 * spec_.hidden + 2 * heads + 2 * spec_.inner + attention;
  const int64_t logits = std::min(picked, kLogitsBlock) * spec_.vocabulary;
  return static_cast<int64_t>(sizeof(float)) * (rows * in_a_row + logits);
}

void Decoder::for_each_logits(
    const at::Tensor& hidden, std::span<const int64_t> rows,
    const std::function<void(int64_t, const float*, const LogSumExp&)>& visit) const {
  const auto total = static_cast<int64_t>(rows.size());
  for (int64_t begin = 0; begin < total; begin += kLogitsBlock) {
    const int64_t count = std::min(kLogitsBlock, total - begin);
    at::Tensor picked = at::empty({count, spec_.hidden}, at::kFloat);
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(picked.mutable_data_ptr<float>() + i * spec_.hidden,
                  hidden.const_data_ptr<float>() + rows[begin + i] * spec_.hidden,
                  static_cast<size_t>(spec_.hidden) * sizeof(float));
    }
    const at::Tensor logits = at::linear(picked, head_);
    const auto* data = logits.const_data_ptr<float>();
    at::parallel_for(0, count, 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        const float* row = data + i * spec_.vocabulary;
        visit(begin + i, row, log_sum_exp(row, spec_.vocabulary));
      }
    });
  }
}

}  // namespace muster::engine
