// Kernels against the plain way of writing them, the tree against the sequences it was made of, and
// configurations that must be refused by name.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"
#include "engine/model/decoder_spec.h"
#include "engine/model/kernels.h"
#include "engine/model/token_tree.h"

namespace muster::engine {
namespace {

std::vector<float> random_row(Rng& rng, int64_t size, float scale) {
  std::vector<float> row(static_cast<size_t>(size));
  for (float& x : row) x = scale * (static_cast<float>(rng.below(2'000'001)) / 1e6f - 1.0f);
  return row;
}

TEST(Kernels, SoftmaxAndLogSumExpEqualTheDefinition) {
  Rng rng(1);
  for (int64_t size : {1, 2, 15, 16, 17, 100, 4097}) {
    std::vector<float> row = random_row(rng, size, 20);
    double sum = 0;
    for (float x : row) sum += std::exp(static_cast<double>(x));
    const LogSumExp lse = log_sum_exp(row.data(), size);
    EXPECT_NEAR(lse.value, std::log(sum), 1e-5 * (1 + std::fabs(std::log(sum))));
    std::vector<float> sorted = row;
    std::sort(sorted.rbegin(), sorted.rend());
    EXPECT_EQ(lse.top, sorted[0]);
    EXPECT_EQ(row[static_cast<size_t>(lse.top_index)], sorted[0]);
    EXPECT_EQ(lse.second, size > 1 ? sorted[1] : -INFINITY);
    std::vector<float> probabilities = row;
    softmax(probabilities.data(), 0.5f, size);
    double half = 0;
    for (float x : row) half += std::exp(0.5 * x);
    for (size_t i = 0; i < row.size(); ++i) {
      EXPECT_NEAR(probabilities[i], std::exp(0.5 * row[i]) / half, 1e-6);
    }
  }
}

TEST(Kernels, ALogSumExpTieGoesToTheLowestIndex) {
  std::vector<float> row(40, 1.0f);
  row[20] = row[33] = 3.0f;
  const LogSumExp lse = log_sum_exp(row.data(), 40);
  EXPECT_EQ(lse.top_index, 20);
  EXPECT_EQ(lse.second, 3.0f);
}

TEST(Kernels, ActivationsAndNormsEqualTheDefinition) {
  Rng rng(2);
  for (int64_t size : {1, 16, 33, 576}) {
    const auto x = random_row(rng, size, 6), up = random_row(rng, size, 2);
    const auto weight = random_row(rng, size, 1), bias = random_row(rng, size, 1);
    auto gate = x, smooth = x;
    std::vector<float> rms(x.size()), layer(x.size());
    silu_times(gate.data(), up.data(), size);
    gelu(smooth.data(), size);
    rms_norm(x.data(), weight.data(), 1e-5f, size, rms.data());
    layer_norm(x.data(), weight.data(), bias.data(), 1e-5f, size, layer.data());
    double squares = 0, mean = 0, variance = 0;
    for (float v : x) squares += static_cast<double>(v) * v, mean += v;
    mean /= static_cast<double>(size);
    for (float v : x) variance += (v - mean) * (v - mean);
    for (size_t i = 0; i < x.size(); ++i) {
      const double v = x[i];
      EXPECT_NEAR(gate[i], v / (1 + std::exp(-v)) * up[i], 1e-5);
      EXPECT_NEAR(smooth[i], 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))), 2e-6);
      EXPECT_NEAR(rms[i], v / std::sqrt(squares / static_cast<double>(size) + 1e-5) * weight[i],
                  1e-5);
      EXPECT_NEAR(
          layer[i],
          (v - mean) / std::sqrt(variance / static_cast<double>(size) + 1e-5) * weight[i] + bias[i],
          1e-4);
    }
  }
}

