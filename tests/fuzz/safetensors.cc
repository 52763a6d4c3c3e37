// The header of a safetensors file (engine/weights/safetensors.h). Of a file that is let in, the
// tensors lie behind the header one after another and are all that is there; each has the bytes
// that its shape and type make, computed here in another way; one byte more or less and the file is
// refused. Reading takes at most 64 KiB and 100 bytes a byte of the header, whatever it says.
//
// The first byte of an input says whether the rest is a file, or two bytes of size of the data and
// a header that gets its length here: few mutations of a whole file leave the length right.
#include "engine/weights/safetensors.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/json.h"
#include "input.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using engine::TensorView;

constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 100;

std::string file_of(std::string_view header, size_t data_bytes) {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes.append(header).append(data_bytes, 'x');
}

// By the digits of its name: "F8_E4M3", "BF16", "I64".
uint64_t bits_of(const std::string& type) {
  if (type == "BOOL") return 8;
  const size_t digit = type.find_first_of("0123456789");
  return std::strtoull(type.c_str() + digit, nullptr, 10);
}

void check_tensor(const TensorView& tensor) {
  long double bits = static_cast<long double>(bits_of(tensor.type));
  for (const int64_t size : tensor.shape) {
    MUSTER_CHECK(size >= 0);
    bits *= static_cast<long double>(size);
  }
  MUSTER_CHECK(bits == static_cast<long double>(tensor.bytes.size()) * 8);
  MUSTER_CHECK(static_cast<long double>(tensor.elements()) * bits_of(tensor.type) == bits);
  MUSTER_CHECK((tensor.dtype == engine::Dtype::kFloat32) == (tensor.type == "F32"));
}

void check_file(std::string_view file, const std::map<std::string, TensorView>& tensors) {
  uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  std::vector<std::string_view> ranges;
  for (const auto& [name, tensor] : tensors) {
    check_tensor(tensor);
    ranges.push_back(tensor.bytes);
  }
  std::sort(ranges.begin(), ranges.end(), [](std::string_view a, std::string_view b) {
    return std::pair(a.data(), a.size()) < std::pair(b.data(), b.size());
  });
  const char* at = file.data() + 8 + header;
  for (const std::string_view range : ranges) {
    MUSTER_CHECK(range.data() == at);
    at += range.size();
  }
  MUSTER_CHECK(at == file.data() + file.size());
  MUSTER_CHECK(!engine::read_safetensors(file.substr(0, file.size() - 1)));
  MUSTER_CHECK(!engine::read_safetensors(std::string(file) + "x"));
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  std::string file;
  if (in.below(2) == 0) {
    file = in.rest();
  } else {
    const size_t data_bytes = size_t{in.byte()} << 8 | in.byte();
    file = file_of(in.rest(), data_bytes);
  }
  Result<std::map<std::string, TensorView>> tensors;
  const size_t memory = peak_bytes([&] { tensors = engine::read_safetensors(file); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size());
  if (tensors) return check_file(file, *tensors);
  const Code code = tensors.error().code;
  MUSTER_CHECK(code == Code::kDataLoss || code == Code::kUnsupported);
}

std::vector<std::string> seeds() {
  const std::pair<std::string, size_t> headers[] = {
      {"{}", 0},
      {R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24},
      {R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[4],"data_offsets":[8,16]},)"
       R"("a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}   )",
       16},
      {R"({"e":{"dtype":"F8_E4M3","shape":[0,9],"data_offsets":[4,4]},)"
       R"("f":{"dtype":"F4","shape":[2,4],"data_offsets":[0,4]}})",
       4},
      {R"({"f":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})", 3},
      {R"({"h":{"dtype":"F16","shape":[300],"data_offsets":[0,600]}})", 600},
      {R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8}};
  std::vector<std::string> out;
  for (const auto& [header, bytes] : headers) {
    out.push_back(std::string(1, '\0') + file_of(header, bytes));
    out.push_back(std::string({'\1', static_cast<char>(bytes >> 8), static_cast<char>(bytes)}) +
                  header);
  }
  return out;
}

std::vector<std::string> words() {
  return {
      "\"dtype\":", "\"shape\":[", "\"data_offsets\":[", "\"F32\"", "\"F4\"", "\"F64\"", "\"BOOL\"",
      "0,",         "[0,0]",       "4611686018427387904"};
}

}  // namespace muster::fuzz
