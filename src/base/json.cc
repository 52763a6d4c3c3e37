#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/printable.h"

namespace muster {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxValues = 4'000'000;  // Pythia's tokenizer.json has 100,000.

// Builds a document while it is read, so that depth and numbers are refused on the way in.
class BoundedReader : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override {
    return std::isfinite(value) ? put(value) : refuse("a number is not finite");
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t& value) override { return put(Json::binary(std::move(value))); }
  bool start_object(size_t) override { return open(Json::object()); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool end_object() override {
    return has_repeats(open_.back()->get_ref<Json::object_t&>()) ? refuse("a key stands twice")
                                                                 : close();
  }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return refuse("not valid at byte " + std::to_string(position));
  }

  Json take() { return std::move(root_); }
  const std::string& why() const { return why_; }

 private:
  bool refuse(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }
  Json* place(Json&& value) {
    ++values_;
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    // Appended without a search (ordered_json's own is linear); close_object() finds repeats.
    auto& members = open_.back()->get_ref<Json::object_t&>();
    members.emplace_back(std::move(key_), std::move(value));
    return &members.back().second;
  }
  template <typename T>
  bool put(T&& value) {
    if (values_ == kMaxValues) return refuse("more than 4,000,000 values");
    place(Json(std::forward<T>(value)));
    return true;
  }
  bool open(Json&& container) {
    if (open_.size() == kMaxDepth) return refuse("nested deeper than 64");
    if (values_ == kMaxValues) return refuse("more than 4,000,000 values");
    open_.push_back(place(std::move(container)));
    return true;
  }
  static bool has_repeats(const Json::object_t& members) {
    std::vector<std::string_view> keys;
    keys.reserve(members.size());
    for (const auto& member : members) keys.push_back(member.first);
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;  // A container's address is stable while it is the innermost.
  std::string key_;
  std::string why_;
  size_t values_ = 0;
};

// CBOR is a row of heads, each followed by the bytes of a string or by nothing; what lies within
// what does not matter here. nlohmann reads the pieces of a string of unknown length by calling
// itself, so that 30 kB of 0x5F overflow the stack, and takes any bytes for text. muster writes
// neither. It also makes a positive number of one below -2^63, whose bits it turns without looking.
// What is cut short is left for the reader to refuse.
class CborHeads {
 public:
  explicit CborHeads(std::string_view bytes) : rest_(bytes) {}

  Status check() {
    while (!rest_.empty()) {
      const auto head = static_cast<unsigned char>(rest_[0]);
      const int major = head >> 5, more = head & 0x1f;
      const bool is_string = major == 2 || major == 3;
      if (is_string && more == 31) return fail(Code::kDataLoss, "a string of unknown length");
      rest_.remove_prefix(1);
      const uint64_t argument = take_argument(more);
      if (major == 1 && argument > INT64_MAX) {
        return fail(Code::kDataLoss, "a whole number below -2^63");
      }
      if (!is_string) continue;
      const std::string_view text = take(argument);
      if (major == 3 && !is_utf8(text)) return fail(Code::kDataLoss, "text that is no UTF-8");
    }
    return {};
  }

 private:
  std::string_view take(uint64_t size) {
    const std::string_view taken = rest_.substr(0, std::min<uint64_t>(size, rest_.size()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  uint64_t take_argument(int more) {
    if (more < 24 || more > 27) return more < 24 ? static_cast<uint64_t>(more) : 0;
    uint64_t argument = 0;
    for (const char c : take(uint64_t{1} << (more - 24))) {
      argument = argument << 8 | static_cast<unsigned char>(c);
    }
    return argument;
  }

  std::string_view rest_;
};

Result<Json> read(std::string_view bytes, size_t max_bytes, Json::input_format_t format,
                  const char* name) {
  if (bytes.size() > max_bytes) {
    return fail(Code::kDataLoss, std::string(name) + " of " + std::to_string(bytes.size()) +
                                     " bytes, at most " + std::to_string(max_bytes) + " are read");
  }
  BoundedReader reader;
  if (format == Json::input_format_t::json) {
    // nlohmann ends at the one and skips the other.
    if (bytes.find('\0') != std::string_view::npos) {
      return fail(Code::kDataLoss, "JSON: a zero byte is in it");
    }
    if (bytes.starts_with("\xef\xbb\xbf")) {
      return fail(Code::kDataLoss, "JSON: it begins with a byte-order mark");
    }
  }
  if (!Json::sax_parse(bytes.begin(), bytes.end(), &reader, format)) {
    return fail(Code::kDataLoss, std::string(name) + ": " + reader.why());
  }
  return reader.take();
}

Error field_error(const char* key, const char* what) {
  return {Code::kUnsupported, std::string(key) + " must be " + what};
}

}  // namespace

Result<Json> parse_json(std::string_view text, size_t max_bytes) {
  return read(text, max_bytes, Json::input_format_t::json, "JSON");
}

Result<Json> parse_cbor(std::string_view bytes, size_t max_bytes) {
  if (bytes.size() <= max_bytes) {
    if (auto heads = CborHeads(bytes).check(); !heads) return fail(heads.error().in("CBOR"));
  }
  return read(bytes, max_bytes, Json::input_format_t::cbor, "CBOR");
}

std::string to_cbor(const Json& value) {
  std::string out;
  Json::to_cbor(value, nlohmann::detail::output_adapter<char>(out));
  return out;
}

const Json& get_or_null(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

Result<int64_t> get_int(const Json& object, const char* key) {
  const Json& value = get_or_null(object, key);
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
  if (!fits) return fail(field_error(key, "a whole number"));
  return value.get<int64_t>();
}

Result<double> get_number(const Json& object, const char* key) {
  const Json& value = get_or_null(object, key);
  if (!value.is_number()) return fail(field_error(key, "a number"));
  return value.get<double>();
}

Result<bool> get_bool(const Json& object, const char* key) {
  const Json& value = get_or_null(object, key);
  if (!value.is_boolean()) return fail(field_error(key, "true or false"));
  return value.get<bool>();
}

Result<std::string> get_string(const Json& object, const char* key) {
  const Json& value = get_or_null(object, key);
  if (!value.is_string()) return fail(field_error(key, "a string"));
  return value.get<std::string>();
}

}  // namespace muster
