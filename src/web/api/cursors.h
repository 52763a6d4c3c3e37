#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace muster::web {

constexpr size_t kMostCursor = 512;  // Bytes of one.

// Where the next page begins, as something opaque that fits into an address. It is good for the
// list that it was made for, by its filters: `list` says which one that is, in any words.
//
// Signed with a key that anybody could find out (of the pool's id, so that a link holds over a
// restart of the website): what matters is that nobody writes one by hand and comes to rely on it.
class Cursors {
 public:
  explicit Cursors(std::string_view pool);

  [[nodiscard]] std::string make(std::string_view list, const Json& place) const;
  // kInvalidArgument: it was altered, is of another list, or its place is not made as `like`: of
  // whole numbers from 0 on and texts, alone or in a list of so many.
  [[nodiscard]] Result<Json> read(std::string_view list, const std::string& cursor,
                                  const Json& like) const;

 private:
  [[nodiscard]] std::string seal(std::string_view list, std::string_view place) const;
  std::string key_;
};

}  // namespace muster::web