// Every position of every sequence must see exactly its own prefix.
TEST(TokenTree, EveryRowSeesItsOwnPrefixAndNothingElse) {
  Rng rng(3);
  for (int round = 0; round < 100; ++round) {
    TokenTree tree;
    std::vector<std::vector<TokenId>> sequences;
    for (uint64_t n = 1 + rng.below(6); n > 0; --n) {
      std::vector<TokenId> tokens;
      for (uint64_t k = 1 + rng.below(8); k > 0; --k)
        tokens.push_back(static_cast<TokenId>(rng.below(2)));
      EXPECT_EQ(tree.add(tokens), static_cast<int64_t>(sequences.size()));
      sequences.push_back(tokens);
    }
    tree.finish();
    for (size_t s = 0; s < sequences.size(); ++s) {
      for (size_t p = 0; p < sequences[s].size(); ++p) {
        const int64_t row = tree.row_of(static_cast<int64_t>(s), static_cast<int64_t>(p));
        int64_t segment = 0;
        while (tree.segments()[static_cast<size_t>(segment)].end <= row) ++segment;
        std::vector<TokenId> seen;
        for (int64_t end = row + 1; segment >= 0;) {
          const auto& chain = tree.segments()[static_cast<size_t>(segment)];
          for (int64_t r = end - 1; r >= chain.begin; --r)
            seen.push_back(tree.tokens()[static_cast<size_t>(r)]);
          segment = chain.parent;
          if (segment >= 0) end = tree.segments()[static_cast<size_t>(segment)].end;
        }
        std::reverse(seen.begin(), seen.end());
        EXPECT_EQ(seen, std::vector<TokenId>(sequences[s].begin(),
                                             sequences[s].begin() + static_cast<ptrdiff_t>(p) + 1));
        EXPECT_EQ(tree.positions()[static_cast<size_t>(row)], static_cast<int64_t>(p));
      }
    }
  }
}

TEST(TokenTree, SharedBeginningsAreOneRow) {
  TokenTree tree;
  tree.add(std::vector<TokenId>{1, 2, 3});
  tree.add(std::vector<TokenId>{1, 2, 4});
  tree.add(std::vector<TokenId>{1, 2});
  tree.finish();
  EXPECT_EQ(tree.rows(), 4);
}

struct BadConfig {
  const char* text;
  const char* names;
};

TEST(DecoderSpec, NamesTheFieldItDoesNotKnow) {
  const std::string good =
      R"("model_type":"llama","hidden_act":"silu","hidden_size":64,"intermediate_size":128,)"
      R"("num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,"rms_norm_eps":1e-5)";
  ASSERT_TRUE(decoder_spec_from(*parse_json("{" + good + "}", 1000)));
  const BadConfig cases[] = {
      {R"({"model_type":"mamba"})", "model_type"},
      {R"("rope_theta":"500000")", "rope_theta"},
      {R"("attention_bias":"false")", "attention_bias"},
      {R"("tie_word_embeddings":null)", "tie_word_embeddings"},
      {R"("max_position_embeddings":2048.0)", "max_position_embeddings"},
      {R"("transformers_weights":"other.safetensors")", "transformers_weights"},
      {R"("rope_parameters":{"full_attention":{"rope_theta":5000.0}})", "full_attention"},
      {R"("rope_scaling":{"rope_type":"linear","factor":2.0},"partial_rotary_factor":0.5)",
       "partial_rotary_factor"},
      {R"("rope_scaling":{"rope_type":"yarn","factor":2})", "rope_scaling.rope_type"},
      {R"("num_key_value_heads":3)", "num_key_value_heads"},
      {R"("quantization_config":{"bits":4})", "quantization_config"},
  };
  for (const BadConfig& c : cases) {
    const std::string text = c.text[0] == '{' ? c.text : "{" + good + "," + c.text + "}";
    const auto spec = decoder_spec_from(*parse_json(text, 1000));
    ASSERT_FALSE(spec) << text;
    EXPECT_NE(spec.error().message.find(c.names), std::string::npos) << spec.error().message;
  }
}

