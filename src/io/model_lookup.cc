#include "io/model_lookup.h"

namespace muster::io {

ModelLookup::ModelLookup(host::Inbox& inbox)
    : inbox_(inbox), hub_(HubSettings::from_environment()), thread_([this](std::deque<Work> work) {
        for (const Work& one : work) {
          inbox_.post(one.owner, roles::ModelPinned{one.pin.call, hub_.pin(one.pin.model)});
        }
      }) {}

void ModelLookup::pin(pb::Role owner, const roles::PinModel& pin) { thread_.put({owner, pin}); }

}  // namespace muster::io
