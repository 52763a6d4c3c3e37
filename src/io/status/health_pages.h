#pragma once

#include "io/status/health.h"
#include "io/status/status_port.h"

namespace muster::io {

// /livez, /readyz and, both in one, /healthz: 200, or 503 and sentences, as JSON:
// {"ready":false,"why":["it is stopping"]}. `health` outlives them.
StatusPort::Pages health_pages(const Health& health);

}  // namespace muster::io
