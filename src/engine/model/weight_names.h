#pragma once

#include <string>

namespace muster::engine {

// Where each family's checkpoint keeps what the decoder needs. "{}" stands for the layer's index;
// an empty name means the family has no such weight. Biases end in ".bias" instead of ".weight".
struct WeightNames {
  std::string base;  // Before all but the head.
  std::string embedding, final_norm, head;
  std::string older_head;  // What checkpoints before transformers 5 call it; empty: the same.
  std::string attention_norm, mlp_norm;
  std::string query, key, value, fused_qkv, attention_out;
  std::string gate, up, down;
};

inline WeightNames llama_weight_names() {
  const std::string layer = "model.layers.{}.";
  return {.base = "model.",
          .embedding = "model.embed_tokens",
          .final_norm = "model.norm",
          .head = "lm_head",
          .older_head = "",
          .attention_norm = layer + "input_layernorm",
          .mlp_norm = layer + "post_attention_layernorm",
          .query = layer + "self_attn.q_proj",
          .key = layer + "self_attn.k_proj",
          .value = layer + "self_attn.v_proj",
          .fused_qkv = "",
          .attention_out = layer + "self_attn.o_proj",
          .gate = layer + "mlp.gate_proj",
          .up = layer + "mlp.up_proj",
          .down = layer + "mlp.down_proj"};
}

inline WeightNames gpt_neox_weight_names() {
  const std::string layer = "gpt_neox.layers.{}.";
  return {.base = "gpt_neox.",
          .embedding = "gpt_neox.embed_in",
          .final_norm = "gpt_neox.final_layer_norm",
          .head = "lm_head",
          .older_head = "embed_out",
          .attention_norm = layer + "input_layernorm",
          .mlp_norm = layer + "post_attention_layernorm",
          .query = "",
          .key = "",
          .value = "",
          .fused_qkv = layer + "attention.query_key_value",
          .attention_out = layer + "attention.dense",
          .gate = "",
          .up = layer + "mlp.dense_h_to_4h",
          .down = layer + "mlp.dense_4h_to_h"};
}

}  // namespace muster::engine
