#include "roles/server/limits.h"

#include <algorithm>

#include "base/probe.h"
#include "eval/model_name.h"

namespace muster::roles::server {
namespace {

// '*' stands for any letters, none too. Costs pattern times text at most.
bool matches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// What the bytes are, and not what they are called: of a directory its path.
std::string model_of(const pb::JobRequest& request) {
  if (request.has_directory_pin() && !request.directory_pin().path().empty()) {
    return request.directory_pin().path();
  }
  const auto name = eval::parse_model_name(request.model());
  return name ? name->name : request.model();
}

}  // namespace

CountedRun counted_run(const pb::JobRow& row, uint64_t items) {
  return {row.job(), row.run(), row.researcher(), row.accepted_at_ms(),
          row.frozen_digest().empty() ? 0 : items};
}

Status Limits::may_begin(const pb::Holder& holder, const pb::JobRequest& request,
                         size_t running) const {
  if (holder.role() != pb::POOL_ROLE_RESEARCHER) return {};
  if (options_.running_jobs != 0 && running >= options_.running_jobs) {
    MUSTER_PROBE("a researcher has as many jobs as he may");
    return fail(Code::kTryLater, holder.owner() + " has " + std::to_string(running) +
                                     " jobs running, as many as this pool allows; wait for one "
                                     "to end, or cancel one");
  }
  const std::string model = model_of(request);
  if (allows(model)) return {};
  std::string allowed;
  for (const std::string& pattern : options_.models) {
    allowed += (allowed.empty() ? "" : ", ") + pattern;
  }
  return fail(Code::kPermission, "this pool evaluates " + allowed + ", and not " + model);
}

bool Limits::allows(const std::string& model) const {
  return options_.models.empty() ||
         std::any_of(options_.models.begin(), options_.models.end(),
                     [&](const std::string& pattern) { return matches(pattern, model); });
}

Status Limits::add(int64_t now_ms, CountedRun run) {
  if (options_.items_a_day == 0 || run.researcher.empty()) return {};
  std::erase_if(runs_,
                [&](const auto& entry) { return entry.second.accepted_at_ms + kDayMs <= now_ms; });
  uint64_t had = 0;
  for (const auto& [key, other] : runs_) {
    const bool is_other = key != std::pair(run.job, run.run);
    if (is_other && other.researcher == run.researcher) had += other.items;
  }
  if (had + run.items > options_.items_a_day) {
    return fail(Code::kTryLater, "it has " + std::to_string(run.items) + " items, and " +
                                     run.researcher + " has had " + std::to_string(had) +
                                     " of the " + std::to_string(options_.items_a_day) +
                                     " that this pool allows in 24 hours");
  }
  count(std::move(run));
  return {};
}

void Limits::count(CountedRun run) {
  if (run.researcher.empty() || run.items == 0) return;
  auto key = std::pair(run.job, run.run);
  runs_.insert_or_assign(std::move(key), std::move(run));
}

}  // namespace muster::roles::server
