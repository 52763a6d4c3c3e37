#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "engine/weights/safetensors.h"

namespace muster::engine {

// Where the weights of a Hugging Face model directory are, when its files say more than one thing:
// model.safetensors where it is there, whatever an index beside it says; else, of every tensor, the
// file that model.safetensors.index.json names for it. Other files are not looked at.
struct CheckpointFile {
  std::string name;               // Beside config.json.
  std::set<std::string> tensors;  // Of those in it, these count; empty: all.
};
// kNotFound when there is neither; kDataLoss for an index that cannot be read.
Result<std::vector<CheckpointFile>> checkpoint_files(const Path& directory);

// The same from the index's text. Every name is that of a file in the same folder.
Result<std::vector<CheckpointFile>> read_checkpoint_index(std::string_view text);

// The weights of a model directory. Mapped, not read: processes share the pages.
class Checkpoint {
 public:
  // kUnsupported for pickled weights (with the command that converts them); kDataLoss for a
  // truncated or inconsistent file, or one without a tensor that the index promises.
  static Result<Checkpoint> open(const Path& directory);

  // nullptr when there is no such tensor.
  [[nodiscard]] const TensorView* find(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, TensorView>& tensors() const { return tensors_; }

 private:
  Status add(const Path& directory, const CheckpointFile& file);

  std::vector<MappedFile> files_;
  std::map<std::string, TensorView> tensors_;
};

}  // namespace muster::engine
