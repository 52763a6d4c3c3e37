#include "wire/run_key.h"

namespace muster::wire {

pb::JobKey key_of(const pb::JobRow& row) {
  pb::JobKey key;
  key.set_job(row.job());
  key.set_run(row.run());
  key.set_epoch(row.epoch());
  return key;
}

}  // namespace muster::wire
