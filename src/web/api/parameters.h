#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "web/api/problem.h"
#include "web/http/request.h"

namespace muster::web {

// The fields behind a request's '?', read by name. What is wrong is collected, so that a person is
// told of all of it at once: ask check() before what was read is used.
class Parameters {
 public:
  // Another one than `known`, or one that comes twice, is wrong. `request` outlives the object.
  Parameters(const Request& request, std::initializer_list<std::string_view> known);

  // None: it is not there, or wrong.
  std::optional<std::string> text(std::string_view name, size_t most_bytes);
  std::optional<int64_t> number(std::string_view name, int64_t least, int64_t most);
  // "true" or "false"; not there: false.
  bool flag(std::string_view name);
  // One of these; not there: the first.
  std::string word(std::string_view name, std::initializer_list<std::string_view> words);
  // "a,b,c", at most so many.
  std::vector<std::string> list(std::string_view name, size_t most);

  void refuse(std::string_view name, std::string why);
  [[nodiscard]] tl::expected<void, Problem> check() const;

 private:
  [[nodiscard]] const std::string* find(std::string_view name) const;

  const Request& request_;
  std::vector<FieldError> errors_;
};

// How many rows a page has: ?limit.
constexpr int64_t kPage = 50, kMostOfAPage = 200;
int64_t page_size(Parameters& parameters);

}  // namespace muster::web
