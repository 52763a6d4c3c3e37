#pragma once

#include <signal.h>

namespace muster {

// The signals that tell this process to end, SIGTERM, SIGINT and SIGHUP, less those that whoever
// started it has it ignore, as nohup does, and a script what it runs in the background.
sigset_t ending_signals();

}  // namespace muster
