#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace muster::engine {

enum class Dtype { kFloat32, kFloat16, kBFloat16 };

// One tensor in a mapped file. Row-major, little-endian.
struct TensorView {
  Dtype dtype = Dtype::kFloat32;
  std::vector<int64_t> shape;
  std::string_view bytes;  // Valid as long as the Safetensors it came from.
  [[nodiscard]] int64_t elements() const;
};

// The weights of a Hugging Face model directory: model.safetensors, or the files that
// model.safetensors.index.json lists. Mapped, not read: processes share the pages.
class Safetensors {
 public:
  // kUnsupported for pickled weights (with the command that converts them) or a dtype that is not
  // a float; kDataLoss for a truncated or inconsistent file.
  static Result<Safetensors> open(const Path& directory);

  // nullptr when there is no such tensor.
  [[nodiscard]] const TensorView* find(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const { return tensors_; }

 private:
  Status add_file(const Path& path);

  std::vector<MappedFile> files_;
  std::map<std::string, TensorView> tensors_;
};

// One file's header read against its bytes: every tensor lies inside, has the size its shape says,
// and overlaps no other. Exposed for tests and fuzzing.
Result<std::map<std::string, TensorView>> read_safetensors(std::string_view bytes);

}  // namespace muster::engine
