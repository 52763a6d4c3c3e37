#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace muster::engine {

enum class Dtype { kFloat32, kFloat16, kBFloat16, kOther };

// One tensor in a mapped file. Row-major, little-endian.
struct TensorView {
  Dtype dtype = Dtype::kOther;
  std::string type;  // As the file names it: "F32", "F8_E4M3".
  std::vector<int64_t> shape;
  std::string_view bytes;  // Valid as long as the file is mapped.
  [[nodiscard]] int64_t elements() const;
};

// The tensors of one file by its header, which is held against the file's bytes as the format asks:
// every tensor has the size that its type and shape say, they follow one another without a gap from
// the first byte to the last, and behind the header's JSON stand blanks only. kDataLoss names what
// is not so; kUnsupported a type that the format does not know.
Result<std::map<std::string, TensorView>> read_safetensors(std::string_view bytes);

}  // namespace muster::engine
