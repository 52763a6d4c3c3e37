#include "engine/weights/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/json.h"

namespace muster::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr size_t kMaxHeaderBytes = 100u << 20;  // The format's own bound.

struct TypeSize {
  const char* name;
  uint64_t bits;
};
// Of one element, for every type that the format knows.
constexpr TypeSize kTypes[] = {
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},
    {"I8", 8},      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E8M0", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},        {"BF16", 16},
    {"I32", 32},    {"U32", 32},    {"F32", 32},    {"C64", 64},        {"F64", 64},
    {"I64", 64},    {"U64", 64},
};

Dtype dtype_of(const std::string& type) {
  if (type == "F32") return Dtype::kFloat32;
  if (type == "F16") return Dtype::kFloat16;
  if (type == "BF16") return Dtype::kBFloat16;
  return Dtype::kOther;
}

// What a tensor takes up; kDataLoss where it is no number of bytes.
Result<uint64_t> bytes_of(const TensorView& tensor) {
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeSize& known) { return tensor.type == known.name; });
  if (type == std::end(kTypes)) {
    return fail(Code::kUnsupported, "its type " + tensor.type + " is none of safetensors'");
  }
  unsigned __int128 bits = type->bits;
  for (const int64_t size : tensor.shape) {
    bits *= static_cast<uint64_t>(size);
    if (bits > UINT64_MAX) return fail(Code::kDataLoss, "its shape is absurd");
  }
  if (bits % 8 != 0) return fail(Code::kDataLoss, "its shape makes no whole bytes");
  return static_cast<uint64_t>(bits / 8);
}

Result<std::vector<int64_t>> read_shape(const Json& list) {
  std::vector<int64_t> shape;
  if (!list.is_array()) return fail(Code::kDataLoss, "it has no shape");
  for (const Json& size : list) {
    const bool fits = size.is_number_unsigned() && size.get<uint64_t>() <= INT64_MAX;
    if (!fits) return fail(Code::kDataLoss, "a size of it is not a whole number");
    shape.push_back(size.get<int64_t>());
  }
  return shape;
}

Result<TensorView> read_entry(const Json& entry, std::string_view data) {
  TensorView tensor;
  MUSTER_TRY(tensor.type, get_string(entry, "dtype"));
  tensor.dtype = dtype_of(tensor.type);
  MUSTER_TRY(tensor.shape, read_shape(get_or_null(entry, "shape")));
  const Json& offsets = get_or_null(entry, "data_offsets");
  const bool pair = offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                    offsets[1].is_number_unsigned();
  if (!pair) return fail(Code::kDataLoss, "it has no data_offsets");
  const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > data.size()) {
    return fail(Code::kDataLoss, "its bytes end at " + std::to_string(end) + ", the file's at " +
                                     std::to_string(data.size()) +
                                     ": the file is truncated, fetch it again");
  }
  tensor.bytes = data.substr(begin, end - begin);
  MUSTER_TRY(const uint64_t needed, bytes_of(tensor));
  if (needed != end - begin) return fail(Code::kDataLoss, "its shape and data_offsets disagree");
  return tensor;
}

// From the first byte to the last: what no tensor covers could be anything, and what two cover is
// one of them wrongly.
Status check_coverage(const std::map<std::string, TensorView>& tensors, std::string_view data) {
  std::vector<std::pair<std::string_view, const std::string*>> ranges;
  for (const auto& [name, tensor] : tensors) ranges.emplace_back(tensor.bytes, &name);
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.data(), a.first.size()) < std::pair(b.first.data(), b.first.size());
  });
  const char* at = data.data();
  for (const auto& [bytes, name] : ranges) {
    if (bytes.data() != at) {
      const char* what = bytes.data() < at ? ": its bytes are another's, too"
                                           : ": before its bytes are some that no tensor has";
      return fail(Code::kDataLoss, *name + what);
    }
    at += bytes.size();
  }
  const auto rest = static_cast<size_t>(data.data() + data.size() - at);
  if (rest == 0) return {};
  return fail(Code::kDataLoss, "its last " + std::to_string(rest) + " bytes belong to no tensor");
}

Status check_metadata(const Json& header) {
  const Json& metadata = get_or_null(header, "__metadata__");
  const bool all_strings =
      metadata.is_null() ||
      (metadata.is_object() && std::all_of(metadata.begin(), metadata.end(),
                                           [](const Json& value) { return value.is_string(); }));
  if (all_strings) return {};
  return fail(Code::kDataLoss, "__metadata__ must be an object of strings");
}

}  // namespace

int64_t TensorView::elements() const {
  int64_t product = 1;
  for (int64_t size : shape) product *= size;
  return product;
}

Result<std::map<std::string, TensorView>> read_safetensors(std::string_view bytes) {
  if (bytes.size() < 8) return fail(Code::kDataLoss, "shorter than its own header");
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - 8) {
    return fail(Code::kDataLoss, "the header says " + std::to_string(header_bytes) +
                                     " bytes, the file has " + std::to_string(bytes.size()) +
                                     ": truncated or not safetensors");
  }
  const std::string_view text = bytes.substr(8, header_bytes),
                         data = bytes.substr(8 + header_bytes);
  MUSTER_TRY(const Json header, parse_json(text, kMaxHeaderBytes));
  if (!header.is_object()) return fail(Code::kDataLoss, "the header is no object");
  MUSTER_TRY_STATUS(check_metadata(header));
  std::map<std::string, TensorView> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    auto tensor = read_entry(entry, data);
    if (!tensor) return fail(tensor.error().in(name));
    tensors.emplace(name, *std::move(tensor));
  }
  MUSTER_TRY_STATUS(check_coverage(tensors, data));
  return tensors;
}

}  // namespace muster::engine
