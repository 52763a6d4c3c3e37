// A target under libFuzzer, which brings main(). Besides libFuzzer's own flags:
//   fuzz_NAME --seeds DIR    writes the seeds into DIR, and the words to DIR.dict
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "target.h"

namespace {

std::string quoted(const std::string& word) {
  std::string out = "\"";
  for (const unsigned char c : word) {
    char text[8];
    std::snprintf(text, sizeof text, "\\x%02X", c);
    out += text;
  }
  return out + "\"\n";
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const std::string& seed : muster::fuzz::seeds()) {
    const std::string name = muster::sha256(seed).hex().substr(0, 40);
    std::ofstream(folder / name, std::ios::binary) << seed;
  }
  std::ofstream words(folder.string() + ".dict");
  for (const std::string& word : muster::fuzz::words()) words << quoted(word);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view((*argv)[1]) == "--seeds") {
    write_seeds((*argv)[2]);
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  muster::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
