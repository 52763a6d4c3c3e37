#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"

namespace muster::engine {

enum class Norm { kRms, kLayer };
enum class Activation { kSilu, kGelu };
enum class RopeScaling { kNone, kLinear, kLlama3 };

// A decoder described by data: what config.json says, in one vocabulary for every family. A new
// family is a reader of its config (decoder_spec.cc) and a table of weight names (weight_names.h).
struct DecoderSpec {
  std::string family;  // config.json's model_type.
  int64_t layers = 0, hidden = 0, inner = 0, vocabulary = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0;  // heads is a multiple of kv_heads.
  int64_t max_positions = 0;

  Norm norm = Norm::kRms;
  double norm_epsilon = 0;

  int64_t rotary_dims = 0;  // The first so many of each head turn; even, at most head_dim.
  double rope_theta = 10000;
  RopeScaling rope_scaling = RopeScaling::kNone;
  double rope_factor = 1, rope_low_freq_factor = 1, rope_high_freq_factor = 4;
  double rope_original_positions = 0;

  bool fused_qkv = false;  // One projection whose rows go head by head: q, k, v (GPT-NeoX).
  bool gated_mlp = false;  // activation(gate) * up, rather than activation(up).
  Activation activation = Activation::kSilu;
  bool parallel_residual = false;  // x + attention(norm1 x) + mlp(norm2 x), rather than in turn.
  bool attention_bias = false, mlp_bias = false;
  bool tied_head = false;  // Unless the checkpoint has a head of its own.

  // Of a spec that was read: fields are bounded so that this stays below 2^63.
  [[nodiscard]] int64_t parameters() const;
};

// Reads config.json of a model directory. kNotFound when there is none; kUnsupported names the
// field that this engine does not know, since a guess would give wrong numbers, or whose value no
// model can have.
Result<DecoderSpec> read_decoder_spec(const Path& directory);
Result<DecoderSpec> decoder_spec_from(const Json& config);

// The angle per position of each rotary pair, as transformers computes it in float32.
// [rotary_dims / 2], radians.
std::vector<float> rope_frequencies(const DecoderSpec& spec);

}  // namespace muster::engine
