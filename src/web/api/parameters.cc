#include "web/api/parameters.h"

#include <algorithm>
#include <charconv>

namespace muster::web {
namespace {

std::string one_of(std::initializer_list<std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

}  // namespace

Parameters::Parameters(const Request& request, std::initializer_list<std::string_view> known)
    : request_(request) {
  const auto& query = request.target.query;
  for (auto field = query.begin(); field != query.end(); ++field) {
    if (std::find(known.begin(), known.end(), field->first) == known.end()) {
      refuse(field->first, known.size() == 0 ? "there are no parameters here"
                                             : "unknown; there are: " + one_of(known));
    }
    if (std::any_of(query.begin(), field,
                    [&](const auto& earlier) { return earlier.first == field->first; })) {
      refuse(field->first, "it is there twice");
    }
  }
}

const std::string* Parameters::find(std::string_view name) const {
  for (const auto& [field, value] : request_.target.query) {
    if (field == name) return &value;
  }
  return nullptr;
}

std::optional<std::string> Parameters::text(std::string_view name, size_t most_bytes) {
  const std::string* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->empty() && value->size() <= most_bytes) return *value;
  refuse(name, value->empty() ? "it is empty; leave it out"
                              : "may have " + std::to_string(most_bytes) + " bytes");
  return std::nullopt;
}

std::optional<int64_t> Parameters::number(std::string_view name, int64_t least, int64_t most) {
  const std::string* const value = find(name);
  if (value == nullptr) return std::nullopt;
  int64_t number = 0;
  const char* const last = value->data() + value->size();
  const auto [end, error] = std::from_chars(value->data(), last, number);
  if (error == std::errc() && end == last && number >= least && number <= most) return number;
  refuse(name, "may be " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

bool Parameters::flag(std::string_view name) { return word(name, {"false", "true"}) == "true"; }

std::string Parameters::word(std::string_view name, std::initializer_list<std::string_view> words) {
  const std::string* const value = find(name);
  const bool is_known =
      value == nullptr || std::find(words.begin(), words.end(), *value) != words.end();
  if (!is_known) refuse(name, "may be one of: " + one_of(words));
  return value == nullptr || !is_known ? std::string(*words.begin()) : *value;
}

std::vector<std::string> Parameters::list(std::string_view name, size_t most) {
  const std::string* const value = find(name);
  std::vector<std::string> pieces;
  if (value == nullptr || value->empty()) return pieces;
  for (size_t from = 0; from <= value->size();) {
    const size_t comma = std::min(value->find(',', from), value->size());
    pieces.push_back(value->substr(from, comma - from));
    from = comma + 1;
  }
  if (pieces.size() <= most) return pieces;
  refuse(name, "may name " + std::to_string(most) + " at most");
  return {};
}

void Parameters::refuse(std::string_view name, std::string why) {
  errors_.push_back({"?" + std::string(name), std::move(why)});
}

tl::expected<void, Problem> Parameters::check() const {
  if (errors_.empty()) return {};
  Problem problem{.kind = ProblemKind::kBadRequest, .errors = errors_};
  problem.detail = errors_.front().pointer.substr(1) + ": " + errors_.front().detail;
  return tl::make_unexpected(std::move(problem));
}

int64_t page_size(Parameters& parameters) {
  return parameters.number("limit", 1, kMostOfAPage).value_or(kPage);
}

}  // namespace muster::web
