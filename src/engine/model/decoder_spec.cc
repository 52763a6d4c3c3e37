#include "engine/model/decoder_spec.h"

#include <algorithm>
#include <cmath>

#include "base/json_shape.h"

namespace muster::engine {
namespace {

constexpr size_t kMaxConfigBytes = 1 << 20;

// Ten times what the largest open models have, and less than what would let DecoderSpec::parameters
// go beyond 2^63.
constexpr int64_t kMostLayers = 1 << 12, kMostHidden = 1 << 18, kMostInner = 1 << 20;
constexpr int64_t kMostHeads = 1 << 12, kMostHeadDim = 1 << 12, kMostTokens = 1 << 24;
constexpr int64_t kMostPositions = int64_t{1} << 40;
constexpr double kMostTheta = 1e30, kMostFactor = 1e6, kLeast = 1e-30;
// An angle of 1e30, which kLeast as theta makes, is finite yet when it was divided by this.
constexpr double kLeastFactor = 1e-6;

Error unsupported(const std::string& field, const Json& value) {
  return {Code::kUnsupported,
          "config.json: " + field + " = " + value.dump() + " is not implemented by this engine"};
}

// A number within [least, most], which a computation can bear.
Result<double> number(const std::string& field, const Json& value, double least, double most) {
  const double read = value.is_number() ? value.get<double>() : NAN;
  if (!(read >= least && read <= most)) return fail(unsupported(field, value));
  return read;
}

// The fields of config.json by the types that transformers' classes give them. One that is absent
// has transformers' own default; null, a number in a string or 8.0 for 8 are refused, as there.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool has(const char* key) const { return !get_or_null(object_, key).is_null(); }

  Result<int64_t> whole(const char* key, int64_t otherwise, int64_t most) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    const double read = value->is_number_integer() ? value->get<double>() : NAN;
    const bool fits = read >= 1 && read <= static_cast<double>(most);
    if (!fits) return fail(unsupported(key, *value));
    return value->get<int64_t>();
  }
  // Null stands for the default, too.
  Result<int64_t> whole_or_null(const char* key, int64_t otherwise, int64_t most) const {
    return has(key) ? whole(key, otherwise, most) : otherwise;
  }
  Result<double> real(const char* key, double otherwise, double least, double most) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number_float()) return fail(unsupported(key, *value));
    return number(key, *value, least, most);
  }
  Result<bool> flag(const char* key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) return fail(unsupported(key, *value));
    return value->get<bool>();
  }
  Status must_be(const char* key, const char* word, const char* otherwise) const {
    const Json* value = find(key);
    const std::string text = value == nullptr     ? otherwise
                             : value->is_string() ? value->get<std::string>()
                                                  : "";
    if (text == word) return {};
    return fail(unsupported(key, value == nullptr ? Json(otherwise) : *value));
  }

 private:
  const Json& object_;
};

// Where config.json describes the rope, and what it says there.
struct RopeField {
  std::string name;
  Json values;

  // The name of a value, for whoever reads about it.
  [[nodiscard]] std::string at(const char* key) const { return name + "." + key; }
};

// rope_scaling of transformers 4, unless it is empty, else rope_parameters of transformers 5.
Result<RopeField> rope_field(const Json& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const Json& rope = get_or_null(config, key);
    if (rope.is_null() || (rope.is_structured() && rope.empty())) continue;
    if (!rope.is_object()) return fail(unsupported(key, rope));
    for (const auto& [name, value] : rope.items()) {  // By type of layer.
      if (value.is_structured()) return fail(unsupported(std::string(key) + "." + name, value));
    }
    return RopeField{key, rope};
  }
  return RopeField{"rope_parameters", Json::object()};
}

Status read_rope_scaling(const RopeField& rope, DecoderSpec& spec) {
  const Json& newer = get_or_null(rope.values, "rope_type");
  const Json& type = newer.is_null() ? get_or_null(rope.values, "type") : newer;
  if (type.is_null() || type == "default") return {};
  if (type != "linear" && type != "llama3") return fail(unsupported(rope.at("rope_type"), type));
  const auto read = [&](const char* key, double least, double most, double& value) -> Status {
    MUSTER_TRY(value, number(rope.at(key), get_or_null(rope.values, key), least, most));
    return {};
  };
  MUSTER_TRY_STATUS(read("factor", kLeastFactor, kMostFactor, spec.rope_factor));
  spec.rope_scaling = type == "linear" ? RopeScaling::kLinear : RopeScaling::kLlama3;
  if (type == "linear") return {};
  MUSTER_TRY_STATUS(read("low_freq_factor", kLeast, kMostFactor, spec.rope_low_freq_factor));
  MUSTER_TRY_STATUS(read("high_freq_factor", kLeast, kMostFactor, spec.rope_high_freq_factor));
  spec.rope_original_positions = static_cast<double>(spec.max_positions);
  if (Fields(rope.values).find("original_max_position_embeddings") != nullptr) {
    MUSTER_TRY_STATUS(read("original_max_position_embeddings", kLeast,
                           static_cast<double>(kMostPositions), spec.rope_original_positions));
  }
  if (spec.rope_high_freq_factor > spec.rope_low_freq_factor) return {};
  return fail(
      unsupported(rope.at("high_freq_factor"), get_or_null(rope.values, "high_freq_factor")));
}

