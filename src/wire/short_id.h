#pragma once

#include <set>
#include <string>

namespace muster::wire {

// "3fa9c2..." of a job or machine, for a console.
inline std::string short_id(const std::string& id) { return id.substr(0, 8); }
std::string short_ids(const std::set<std::string>& ids);  // "a, b, c".

}  // namespace muster::wire
