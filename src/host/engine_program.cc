#include "host/engine_program.h"

namespace muster::host {

Path engine_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "muster-engine";
}

}  // namespace muster::host
