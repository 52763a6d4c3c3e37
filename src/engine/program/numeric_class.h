#pragma once

#include <string>

namespace muster::engine {

// Names the arithmetic of this program on this machine. Two machines of one class are expected to
// agree closely; "approximate" says that bit-equality is not promised, so that their answers are
// compared by tolerance.
std::string numeric_class();

}  // namespace muster::engine
