#include "roles/storage/one_answers.h"

#include <cstring>

namespace muster::roles::storage {
namespace {

uint64_t prefix(const Digest& digest) {
  uint64_t out = 0;
  std::memcpy(&out, digest.bytes.data(), sizeof out);
  return out;
}

uint64_t question_of(const OpenedRecord& answer) {
  Hasher hasher;
  hasher.add_field(answer.machine);
  hasher.add_field(record_digest(answer.record.answer().grant()).view());
  hasher.add_field(std::to_string(answer.record.answer().item()));
  return prefix(hasher.finish_sha256());
}

}  // namespace

bool OneAnswers::admit(const OpenedRecord& answer, bool is_copy) {
  Run& run = runs_[run_key(answer.record)];
  const uint64_t question = question_of(answer), name = prefix(answer.digest);
  const auto [first, is_first] = run.first.emplace(question, name);
  if (is_first || first->second == name) return true;
  const auto others = run.further.find(question);
  if (others != run.further.end() && others->second.contains(name)) return true;
  const size_t known = 1 + (others == run.further.end() ? 0 : others->second.size());
  if (!is_copy || known >= kMostCopied) return false;
  run.further[question].insert(name);
  return true;
}

void OneAnswers::keep_only(const std::function<bool(const RunKey& run)>& is_kept) {
  std::erase_if(runs_, [&](const auto& entry) { return !is_kept(entry.first); });
}

}  // namespace muster::roles::storage
