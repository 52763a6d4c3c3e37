#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "roles/role.h"
#include "wire/record.h"
#include "wire/run_key.h"

namespace muster::roles::storage {

// One answer a question: whoever was asked for an item under some terms answers it once. A second
// one, signed as well as the first, says that its author contradicts itself, or wants to fill
// disks.
//
// What an author brings must be the first, or the same again. Another store may have been brought
// another one: as copies up to kMostCopied of them pass, so that stores can come to hold the same.
// About 60 bytes an answer, as long as its run is kept; a restart forgets them.
class OneAnswers {
 public:
  static constexpr size_t kMostCopied = 8;

  // Whether the answer may be kept; it is remembered if so.
  bool admit(const OpenedRecord& answer, bool is_copy);
  // Forgets the runs that are not to be kept.
  void keep_only(const std::function<bool(const RunKey& run)>& is_kept);

 private:
  struct Run {
    std::map<uint64_t, uint64_t> first;  // By question, the answer; hashes of both.
    std::map<uint64_t, std::set<uint64_t>> further;
  };
  std::map<RunKey, Run> runs_;
};

}  // namespace muster::roles::storage
