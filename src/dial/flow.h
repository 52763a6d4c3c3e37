#pragma once

namespace muster::dial {

// Carries bytes both ways between two sockets that never block, until it is over: `stop` can be
// read; the near end is closed, and then what is on its way is dropped; or the far end is, and the
// near one has all that came of it. Holds 64 KiB each way, and reads no more than finds room.
void carry_between(int near, int far, int stop);

}  // namespace muster::dial
