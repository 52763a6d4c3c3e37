#include "engine/cores/core_share.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "engine/cores/usable_cores.h"

namespace muster::engine {
namespace {

constexpr char kAtWork[] = "muster-scoring", kWaiting[] = "muster-engine";
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr size_t kMostBytes = 64u << 10;

std::string text_of(const Path& path) { return read_file(path, kMostBytes).value_or(""); }

bool is_process(const Path& entry) {
  const std::string name = entry.filename().string();
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

// Other engines that compute now; `within_cgroup`: in this one's cgroup.
int others_at_work(bool within_cgroup) {
  const std::string self = std::to_string(::getpid());
  const std::string group = within_cgroup ? text_of("/proc/self/cgroup") : "";
  int count = 0;
  std::error_code error;
  auto entry = std::filesystem::directory_iterator("/proc", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const Path& process = entry->path();
    if (!is_process(process) || process.filename() == self) continue;
    if (text_of(process / "comm") != std::string(kAtWork) + "\n") continue;
    count += !within_cgroup || text_of(process / "cgroup") == group ? 1 : 0;
  }
  return count;
}

}  // namespace

CoreShare::CoreShare(int threads) : told_(threads) {
  if (told_ > 0) return;
  cores_ = usable_cores();
  within_cgroup_ = cores_ < cores_of_mask();
  end();
}

int CoreShare::begin() {
  ::prctl(PR_SET_NAME, kAtWork);
  if (told_ > 0) return told_;
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    others_ = others_at_work(within_cgroup_);
  }
  return std::max(1, static_cast<int>(std::lround(static_cast<double>(cores_) / (1 + others_))));
}

void CoreShare::end() { ::prctl(PR_SET_NAME, kWaiting); }

}  // namespace muster::engine
