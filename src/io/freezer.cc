#include "io/freezer.h"

#include "base/guarded.h"
#include "host/frozen_tasks.h"

namespace muster::io {

Freezer::Freezer(host::Inbox& inbox)
    : inbox_(inbox),
      thread_(
          [this](const std::deque<Work>& work) {
            for (const Work& one : work) {
              auto tasks = guarded([&] { return host::freeze_tasks(one.freeze.request); });
              inbox_.post(one.owner, roles::RequestsFrozen{one.freeze.run, std::move(tasks)});
            }
          },
          kMostWaiting) {}

void Freezer::freeze(pb::Role owner, const roles::FreezeRequests& freeze) {
  if (thread_.put({owner, freeze})) return;
  inbox_.post(
      owner, roles::RequestsFrozen{freeze.run,
                                   fail(Code::kTryLater, "too many jobs wait for their requests")});
}

}  // namespace muster::io