// Each of these was once cast to a whole number that cannot hold it, or overflowed on the way.
TEST(DecoderSpec, RefusesNumbersThatNoModelHasByTheirField) {
  const char* fields[] = {"hidden_size",         "intermediate_size",
                          "num_hidden_layers",   "num_attention_heads",
                          "num_key_value_heads", "head_dim",
                          "vocab_size",          "rope_theta",
                          "rms_norm_eps",        "max_position_embeddings"};
  const Json good{{"model_type", "llama"},    {"hidden_act", "silu"},
                  {"hidden_size", 64},        {"intermediate_size", 128},
                  {"num_hidden_layers", 2},   {"num_attention_heads", 4},
                  {"vocab_size", 100},        {"rms_norm_eps", 1e-5},
                  {"num_key_value_heads", 2}, {"partial_rotary_factor", 0.5}};
  ASSERT_TRUE(decoder_spec_from(good));
  EXPECT_EQ(decoder_spec_from(good)->kv_heads, 2);
  for (const char* field : fields) {
    for (const Json& value : {Json(2e20), Json(-1), Json(1e308), Json(-1e308), Json(NAN),
                              Json(INFINITY), Json(UINT64_MAX), Json("NaN"), Json::array()}) {
      Json config = good;
      config[field] = value;
      const bool fits = std::string(field) == "rope_theta" && value.is_number() &&
                        value.get<double>() >= 1 && value.get<double>() < 1e30;
      if (fits) continue;
      const auto spec = decoder_spec_from(config);
      ASSERT_FALSE(spec) << field << " " << value;
      EXPECT_EQ(spec.error().code, Code::kUnsupported);
      EXPECT_NE(spec.error().message.find(field), std::string::npos) << spec.error().message;
    }
  }
}

TEST(DecoderSpec, RefusesARopeScalingThatDividesByNothing) {
  Json config = *parse_json(
      R"({"model_type":"llama","hidden_act":"silu","hidden_size":64,"intermediate_size":128,
          "num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,"rms_norm_eps":1e-5,
          "rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,
                          "high_freq_factor":4,"original_max_position_embeddings":8192}})",
      1000);
  ASSERT_TRUE(decoder_spec_from(config));
  for (const char* field :
       {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    for (const double value : {0.0, -1.0, 1e308, static_cast<double>(NAN)}) {
      Json odd = config;
      odd["rope_scaling"][field] = value;
      const auto spec = decoder_spec_from(odd);
      ASSERT_FALSE(spec) << field << " " << value;
      EXPECT_NE(spec.error().message.find(field), std::string::npos) << spec.error().message;
    }
  }
  config["rope_scaling"]["high_freq_factor"] = 1;
  EXPECT_FALSE(decoder_spec_from(config));
}

// Its angles were infinite, and every score would have been NaN.
TEST(DecoderSpec, RefusesARopeWithoutFiniteAngles) {
  Json config{{"model_type", "llama"},
              {"rope_theta", 1e-30},
              {"rope_scaling", {{"type", "linear"}, {"factor", 1e-6}}}};
  const auto spec = decoder_spec_from(config);
  ASSERT_TRUE(spec) << spec.error().message;
  for (const float frequency : rope_frequencies(*spec)) EXPECT_TRUE(std::isfinite(frequency));
  config["rope_scaling"]["factor"] = 1e-30;
  const auto refused = decoder_spec_from(config);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("rope_scaling.factor"), std::string::npos);
}

TEST(DecoderSpec, CountsTheParametersOfTheLargestModelItReads) {
  const Json largest{{"model_type", "llama"},        {"hidden_act", "silu"},
                     {"hidden_size", 1 << 18},       {"intermediate_size", 1 << 20},
                     {"num_hidden_layers", 1 << 12}, {"num_attention_heads", 1 << 12},
                     {"head_dim", 1 << 12},          {"vocab_size", 1 << 24},
                     {"attention_bias", true},       {"mlp_bias", true},
                     {"rms_norm_eps", 1e-5}};
  const auto spec = decoder_spec_from(largest);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_GT(spec->parameters(), int64_t{1} << 55);
}

}  // namespace
}  // namespace muster::engine
