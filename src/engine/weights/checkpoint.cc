#include "engine/weights/checkpoint.h"

#include "base/json.h"
#include "base/printable.h"

namespace muster::engine {
namespace {

constexpr char kWhole[] = "model.safetensors", kIndex[] = "model.safetensors.index.json";
constexpr size_t kMaxIndexBytes = 100u << 20;
constexpr size_t kMostShown = 100;  // Bytes of a name that a person is shown.

// A zero byte would end a path early: what is opened would be another file than what is named.
bool is_beside(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
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

Result<std::vector<CheckpointFile>> read_checkpoint_index(std::string_view text) {
  MUSTER_TRY(const Json index, parse_json(text, kMaxIndexBytes));
  const Json& map = get_or_null(index, "weight_map");
  if (!map.is_object() || map.empty()) {
    return fail(Code::kDataLoss, "weight_map must be an object, and not empty");
  }
  std::map<std::string, std::set<std::string>> files;
  for (const auto& [tensor, file] : map.items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (!is_beside(name)) {
      return fail(Code::kDataLoss, "weight_map must name files beside it, not '" +
                                       printable(name, kMostShown) + "' of " +
                                       printable(tensor, kMostShown));
    }
    files[name].insert(tensor);
  }
  std::vector<CheckpointFile> out;
  for (auto& [name, tensors] : files) out.push_back({name, std::move(tensors)});
  return out;
}

Result<std::vector<CheckpointFile>> checkpoint_files(const Path& directory) {
  std::error_code error;
  if (std::filesystem::exists(directory / kWhole, error)) return {{{kWhole, {}}}};
  const Path path = directory / kIndex;
  auto text = read_file(path, kMaxIndexBytes);
  if (!text && text.error().code == Code::kNotFound) {
    MUSTER_TRY_STATUS(refuse_pickle(directory));
    return fail(Code::kNotFound,
                (directory / kWhole).string() + ": no such file; a model needs safetensors");
  }
  if (!text) return fail(text.error());
  auto files = read_checkpoint_index(*text);
  if (!files) return fail(files.error().in(path.string()));
  return files;
}

Status Checkpoint::add(const Path& directory, const CheckpointFile& file) {
  const Path path = directory / file.name;
  MUSTER_TRY(auto mapped, MappedFile::open(path));
  auto tensors = read_safetensors(mapped.bytes());
  if (!tensors) return fail(tensors.error().in(path.string()));
  for (const std::string& name : file.tensors) {
    if (tensors->contains(name)) continue;
    return fail(Code::kDataLoss, path.string() + ": has no tensor " + name + ", which " +
                                     std::string(kIndex) + " says is in it");
  }
  for (auto& [name, tensor] : *tensors) {
    if (file.tensors.empty() || file.tensors.contains(name)) tensors_.emplace(name, tensor);
  }
  files_.push_back(std::move(mapped));
  return {};
}

Result<Checkpoint> Checkpoint::open(const Path& directory) {
  MUSTER_TRY(const auto files, checkpoint_files(directory));
  Checkpoint checkpoint;
  for (const CheckpointFile& file : files) MUSTER_TRY_STATUS(checkpoint.add(directory, file));
  return checkpoint;
}

const TensorView* Checkpoint::find(const std::string& name) const {
  auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace muster::engine
