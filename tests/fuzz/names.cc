// Words of others that become a path, an address or a line on a terminal. A model's name that is
// taken stays below the folder it is put into and comes out as it went in; an address is read again
// from its own text; what is printable is one line of UTF-8 that a terminal only shows.
#include "base/address.h"
#include "base/check.h"
#include "base/file.h"
#include "base/printable.h"
#include "eval/model_name.h"
#include "target.h"

namespace muster::fuzz {
namespace {

void check_model_name(std::string_view text) {
  const auto model = eval::parse_model_name(text);
  if (!model) return;
  MUSTER_CHECK(eval::is_model_name(model->name) && eval::is_revision(model->revision));
  for (const std::string& part : {model->name, model->revision}) {
    const Path path = Path("/cache/models") / part;
    MUSTER_CHECK(path.lexically_normal() == path &&
                 part.size() == std::string(part.c_str()).size());
    MUSTER_CHECK(path.string().starts_with("/cache/models/") && path.has_filename());
    MUSTER_CHECK(printable(part) == part);
  }
  const auto again = eval::parse_model_name(model->name + "@" + model->revision);
  MUSTER_CHECK(again && again->name == model->name && again->revision == model->revision);
}

void check_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) {
    MUSTER_CHECK(address.error().code == Code::kInvalidArgument);
    return;
  }
  MUSTER_CHECK(!address->host.empty() && address->port >= 0 && address->port <= 65535);
  const auto again = parse_address(address->text());
  MUSTER_CHECK(again && again->host == address->host && again->port == address->port);
  MUSTER_CHECK(printable(address->host, 1000) == address->host);
}

void check_printable(std::string_view text) {
  constexpr size_t kMost = 40, kEllipsisBytes = 3;
  const std::string shown = printable(text, kMost);
  MUSTER_CHECK(shown.size() <= kMost + kEllipsisBytes && is_utf8(shown));
  for (const unsigned char c : shown) MUSTER_CHECK(c >= 0x20 && c != 0x7f);
  MUSTER_CHECK(shown.find("\xc2\x9b") == std::string::npos);      // Begins an escape sequence.
  MUSTER_CHECK(shown.find("\xe2\x80\xae") == std::string::npos);  // Turns the direction.
  MUSTER_CHECK(printable(shown, kMost + kEllipsisBytes) == shown);
}

}  // namespace

void run(std::string_view input) {
  check_model_name(input);
  check_address(input);
  check_printable(input);
}

std::vector<std::string> seeds() {
  return {"EleutherAI/pythia-14m",
          "a/b@refs/pr/1",
          "a_b/c.d-e@0123456789abcdef",
          "localhost",
          "host.name:8080",
          "127.0.0.1:30000",
          "[::1]:30000",
          "fe80::1%eth0",
          "[fe80::1%eth0]:1",
          "plain words",
          "\x1b[31mred",
          "caf\xc3\xa9 \xe2\x80\xae \xf0\x9f\x98\x80"};
}

std::vector<std::string> words() {
  return {"@", "/",  "..",       "--",           ":",           "[", "]",
          "%", "::", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8"};
}

}  // namespace muster::fuzz
