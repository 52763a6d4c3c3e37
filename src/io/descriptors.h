#pragma once

#include <cstddef>

namespace muster::io {

// Raises this process's soft limit of open files to the hard one. The usual soft limit of 1,024 is
// for programs that use select(); nothing here does. Children inherit it.
void raise_descriptor_limit();

// How many files this process may have open now.
size_t descriptor_limit();

}  // namespace muster::io
