#pragma once

#include <map>
#include <string>
#include <string_view>

namespace muster::web {

// The files of an uncompressed tar archive (ustar) that was made when this program was built, by
// their names, "./" and folders left out. `archive` outlives what is returned. An archive that is
// not whole is a fault of the build (checked).
std::map<std::string, std::string_view, std::less<>> files_of_tar(std::string_view archive);

}  // namespace muster::web
