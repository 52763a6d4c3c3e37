#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "engine/model/decoder_spec.h"
#include "engine/model/kernels.h"
#include "engine/model/token_tree.h"
#include "engine/model/weight_names.h"
#include "engine/weights/checkpoint.h"

namespace muster::engine {

// A language model on the CPU in float32. Weights that are float32 on disk are used where they are
// mapped; others are widened once.
class Decoder {
 public:
  // kUnsupported, kNotFound or kDataLoss, naming the file and the field or tensor. Tensors that no
  // weight of the family has are left alone, as transformers leaves them.
  static Result<Decoder> load(const Path& directory);

  // Runs the layers over every row of the tree at once: [rows, hidden], after the final norm.
  // `progress` is called after each layer. Cost: 2 FLOP per weight and row, and attention.
  [[nodiscard]] at::Tensor hidden_states(const TokenTree& tree,
                                         const std::function<void()>& progress) const;

  // What the vocabulary looks like after some of those rows. `visit` gets, for each entry of `rows`
  // in order, the index into `rows`, the logits [vocabulary] and their log-sum-exp; never more than
  // a block of logits exists at once. It may be called from several threads at a time.
  void for_each_logits(
      const at::Tensor& hidden, std::span<const int64_t> rows,
      const std::function<void(int64_t, const float*, const LogSumExp&)>& visit) const;

  // About how much a tree of so many rows takes besides the weights, `picked` of which are looked
  // at in for_each_logits.
  [[nodiscard]] int64_t working_bytes(int64_t rows, int64_t picked) const;

  [[nodiscard]] const DecoderSpec& spec() const { return spec_; }
  // Of the bytes that the weights were loaded from, by their names in the checkpoint, whatever
  // files they are in. Cost: SHA-256 of all of them, on all threads; 1.3 GB/s a core.
  [[nodiscard]] Digest digest() const;
  // What a person should know of how config.json and the checkpoint contradict each other.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Linear {
    at::Tensor weight;  // [out, in]
    at::Tensor bias;    // [out], or undefined.
  };
  struct NormWeights {
    at::Tensor weight, bias;  // [hidden]; bias undefined for RMS norm.
  };
  struct Layer {
    NormWeights attention_norm, mlp_norm;
    Linear query, key, value, fused_qkv, attention_out;
    Linear gate, up, down;
  };
  // Query, key or value of every row: head h of row r begins at data[r * row_stride + h *
  // head_stride].
  struct Heads {
    float* data;
    int64_t row_stride, head_stride;
  };
  struct Projected {
    at::Tensor q, k, v;  // Own the memory; all three the same when fused.
    Heads query, key, value;
  };

  Status load_weights();
  Status load_tables();
  Status load_layer(int64_t index);
  [[nodiscard]] std::string stored_name(const std::string& name) const;
  Result<at::Tensor> tensor(const std::string& weight, const std::vector<int64_t>& shape);
  Status load_linear(const std::string& name, int64_t out, int64_t in, bool bias, Linear& linear);
  Status load_norm(const std::string& name, NormWeights& norm);

  [[nodiscard]] at::Tensor embed(const TokenTree& tree) const;
  [[nodiscard]] at::Tensor normalized(const at::Tensor& x, const NormWeights& norm) const;
  [[nodiscard]] Projected project(const at::Tensor& x, const Layer& layer) const;
  void rotate_all(const Heads& heads, int64_t head_count,
                  const std::vector<int64_t>& positions) const;
  [[nodiscard]] at::Tensor attention(const at::Tensor& x, const Layer& layer,
                                     const TokenTree& tree) const;
  void attend(const Projected& projected, const TokenTree& tree, int64_t segment, int64_t head,
              at::Tensor& out) const;
  [[nodiscard]] at::Tensor mlp(const at::Tensor& x, const Layer& layer) const;

  DecoderSpec spec_;
  WeightNames names_;
  Checkpoint weights_;
  std::map<std::string, const TensorView*> used_;
  std::vector<std::string> notes_;
  at::Tensor embedding_, head_;  // [vocabulary, hidden]; the same when tied.
  NormWeights final_norm_;
  std::vector<Layer> layers_;
  std::vector<float> frequencies_;  // [rotary_dims / 2]
};

}  // namespace muster::engine
