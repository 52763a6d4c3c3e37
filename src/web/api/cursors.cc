#include "web/api/cursors.h"

#include <sodium.h>

#include <algorithm>

#include "base/digest.h"

namespace muster::web {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr size_t kSeal = 12;

std::string to_base64(const std::string& bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), kVariant);
  text.pop_back();  // Its NUL.
  return text;
}

Result<std::string> from_base64(const std::string& text) {
  std::string bytes(text.size(), '\0');
  size_t size = 0;
  const char* end = nullptr;
  const bool read =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, &end, kVariant) == 0;
  if (!read || end != text.data() + text.size()) return fail(Code::kInvalidArgument, "no base64");
  bytes.resize(size);
  return bytes;
}

bool is_like(const Json& place, const Json& like) {
  if (like.is_string()) return place.is_string();
  if (!like.is_array()) return place.is_number_unsigned();
  return place.is_array() && place.size() == like.size() &&
         std::equal(place.begin(), place.end(), like.begin(), is_like);
}

tl::unexpected<Error> no_cursor() {
  return fail(Code::kInvalidArgument,
              "cursor: it is of another list, or was altered; begin at the first page");
}

}  // namespace

Cursors::Cursors(std::string_view pool)
    : key_(sha256("muster cursor" + std::string(pool)).view()) {}

std::string Cursors::seal(std::string_view list, std::string_view place) const {
  std::string text = key_;
  text.append(std::to_string(list.size())).append(":").append(list).append(place);
  return std::string(sha256(text).view().substr(0, kSeal));
}

std::string Cursors::make(std::string_view list, const Json& place) const {
  const std::string text = place.dump();
  return to_base64(seal(list, text) + text);
}

Result<Json> Cursors::read(std::string_view list, const std::string& cursor,
                           const Json& like) const {
  const auto bytes = from_base64(cursor);
  const bool is_whole = bytes && bytes->size() > kSeal && bytes->size() <= kMostCursor;
  if (!is_whole || seal(list, bytes->substr(kSeal)) != bytes->substr(0, kSeal)) return no_cursor();
  auto place = parse_json(std::string_view(*bytes).substr(kSeal), kMostCursor);
  if (!place || !is_like(*place, like)) return no_cursor();
  return place;
}

}  // namespace muster::web
