#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "roles/role.h"
#include "wire/run_key.h"

namespace muster::roles::storage {

// Who reads here: whose turn it is, and who waits for something new after his cursor.
//
// Another store has kMostReads reads under way, so that it cannot keep this one from everybody
// else; what it asks beyond that it asks again. kMost may wait, each once for a run; who finds no
// room asks again as well.
class Readers {
 public:
  static constexpr size_t kMost = 4096;
  static constexpr size_t kMostReads = 64;

  // False: it has to wait for its turn.
  [[nodiscard]] bool begin_read(const pb::Address& reader);
  void end_read(const pb::Address& reader);

  // There is nothing after its cursor yet.
  void wait(const pb::Address& reader, const pb::Subscribe& request);
  // It asks anew, of this run.
  void forget(const pb::Address& reader, const pb::Subscribe& request);
  // There is news of these jobs: reads for whoever waits for that.
  void wake(const std::set<std::string>& jobs, Effects& effects);
  using IsLive = std::function<bool(const RunKey& run)>;
  void keep_only(const IsLive& is_live);
  [[nodiscard]] size_t waiting() const { return waiting_.size(); }

 private:
  struct Reader {
    pb::Address address;
    pb::Subscribe request;
  };
  std::map<std::string, size_t> reads_;  // Under way, by the other store that asked.
  std::vector<Reader> waiting_;
};

}  // namespace muster::roles::storage
