// What comes over the website's port in a request's first line: what is let in is UTF-8 without
// control characters, and written anew, whole or with all of it escaped, it is the same.
#include <cstdio>

#include "base/check.h"
#include "base/printable.h"
#include "target.h"
#include "web/http/request.h"

namespace muster::fuzz {
namespace {

bool is_plain(unsigned char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%%%02X", static_cast<unsigned char>(letter));
    out += is_plain(static_cast<unsigned char>(letter)) ? std::string(1, letter) : digits;
  }
  return out;
}

// An empty segment at the end is none, so each ends with its slash.
std::string written(const web::Target& target) {
  std::string text = "/";
  for (const std::string& segment : target.segments) text += escaped(segment) + "/";
  char separator = '?';
  for (const auto& [name, value] : target.query) {
    text += separator + escaped(name) + "=" + escaped(value);
    separator = '&';
  }
  return text;
}

void check_text(const std::string& text) {
  MUSTER_CHECK(is_utf8(text));
  for (const char letter : text) MUSTER_CHECK(static_cast<unsigned char>(letter) >= 0x20);
}

}  // namespace

void run(std::string_view input) {
  const auto target = web::parse_target(input);
  if (!target) return;
  for (const std::string& segment : target->segments) check_text(segment);
  for (const auto& [name, value] : target->query) {
    check_text(name);
    check_text(value);
  }
  const std::string text = written(*target);
  if (text.size() > web::kMostTargetBytes) return;
  const auto again = web::parse_target(text);
  MUSTER_CHECK(again.has_value());
  MUSTER_CHECK(again->segments == target->segments && again->query == target->query);
}

std::vector<std::string> seeds() {
  return {"/", "/api/v1/jobs?state=running,waiting&limit=50&q=org%2Fmodel",
          "/models/a%2Fb/c+d?q=x+y%26&empty=&alone&q=z",
          "/jobs/0123456789abcdef/1/items/tinyMMLU/57", "/%C3%A9?%F0%9F%98%80=1"};
}

std::vector<std::string> words() {
  return {"%2F", "%00", "%C3%A9", "+", "?", "&", "=", "//", "..", "%"};
}

}  // namespace muster::fuzz