// How a family names in config.json what its rope's own field does not say.
struct RopeNames {
  const char* theta;
  const char* share;  // Of a head's dimensions that turn.
};

// A number from the rope's own field, else from config.json, else `otherwise`.
Result<double> rope_number(const RopeField& rope, const char* key, const Json& config,
                           const char* outer, double otherwise, double least, double most) {
  if (const Json* value = Fields(rope.values).find(key); value != nullptr) {
    return number(rope.at(key), *value, least, most);
  }
  const Json* value = Fields(config).find(outer);
  return value != nullptr ? number(outer, *value, least, most) : otherwise;
}

Status read_rope(const Json& config, const RopeNames& names, double share, DecoderSpec& spec) {
  MUSTER_TRY(const RopeField rope, rope_field(config));
  MUSTER_TRY(spec.rope_theta,
             rope_number(rope, "rope_theta", config, names.theta, 10000, kLeast, kMostTheta));
  MUSTER_TRY_STATUS(read_rope_scaling(rope, spec));
  // Llama's own rope turns whole heads whatever it says; a scaled one would not fit its heads.
  const bool is_whole = spec.family == "llama";
  if (!is_whole || spec.rope_scaling != RopeScaling::kNone) {
    MUSTER_TRY(share, rope_number(rope, "partial_rotary_factor", config, names.share, share, 0, 1));
  }
  if (is_whole && share != 1) return fail(unsupported(names.share, Json(share)));
  spec.rotary_dims = static_cast<int64_t>(static_cast<double>(spec.head_dim) * share);
  if (spec.rotary_dims >= 2 && spec.rotary_dims % 2 == 0) return {};
  return fail(is_whole ? unsupported("head_dim", Json(spec.head_dim))
                       : unsupported(names.share, Json(share)));
}

bool is_share(const Json& value) { return value.is_number_float() && value >= 0.0 && value <= 1.0; }
bool is_token(const Json& value) { return value.is_number_integer(); }
bool is_token_or_null(const Json& value) { return value.is_null() || is_token(value); }
bool are_tokens(const Json& value) {
  if (!value.is_array()) return is_token_or_null(value);
  return std::all_of(value.begin(), value.end(), is_token);
}

// Fields on which no score depends. transformers' classes give them types all the same and refuse
// a file that has another one.
constexpr JsonType kToken{"a whole number or null", is_token_or_null};
constexpr JsonField kUnused[] = {
    {"use_cache", json_type::kFlag, false},
    {"initializer_range", {"a number from 0.0 to 1.0", is_share}, false},
    {"bos_token_id", kToken, false},
    {"eos_token_id", {"a whole number, a list of them, or null", are_tokens}, false},
    {"pad_token_id", kToken, false}};
constexpr JsonField kUnusedByLlama[] = {{"pretraining_tp", kToken, false},
                                        {"attention_dropout", json_type::kNumberOrNull, false}};
constexpr JsonField kUnusedByGptNeox[] = {{"attention_dropout", json_type::kNumber, false},
                                          {"hidden_dropout", json_type::kNumber, false},
                                          {"classifier_dropout", json_type::kNumber, false},
                                          {"is_decoder", json_type::kFlag, false}};

Status check_unused(const Json& config, bool llama) {
  MUSTER_TRY_STATUS(check_fields("", config, kUnused));
  return llama ? check_fields("", config, kUnusedByLlama)
               : check_fields("", config, kUnusedByGptNeox);
}

// What makes of a model another one than its family's class.
Status refuse_what_changes_all(const Json& config) {
  for (const char* key : {"quantization_config", "transformers_weights"}) {
    const Json& value = get_or_null(config, key);
    if (!value.is_null()) return fail(unsupported(key, value));
  }
  return {};
}

struct Sizes {
  int64_t hidden, inner, layers, heads, vocabulary;  // Where config.json names none.
};

