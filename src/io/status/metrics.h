#pragma once

#include <cstdint>
#include <string>

#include "io/status/reading.h"
#include "io/status/readings.h"
#include "io/status/status_port.h"

namespace muster::io {

// A reading as Prometheus' text format has it: what the roles count that the process has, each with
// all of its labels from the beginning, so that nothing appears only when it has happened. No
// machine, job or model is named.
std::string metrics_text(const Reading& reading, int64_t started_unix_s);

// /metrics. `readings` outlives it.
StatusPort::Pages metrics_pages(Readings& readings, int64_t started_unix_s);

}  // namespace muster::io
