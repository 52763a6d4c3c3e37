#include "engine/weights/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>

#include "base/json.h"

namespace muster::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr size_t kMaxHeaderBytes = 100u << 20;  // The format's own bound.
constexpr int64_t kMaxElements = int64_t{1} << 40;

std::optional<Dtype> dtype_of(const std::string& name) {
  if (name == "F32") return Dtype::kFloat32;
  if (name == "F16") return Dtype::kFloat16;
  if (name == "BF16") return Dtype::kBFloat16;
  return std::nullopt;
}

uint64_t bytes_per_element(Dtype dtype) { return dtype == Dtype::kFloat32 ? 4 : 2; }

Result<std::vector<int64_t>> read_shape(const Json& list) {
  std::vector<int64_t> shape;
  if (!list.is_array() || list.size() > 8) return fail(Code::kDataLoss, "no shape");
  int64_t elements = 1;
  for (const Json& size : list) {
    if (!size.is_number_unsigned()) return fail(Code::kDataLoss, "a size is not a whole number");
    const auto n = size.get<uint64_t>();
    if (n > static_cast<uint64_t>(kMaxElements)) return fail(Code::kDataLoss, "a size is absurd");
    shape.push_back(static_cast<int64_t>(n));
    if (n != 0 && elements > kMaxElements / static_cast<int64_t>(n)) {
      return fail(Code::kDataLoss, "the shape is absurd");
    }
    elements *= static_cast<int64_t>(n);
  }
  return shape;
}

Result<TensorView> read_entry(const Json& entry, std::string_view data) {
  TensorView tensor;
  MUSTER_TRY(auto dtype_name, get_string(entry, "dtype"));
  const auto dtype = dtype_of(dtype_name);
  MUSTER_TRY(tensor.shape, read_shape(get_or_null(entry, "shape")));
  const Json& offsets = get_or_null(entry, "data_offsets");
  const bool pair = offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                    offsets[1].is_number_unsigned();
  if (!pair) return fail(Code::kDataLoss, "no data_offsets");
  const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > data.size()) {
    return fail(Code::kDataLoss, "its bytes end at " + std::to_string(end) + ", the file's at " +
                                     std::to_string(data.size()) +
                                     ": the file is truncated, fetch it again");
  }
  tensor.bytes = data.substr(begin, end - begin);
  if (!dtype) {
    // Buffers such as old attention masks are not floats; only a use of them would be an error.
    tensor.shape.clear();
    return tensor;
  }
  tensor.dtype = *dtype;
  const auto needed = static_cast<uint64_t>(tensor.elements()) * bytes_per_element(*dtype);
  if (needed != end - begin) return fail(Code::kDataLoss, "shape and data_offsets disagree");
  return tensor;
}

Status check_no_overlap(const std::map<std::string, TensorView>& tensors) {
  std::vector<std::string_view> ranges;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.bytes.empty()) ranges.push_back(tensor.bytes);
  }
  std::sort(ranges.begin(), ranges.end(),
            [](auto a, auto b) { return std::less<>()(a.data(), b.data()); });
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].data() + ranges[i - 1].size() > ranges[i].data()) {
      return fail(Code::kDataLoss, "two tensors overlap");
    }
  }
  return {};
}

// The files that hold the weights, by the index when there is one.
Result<std::set<std::string>> weight_files(const Path& directory) {
  const Path index = directory / "model.safetensors.index.json";
  auto text = read_file(index, kMaxHeaderBytes);
  if (!text && text.error().code == Code::kNotFound) {
    return std::set<std::string>{"model.safetensors"};
  }
  if (!text) return fail(text.error());
  auto parsed = parse_json(*text, kMaxHeaderBytes);
  if (!parsed) return fail(parsed.error().in(index.string()));
  std::set<std::string> files;
  for (const auto& [name, file] : get_or_null(*parsed, "weight_map").items()) {
    const std::string text_name = file.is_string() ? file.get<std::string>() : "";
    if (text_name.empty() || text_name.find('/') != std::string::npos) {
      return fail(Code::kDataLoss, index.string() + ": weight_map must name files beside it");
    }
    files.insert(text_name);
  }
  if (files.empty()) return fail(Code::kDataLoss, index.string() + ": weight_map is empty");
  return files;
}

Status refuse_pickle(const Path& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool pickle = name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth");
    if (!pickle || name == "training_args.bin") continue;
    return fail(Code::kUnsupported,
                entry->path().string() +
                    ": pickled weights can run code and are not read. Convert them once: python -c "
                    "\"from transformers import AutoModelForCausalLM as M; "
                    "M.from_pretrained('DIR').save_pretrained('DIR', safe_serialization=True)\"");
  }
  return {};
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
  MUSTER_TRY(const Json header, parse_json(bytes.substr(8, header_bytes), kMaxHeaderBytes));
  if (!header.is_object()) return fail(Code::kDataLoss, "the header is no object");
  std::map<std::string, TensorView> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    auto tensor = read_entry(entry, bytes.substr(8 + header_bytes));
    if (!tensor) return fail(tensor.error().in(name));
    tensors.emplace(name, *std::move(tensor));
  }
  MUSTER_TRY_STATUS(check_no_overlap(tensors));
  return tensors;
}

Status Safetensors::add_file(const Path& path) {
  MUSTER_TRY(auto file, MappedFile::open(path));
  auto tensors = read_safetensors(file.bytes());
  if (!tensors) return fail(tensors.error().in(path.string()));
  tensors_.merge(*tensors);
  files_.push_back(std::move(file));
  return {};
}

Result<Safetensors> Safetensors::open(const Path& directory) {
  MUSTER_TRY(const auto names, weight_files(directory));
  Safetensors weights;
  for (const std::string& name : names) {
    const Path path = directory / name;
    auto added = weights.add_file(path);
    if (!added && added.error().code == Code::kNotFound) {
      MUSTER_TRY_STATUS(refuse_pickle(directory));
      return fail(Code::kNotFound, path.string() + ": no such file; a model needs safetensors");
    }
    if (!added) return fail(added.error());
  }
  return weights;
}

const TensorView* Safetensors::find(const std::string& name) const {
  auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace muster::engine
