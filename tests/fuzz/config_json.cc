// config.json (engine/model/decoder_spec.h). A model that is let in has sizes that go together and
// that can be computed with: heads in whole groups, an even number of turning dimensions of a
// head's, a number of parameters that another reckoning confirms, and angles that are finite. What
// is refused is refused in one line that names the file; nothing is half read: the same text gives
// the same model.
#include "engine/model/decoder_spec.h"

#include <cmath>

#include "base/check.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using engine::DecoderSpec;

constexpr size_t kMostBytes = 1 << 20;
constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 60;

// As by hand: matrix by matrix.
long double parameters(const DecoderSpec& spec) {
  using Real = long double;
  const auto matrix = [](int64_t rows, int64_t columns, bool bias) {
    return static_cast<Real>(rows) * static_cast<Real>(columns) + (bias ? Real(rows) : Real(0));
  };
  const int64_t q = spec.heads * spec.head_dim, kv = spec.kv_heads * spec.head_dim;
  const bool bias = spec.attention_bias, mlp_bias = spec.mlp_bias;
  Real layer = matrix(q, spec.hidden, bias) + 2 * matrix(kv, spec.hidden, bias) +
               matrix(spec.hidden, q, bias) + matrix(spec.inner, spec.hidden, mlp_bias) +
               matrix(spec.hidden, spec.inner, mlp_bias);
  if (spec.gated_mlp) layer += matrix(spec.inner, spec.hidden, false);
  const Real norm = static_cast<Real>(spec.hidden) * (spec.norm == engine::Norm::kLayer ? 2 : 1);
  return static_cast<Real>(spec.layers) * (layer + 2 * norm) + norm +
         matrix(spec.vocabulary, spec.hidden, false) * (spec.tied_head ? 1 : 2);
}

void check_spec(const DecoderSpec& spec) {
  for (const int64_t size : {spec.layers, spec.hidden, spec.inner, spec.vocabulary, spec.heads,
                             spec.kv_heads, spec.head_dim, spec.max_positions}) {
    MUSTER_CHECK(size >= 1);
  }
  MUSTER_CHECK(spec.family == "llama" || spec.family == "gpt_neox");
  MUSTER_CHECK(spec.heads % spec.kv_heads == 0);
  MUSTER_CHECK(!spec.fused_qkv || spec.heads * spec.head_dim == spec.hidden);
  MUSTER_CHECK(spec.rotary_dims >= 2 && spec.rotary_dims % 2 == 0);
  MUSTER_CHECK(spec.rotary_dims <= spec.head_dim);
  MUSTER_CHECK(spec.norm_epsilon >= 0 && spec.norm_epsilon <= 1);
  MUSTER_CHECK(static_cast<long double>(spec.parameters()) == parameters(spec));
  const std::vector<float> frequencies = engine::rope_frequencies(spec);
  MUSTER_CHECK(frequencies.size() * 2 == static_cast<size_t>(spec.rotary_dims));
  for (const float frequency : frequencies) {
    MUSTER_CHECK(std::isfinite(frequency) && frequency >= 0);
  }
}

}  // namespace

void run(std::string_view input) {
  const auto config = parse_json(input, kMostBytes);
  if (!config) return;
  Result<DecoderSpec> spec;
  const size_t memory = peak_bytes([&] { spec = engine::decoder_spec_from(*config); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size());
  if (spec) return check_spec(*spec);
  const std::string& why = spec.error().message;
  MUSTER_CHECK(spec.error().code == Code::kDataLoss || spec.error().code == Code::kUnsupported);
  const bool names_it = why.starts_with("config.json: ") || why.ends_with(" must be a string");
  MUSTER_CHECK(names_it && why.find('\n') == std::string::npos);
}

std::vector<std::string> seeds() {
  return {
      R"({"model_type":"llama"})",
      R"({"model_type":"gpt_neox"})",
      R"({"model_type":"llama","hidden_size":576,"intermediate_size":1536,"num_hidden_layers":30,)"
      R"("num_attention_heads":9,"num_key_value_heads":3,"vocab_size":49152,"head_dim":64,)"
      R"("max_position_embeddings":8192,"rms_norm_eps":1e-05,"rope_theta":100000,)"
      R"("tie_word_embeddings":true,"bos_token_id":1,"eos_token_id":[2,3],"torch_dtype":"bfloat16"})",
      R"({"model_type":"llama","hidden_size":64,"num_attention_heads":4,"rope_theta":500000.0,)"
      R"("rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,)"
      R"("original_max_position_embeddings":8192,"rope_type":"llama3"}})",
      R"({"model_type":"llama","rope_scaling":{"type":"linear","factor":2},"head_dim":null})",
      R"({"model_type":"gpt_neox","hidden_size":128,"intermediate_size":512,"num_hidden_layers":6,)"
      R"("num_attention_heads":4,"vocab_size":50304,"rotary_pct":0.25,"rotary_emb_base":10000,)"
      R"("layer_norm_eps":1e-05,"use_parallel_residual":true,"attention_bias":true,)"
      R"("hidden_act":"gelu","rope_parameters":{"partial_rotary_factor":0.5,"rope_theta":1e4}})"};
}

std::vector<std::string> words() {
  std::vector<std::string> out;
  for (const char* key : {"model_type",
                          "hidden_size",
                          "intermediate_size",
                          "num_hidden_layers",
                          "num_attention_heads",
                          "num_key_value_heads",
                          "head_dim",
                          "vocab_size",
                          "max_position_embeddings",
                          "n_positions",
                          "rope_theta",
                          "rope_scaling",
                          "rope_parameters",
                          "rope_type",
                          "factor",
                          "low_freq_factor",
                          "high_freq_factor",
                          "original_max_position_embeddings",
                          "partial_rotary_factor",
                          "rotary_pct",
                          "rotary_emb_base",
                          "rms_norm_eps",
                          "layer_norm_eps",
                          "hidden_act",
                          "attention_bias",
                          "mlp_bias",
                          "tie_word_embeddings",
                          "quantization_config",
                          "eos_token_id"}) {
    out.push_back(",\"" + std::string(key) + "\":");
  }
  for (const char* value : {"\"llama3\"", "\"linear\"", "1e30", "1e-30", "1000000", "4096"}) {
    out.emplace_back(value);
  }
  return out;
}

}  // namespace muster::fuzz
