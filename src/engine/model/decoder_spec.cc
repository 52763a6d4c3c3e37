#include "engine/model/decoder_spec.h"

#include <cmath>
#include <initializer_list>

namespace muster::engine {
namespace {

constexpr size_t kMaxConfigBytes = 1 << 20;

// Ten times what the largest open models have, and less than what would let DecoderSpec::parameters
// go beyond 2^63.
constexpr int64_t kMostLayers = 1 << 12, kMostHidden = 1 << 18, kMostInner = 1 << 20;
constexpr int64_t kMostHeads = 1 << 12, kMostHeadDim = 1 << 12, kMostTokens = 1 << 24;
constexpr int64_t kMostPositions = int64_t{1} << 40;
constexpr double kMostTheta = 1e30, kMostFactor = 1e6, kLeast = 1e-30;

Error unsupported(const std::string& field, const Json& value) {
  return {Code::kUnsupported,
          "config.json: " + field + " = " + value.dump() + " is not implemented by this engine"};
}

// The value of the first of `keys` that is there and not null.
const Json& first_of(const Json& config, std::initializer_list<const char*> keys) {
  static const Json kNull;
  for (const char* key : keys) {
    const Json& value = get_or_null(config, key);
    if (!value.is_null()) return value;
  }
  return kNull;
}

// A number within [least, most], which a computation can bear; `otherwise` where there is none.
Result<double> number_or(const std::string& field, const Json& value, double otherwise,
                         double least, double most) {
  if (value.is_null()) return otherwise;
  const double number = value.is_number() ? value.get<double>() : NAN;
  if (!(number >= least && number <= most)) return fail(unsupported(field, value));
  return number;
}

// The same, whole: 8 and 8.0.
Result<int64_t> whole_or(const std::string& field, const Json& value, int64_t otherwise,
                         int64_t most) {
  MUSTER_TRY(const double number,
             number_or(field, value, static_cast<double>(otherwise), 1, static_cast<double>(most)));
  if (number != std::floor(number)) return fail(unsupported(field, value));
  return static_cast<int64_t>(number);
}

bool bool_or(const Json& value, bool otherwise) {
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

Result<int64_t> size_field(const Json& config, const char* key, int64_t most) {
  MUSTER_TRY(int64_t value, get_int(config, key));
  if (value < 1 || value > most) {
    return fail(Code::kUnsupported, std::string("config.json: ") + key + " = " +
                                        std::to_string(value) + " is no size, at most " +
                                        std::to_string(most));
  }
  return value;
}

Status read_rope_scaling(const Json& scaling, DecoderSpec& spec) {
  const Json& type = first_of(scaling, {"rope_type", "type"});
  if (type.is_null() || type == "default") return {};
  MUSTER_TRY(spec.rope_factor, number_or("rope_scaling.factor", get_or_null(scaling, "factor"), 1,
                                         kLeast, kMostFactor));
  if (type == "linear") {
    spec.rope_scaling = RopeScaling::kLinear;
    return {};
  }
  if (type != "llama3") return fail(unsupported("rope_scaling.rope_type", type));
  spec.rope_scaling = RopeScaling::kLlama3;
  const auto read = [&](const char* key, double most, double& value) -> Status {
    MUSTER_TRY(value, get_number(scaling, key));
    if (value > 0 && value <= most) return {};
    return fail(unsupported(std::string("rope_scaling.") + key, get_or_null(scaling, key)));
  };
  MUSTER_TRY_STATUS(read("low_freq_factor", kMostFactor, spec.rope_low_freq_factor));
  MUSTER_TRY_STATUS(read("high_freq_factor", kMostFactor, spec.rope_high_freq_factor));
  MUSTER_TRY_STATUS(read("original_max_position_embeddings", static_cast<double>(kMostPositions),
                         spec.rope_original_positions));
  if (spec.rope_high_freq_factor > spec.rope_low_freq_factor) return {};
  return fail(
      unsupported("rope_scaling.high_freq_factor", get_or_null(scaling, "high_freq_factor")));
}

// rope_theta and rope_scaling of transformers 4, or rope_parameters of transformers 5.
Status read_rope(const Json& config, const char* theta_key, const char* share_key,
                 double default_share, DecoderSpec& spec) {
  const Json& parameters = get_or_null(config, "rope_parameters");
  const bool newer = parameters.is_object();
  const Json& scaling = newer ? parameters : get_or_null(config, "rope_scaling");
  const Json& theta =
      newer ? get_or_null(parameters, "rope_theta") : get_or_null(config, theta_key);
  const Json& in_parameters = get_or_null(parameters, "partial_rotary_factor");
  const Json& share = in_parameters.is_null() ? get_or_null(config, share_key) : in_parameters;
  MUSTER_TRY(spec.rope_theta, number_or(theta_key, theta, 10000, kLeast, kMostTheta));
  MUSTER_TRY(const double part, number_or(share_key, share, default_share, 0, 1));
  spec.rotary_dims = static_cast<int64_t>(static_cast<double>(spec.head_dim) * part);
  const bool usable = spec.rotary_dims >= 2 && spec.rotary_dims % 2 == 0;
  if (!usable) return fail(unsupported(share_key, share));
  return read_rope_scaling(scaling, spec);
}

Status read_common(const Json& config, DecoderSpec& spec) {
  if (const Json& q = get_or_null(config, "quantization_config"); !q.is_null()) {
    return fail(unsupported("quantization_config", q));
  }
  MUSTER_TRY(spec.hidden, size_field(config, "hidden_size", kMostHidden));
  MUSTER_TRY(spec.inner, size_field(config, "intermediate_size", kMostInner));
  MUSTER_TRY(spec.layers, size_field(config, "num_hidden_layers", kMostLayers));
  MUSTER_TRY(spec.heads, size_field(config, "num_attention_heads", kMostHeads));
  MUSTER_TRY(spec.vocabulary, size_field(config, "vocab_size", kMostTokens));
  const Json& kv_heads = get_or_null(config, "num_key_value_heads");
  const Json& head_dim = get_or_null(config, "head_dim");
  MUSTER_TRY(spec.kv_heads, whole_or("num_key_value_heads", kv_heads, spec.heads, kMostHeads));
  if (spec.heads % spec.kv_heads != 0) return fail(unsupported("num_key_value_heads", kv_heads));
  MUSTER_TRY(spec.head_dim, whole_or("head_dim", head_dim, spec.hidden / spec.heads, kMostHeadDim));
  if (spec.head_dim < 1 || spec.head_dim > kMostHeadDim) {
    return fail(unsupported("head_dim", head_dim));  // By hidden_size / num_attention_heads.
  }
  const Json& positions = first_of(config, {"n_positions", "max_position_embeddings", "n_ctx"});
  MUSTER_TRY(spec.max_positions, whole_or("max_position_embeddings", positions, 0, kMostPositions));
  return {};
}

Status read_norm_epsilon(const Json& config, const char* key, DecoderSpec& spec) {
  MUSTER_TRY(spec.norm_epsilon, get_number(config, key));
  if (spec.norm_epsilon >= 0 && spec.norm_epsilon <= 1) return {};
  return fail(unsupported(key, get_or_null(config, key)));
}

Status read_llama(const Json& config, DecoderSpec& spec) {
  const Json& activation = get_or_null(config, "hidden_act");
  if (activation != "silu") return fail(unsupported("hidden_act", activation));
  spec.norm = Norm::kRms;
  spec.gated_mlp = true;
  spec.activation = Activation::kSilu;
  spec.attention_bias = bool_or(get_or_null(config, "attention_bias"), false);
  spec.mlp_bias = bool_or(get_or_null(config, "mlp_bias"), false);
  spec.tied_head = bool_or(get_or_null(config, "tie_word_embeddings"), false);
  MUSTER_TRY_STATUS(read_norm_epsilon(config, "rms_norm_eps", spec));
  return read_rope(config, "rope_theta", "partial_rotary_factor", 1.0, spec);
}

Status read_gpt_neox(const Json& config, DecoderSpec& spec) {
  const Json& activation = get_or_null(config, "hidden_act");
  if (activation != "gelu") return fail(unsupported("hidden_act", activation));
  spec.norm = Norm::kLayer;
  spec.fused_qkv = true;
  spec.activation = Activation::kGelu;
  spec.attention_bias = bool_or(get_or_null(config, "attention_bias"), true);
  spec.mlp_bias = true;
  spec.parallel_residual = bool_or(get_or_null(config, "use_parallel_residual"), true);
  spec.tied_head = bool_or(get_or_null(config, "tie_word_embeddings"), false);
  MUSTER_TRY_STATUS(read_norm_epsilon(config, "layer_norm_eps", spec));
  return read_rope(config, "rotary_emb_base", "rotary_pct", 0.25, spec);
}

}  // namespace

int64_t DecoderSpec::parameters() const {
  const int64_t kv = kv_heads * head_dim, q = heads * head_dim;
  const int64_t attention = hidden * (2 * q + 2 * kv) + (attention_bias ? q + 2 * kv + hidden : 0);
  const int64_t mlp = (gated_mlp ? 3 : 2) * hidden * inner + (mlp_bias ? inner + hidden : 0);
  const int64_t norm_size = norm == Norm::kLayer ? 2 * hidden : hidden;
  const int64_t embeddings = hidden * vocabulary * (tied_head ? 1 : 2);
  return layers * (attention + mlp + 2 * norm_size) + norm_size + embeddings;
}

Result<DecoderSpec> decoder_spec_from(const Json& config) {
  DecoderSpec spec;
  MUSTER_TRY(spec.family, get_string(config, "model_type"));
  const bool llama = spec.family == "llama";
  if (!llama && spec.family != "gpt_neox") {
    return fail(unsupported("model_type", get_or_null(config, "model_type")));
  }
  MUSTER_TRY_STATUS(read_common(config, spec));
  MUSTER_TRY_STATUS(llama ? read_llama(config, spec) : read_gpt_neox(config, spec));
  return spec;
}

Result<DecoderSpec> read_decoder_spec(const Path& directory) {
  const Path path = directory / "config.json";
  auto text = read_file(path, kMaxConfigBytes);
  if (!text && text.error().code == Code::kNotFound) {
    return fail(Code::kNotFound,
                path.string() + ": no such file; a model is a directory with config.json");
  }
  if (!text) return fail(text.error());
  auto config = parse_json(*text, kMaxConfigBytes);
  if (!config) return fail(config.error().in(path.string()));
  auto spec = decoder_spec_from(*config);
  if (!spec) return fail(spec.error().in(directory.string()));
  return spec;
}

std::vector<float> rope_frequencies(const DecoderSpec& spec) {
  std::vector<float> frequencies;
  const auto dims = static_cast<float>(spec.rotary_dims);
  for (int64_t i = 0; i < spec.rotary_dims; i += 2) {
    const float power = static_cast<float>(i) / dims;
    float frequency = 1.0f / std::pow(static_cast<float>(spec.rope_theta), power);
    if (spec.rope_scaling == RopeScaling::kLinear) {
      frequency /= static_cast<float>(spec.rope_factor);
    } else if (spec.rope_scaling == RopeScaling::kLlama3) {
      // Llama 3.1: long waves are stretched, short ones kept, those between blended.
      const double wavelength = 2 * M_PI / frequency;
      const double turns = spec.rope_original_positions / wavelength;
      const double keep = (turns - spec.rope_low_freq_factor) /
                          (spec.rope_high_freq_factor - spec.rope_low_freq_factor);
      const double share = keep < 0 ? 0 : keep > 1 ? 1 : keep;
      frequency =
          static_cast<float>((1 - share) * frequency / spec.rope_factor + share * frequency);
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

}  // namespace muster::engine
