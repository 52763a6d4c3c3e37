// Loading a Decoder: which tensor of the checkpoint is which weight.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>

#include "engine/model/decoder.h"

namespace muster::engine {
namespace {

std::string for_layer(const std::string& pattern, int64_t index) {
  std::string name = pattern;
  if (const size_t at = name.find("{}"); at != std::string::npos) {
    name.replace(at, 2, std::to_string(index));
  }
  return name;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

bool is_aligned(const void* data) {
  return reinterpret_cast<uintptr_t>(data) % alignof(float) == 0;
}

// A float32 tensor over the mapped bytes, or a widened copy when they are 16-bit or not aligned.
at::Tensor as_float32(const TensorView& view) {
  auto* bytes = const_cast<char*>(view.bytes.data());
  if (view.dtype == Dtype::kFloat32 && is_aligned(bytes)) {
    return at::from_blob(bytes, view.shape, at::kFloat);
  }
  const at::ScalarType type = view.dtype == Dtype::kFloat32   ? at::kFloat
                              : view.dtype == Dtype::kFloat16 ? at::kHalf
                                                              : at::kBFloat16;
  at::Tensor copy = at::empty(view.shape, type);
  std::memcpy(copy.mutable_data_ptr(), bytes, view.bytes.size());
  return copy.to(at::kFloat);
}

}  // namespace

// What the checkpoint calls a weight. As transformers reads it, the family's prefix may be missing
// or stand once more, and a head may have its older name; of several that are there the first in
// the order of names counts. Where none is there, the weight's own name.
std::string Decoder::stored_name(const std::string& name) const {
  std::vector<std::string> names = {name, names_.base + name};
  if (name.starts_with(names_.base)) names.push_back(name.substr(names_.base.size()));
  if (!names_.older_head.empty() && name == names_.head + ".weight") {
    names.push_back(names_.older_head + ".weight");
  }
  std::erase_if(names, [this](const std::string& one) { return weights_.find(one) == nullptr; });
  return names.empty() ? name : *std::min_element(names.begin(), names.end());
}

Result<at::Tensor> Decoder::tensor(const std::string& weight, const std::vector<int64_t>& shape) {
  const std::string name = stored_name(weight);
  const TensorView* view = weights_.find(name);
  if (view == nullptr) return fail(Code::kDataLoss, "the checkpoint has no tensor " + name);
  if (view->dtype == Dtype::kOther) {
    return fail(Code::kUnsupported,
                name + " is stored as " + view->type + "; this engine reads F32, F16 and BF16");
  }
  if (view->shape != shape) {
    return fail(Code::kDataLoss, name + " has shape " + shape_text(view->shape) +
                                     ", config.json asks for " + shape_text(shape));
  }
  used_.emplace(name, view);
  return as_float32(*view);
}

Digest Decoder::digest() const {
  const std::vector<std::pair<std::string, const TensorView*>> used(used_.begin(), used_.end());
  std::vector<Digest> digests(used.size());
  at::parallel_for(0, static_cast<int64_t>(used.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      digests[i] = sha256(used[i].second->bytes);
    }
  });
  Hasher all;
  for (size_t i = 0; i < used.size(); ++i) {
    const auto& [name, view] = used[i];
    all.add_field(name);
    all.add_field(view->type + shape_text(view->shape));
    all.add_field(digests[i].view());
  }
  return all.finish_sha256();
}

Status Decoder::load_linear(const std::string& name, int64_t out, int64_t in, bool bias,
                            Linear& linear) {
  MUSTER_TRY(linear.weight, tensor(name + ".weight", {out, in}));
  if (bias) {
    MUSTER_TRY(linear.bias, tensor(name + ".bias", {out}));
  }
  return {};
}

Status Decoder::load_norm(const std::string& name, NormWeights& norm) {
  MUSTER_TRY(norm.weight, tensor(name + ".weight", {spec_.hidden}));
  if (spec_.norm == Norm::kLayer) {
    MUSTER_TRY(norm.bias, tensor(name + ".bias", {spec_.hidden}));
  }
  return {};
}

Status Decoder::load_layer(int64_t index) {
  Layer layer;
  const int64_t h = spec_.hidden, q = spec_.heads * spec_.head_dim,
                kv = spec_.kv_heads * spec_.head_dim;
  const bool bias = spec_.attention_bias;
  auto name = [&](const std::string& pattern) { return for_layer(pattern, index); };
  MUSTER_TRY_STATUS(load_norm(name(names_.attention_norm), layer.attention_norm));
  MUSTER_TRY_STATUS(load_norm(name(names_.mlp_norm), layer.mlp_norm));
  if (spec_.fused_qkv) {
    MUSTER_TRY_STATUS(load_linear(name(names_.fused_qkv), 3 * q, h, bias, layer.fused_qkv));
  } else {
    MUSTER_TRY_STATUS(load_linear(name(names_.query), q, h, bias, layer.query));
    MUSTER_TRY_STATUS(load_linear(name(names_.key), kv, h, bias, layer.key));
    MUSTER_TRY_STATUS(load_linear(name(names_.value), kv, h, bias, layer.value));
  }
  MUSTER_TRY_STATUS(load_linear(name(names_.attention_out), h, q, bias, layer.attention_out));
  if (spec_.gated_mlp) {
    MUSTER_TRY_STATUS(load_linear(name(names_.gate), spec_.inner, h, spec_.mlp_bias, layer.gate));
  }
  MUSTER_TRY_STATUS(load_linear(name(names_.up), spec_.inner, h, spec_.mlp_bias, layer.up));
  MUSTER_TRY_STATUS(load_linear(name(names_.down), h, spec_.inner, spec_.mlp_bias, layer.down));
  layers_.push_back(std::move(layer));
  return {};
}

// As transformers ties: where the checkpoint has both tables each is used, whatever config.json
// says of them; where it has one, a tied model uses it for both.
Status Decoder::load_tables() {
  const std::vector<int64_t> table = {spec_.vocabulary, spec_.hidden};
  const std::string embedding = names_.embedding + ".weight", head = names_.head + ".weight";
  const bool has_embedding = weights_.find(stored_name(embedding)) != nullptr;
  const bool has_head = weights_.find(stored_name(head)) != nullptr;
  const bool tied = spec_.tied_head;
  MUSTER_TRY(embedding_, tensor(has_embedding || !tied || !has_head ? embedding : head, table));
  MUSTER_TRY(head_, tensor(has_head || !tied ? head : embedding, table));
  if (tied && has_embedding && has_head && !at::equal(embedding_, head_)) {
    notes_.push_back("config.json ties " + stored_name(head) + " to " + stored_name(embedding) +
                     ", but the checkpoint has another one: that one is used");
  }
  return {};
}

Status Decoder::load_weights() {
  names_ = spec_.family == "llama" ? llama_weight_names() : gpt_neox_weight_names();
  MUSTER_TRY_STATUS(load_tables());
  MUSTER_TRY_STATUS(load_norm(names_.final_norm, final_norm_));
  for (int64_t i = 0; i < spec_.layers; ++i) MUSTER_TRY_STATUS(load_layer(i));
  return {};
}

Result<Decoder> Decoder::load(const Path& directory) {
  Decoder decoder;
  MUSTER_TRY(decoder.spec_, read_decoder_spec(directory));
  MUSTER_TRY(decoder.weights_, Checkpoint::open(directory));
  if (auto loaded = decoder.load_weights(); !loaded) {
    return fail(loaded.error().in(directory.string()));
  }
  decoder.frequencies_ = rope_frequencies(decoder.spec_);
  return decoder;
}

}  // namespace muster::engine
