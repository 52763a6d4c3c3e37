#include "sim/small_ports.h"

#include "base/digest.h"
#include "sim/process.h"

namespace muster::sim {

void NodeNet::send(pb::Envelope envelope) {
  if (!node_.insider || node_.insider->may_say(envelope)) world_.send(node_, std::move(envelope));
}

void NodeCompute::freeze(pb::Role owner, const roles::FreezeRequests& freeze) {
  Duration takes = world_.freezing;
  if (takes > Duration()) {
    takes = Duration(
        static_cast<int64_t>(world_.rng.below(static_cast<uint64_t>(world_.freezing.count()))));
  }
  world_.in_process_after(node_, takes, [this, owner, freeze](Process& process) {
    process.driver().deliver(node_.local(world_.now()), owner,
                             roles::RequestsFrozen{freeze.run, world_.freeze(freeze.request)});
  });
}

void NodeHub::pin(pb::Role owner, const roles::PinModel& pin) {
  pb::ModelPin model;
  model.set_name(pin.model);
  model.set_commit(to_hex(sha256(pin.model).view()).substr(0, 40));
  model.set_dtype("float32");
  world_.in_process_after(node_, milliseconds(100), [this, owner, pin, model](Process& process) {
    process.driver().deliver(node_.local(world_.now()), owner, roles::ModelPinned{pin.call, model});
  });
}

}  // namespace muster::sim