Status read_sizes(const Fields& fields, const Sizes& defaults, DecoderSpec& spec) {
  MUSTER_TRY(spec.hidden, fields.whole("hidden_size", defaults.hidden, kMostHidden));
  MUSTER_TRY(spec.inner, fields.whole("intermediate_size", defaults.inner, kMostInner));
  MUSTER_TRY(spec.layers, fields.whole("num_hidden_layers", defaults.layers, kMostLayers));
  MUSTER_TRY(spec.heads, fields.whole("num_attention_heads", defaults.heads, kMostHeads));
  MUSTER_TRY(spec.vocabulary, fields.whole("vocab_size", defaults.vocabulary, kMostTokens));
  if (spec.hidden % spec.heads != 0) {
    return fail(unsupported("num_attention_heads", Json(spec.heads)));
  }
  spec.kv_heads = spec.heads;
  spec.head_dim = spec.hidden / spec.heads;
  // By the first of these that is there texts are cut; other families call it n_positions.
  for (const char* key : {"n_positions", "max_position_embeddings", "n_ctx"}) {
    MUSTER_TRY(spec.max_positions, fields.whole(key, 2048, kMostPositions));
    if (fields.find(key) != nullptr) break;
  }
  return {};
}

Status read_llama(const Json& config, DecoderSpec& spec) {
  const Fields fields(config);
  MUSTER_TRY_STATUS(read_sizes(fields, {4096, 11008, 32, 32, 32000}, spec));
  MUSTER_TRY(spec.kv_heads, fields.whole_or_null("num_key_value_heads", spec.heads, kMostHeads));
  if (spec.heads % spec.kv_heads != 0) {
    return fail(unsupported("num_key_value_heads", Json(spec.kv_heads)));
  }
  MUSTER_TRY(spec.head_dim, fields.whole_or_null("head_dim", spec.head_dim, kMostHeadDim));
  if (spec.head_dim > kMostHeadDim) return fail(unsupported("head_dim", Json(spec.head_dim)));
  MUSTER_TRY_STATUS(fields.must_be("hidden_act", "silu", "silu"));
  spec.norm = Norm::kRms;
  spec.gated_mlp = true;
  spec.activation = Activation::kSilu;
  MUSTER_TRY(spec.attention_bias, fields.flag("attention_bias", false));
  MUSTER_TRY(spec.mlp_bias, fields.flag("mlp_bias", false));
  MUSTER_TRY(spec.tied_head, fields.flag("tie_word_embeddings", false));
  MUSTER_TRY(spec.norm_epsilon, fields.real("rms_norm_eps", 1e-6, 0, 1));
  return read_rope(config, {"rope_theta", "partial_rotary_factor"}, 1.0, spec);
}

Status read_gpt_neox(const Json& config, DecoderSpec& spec) {
  const Fields fields(config);
  MUSTER_TRY_STATUS(read_sizes(fields, {6144, 24576, 44, 64, 50432}, spec));
  if (spec.head_dim > kMostHeadDim) return fail(unsupported("head_dim", Json(spec.head_dim)));
  // Its class knows no head_dim, but its rope would take one.
  MUSTER_TRY(const int64_t head_dim, fields.whole_or_null("head_dim", spec.head_dim, kMostHeadDim));
  if (head_dim != spec.head_dim) return fail(unsupported("head_dim", Json(head_dim)));
  MUSTER_TRY_STATUS(fields.must_be("hidden_act", "gelu", "gelu"));
  spec.norm = Norm::kLayer;
  spec.fused_qkv = true;
  spec.activation = Activation::kGelu;
  MUSTER_TRY(spec.attention_bias, fields.flag("attention_bias", true));
  spec.mlp_bias = true;
  MUSTER_TRY(spec.parallel_residual, fields.flag("use_parallel_residual", true));
  MUSTER_TRY(spec.tied_head, fields.flag("tie_word_embeddings", false));
  MUSTER_TRY(spec.norm_epsilon, fields.real("layer_norm_eps", 1e-5, 0, 1));
  return read_rope(config, {"rotary_emb_base", "rotary_pct"}, 0.25, spec);
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
  if (!config.is_object()) return fail(Code::kDataLoss, "config.json: it is no object");
  DecoderSpec spec;
  MUSTER_TRY(spec.family, get_string(config, "model_type"));
  const bool llama = spec.family == "llama";
  if (!llama && spec.family != "gpt_neox") {
    return fail(unsupported("model_type", get_or_null(config, "model_type")));
  }
  MUSTER_TRY_STATUS(refuse_what_changes_all(config));
  if (auto unused = check_unused(config, llama); !unused) {
    return fail(unused.error().in("config.json"));
  }
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
