#pragma once

#include <map>
#include <string>

#include "roles/coordinator/job.h"
#include "roles/pool_state_intake.h"
#include "roles/role.h"
#include "wire/keys.h"

namespace muster::roles::coordinator {

// Runs jobs: each that the server assigns is driven by a Job of its own. Also looks up model names
// for the server. Keeps nothing on disk.
class Coordinator final : public Role {
 public:
  // `keys` outlives the object. `rng` draws what nobody else should guess.
  Coordinator(const Keys& keys, Rng rng);

  [[nodiscard]] Effects step(Instant now, const Event& event) override;
  [[nodiscard]] size_t pending() const override;
  void check() const override;

 private:
  void on_line(Instant now, bool up);
  void on_frozen(Instant now, const RequestsFrozen& frozen, Effects& effects);
  void on_message(Instant now, const pb::Envelope& envelope, Effects& effects);
  void on_assign(Instant now, const pb::Assign& assign, Effects& effects);
  void on_pin_model(const pb::PinModel& ask, Effects& effects);
  void on_pinned(const ModelPinned& pinned, Effects& effects);
  void on_pool_state(Instant now, const pb::PoolState& state, Effects& effects);
  void drop_lost_jobs(Effects& effects);
  [[nodiscard]] bool is_live(const pb::JobKey& key) const;

  const Keys& keys_;
  Rng rng_;
  PoolStateIntake intake_;
  pb::PoolState pool_;                        // The last one.
  std::map<std::string, Job> jobs_;           // By job id; one run of a job at a time.
  std::map<std::string, uint64_t> assigned_;  // By job id: the revision its Assign came with.
  // The server's call for each look-up by this process's own number: another server may count its
  // calls alike, and ask for other models.
  std::map<uint64_t, uint64_t> pins_;
  uint64_t next_pin_ = 1;
};

}  // namespace muster::roles::coordinator
