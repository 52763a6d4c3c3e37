#include "host/model_directory.h"

#include <algorithm>

#include "base/digest.h"

namespace muster::host {

bool is_model_file(const std::string& name) {
  static const std::vector<std::string> exact = {
      "config.json",       "tokenizer.json",          "tokenizer_config.json",
      "added_tokens.json", "special_tokens_map.json", kWeightsIndex};
  return name.ends_with(".safetensors") ||
         std::find(exact.begin(), exact.end(), name) != exact.end();
}

Result<std::vector<Path>> model_files(const Path& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory / "config.json", error)) {
    return fail(Code::kNotFound, (directory / "config.json").string() +
                                     ": no such file; a model is a directory with config.json, "
                                     "tokenizer.json and safetensors");
  }
  std::vector<Path> files;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (is_model_file(entry->path().filename().string())) files.push_back(entry->path());
  }
  if (error) return fail(Code::kDisk, directory.string() + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

Result<pb::ModelPin> pin_directory(const Path& directory) {
  MUSTER_TRY(const auto files, model_files(directory));
  Hasher all;
  uint64_t bytes = 0;
  for (const Path& path : files) {
    MUSTER_TRY(const auto file, MappedFile::open(path));
    all.add_field(path.filename().string());
    all.add_field(sha256(file.bytes()).view());
    bytes += file.bytes().size();
  }
  pb::ModelPin pin;
  pin.set_name(directory.filename().string());
  pin.set_path(directory.string());
  pin.set_commit(to_hex(all.finish()));
  pin.set_bytes(bytes);
  pin.set_dtype("float32");
  return pin;
}

}  // namespace muster::host
