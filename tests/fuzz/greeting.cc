// What a connection says first (identity/greeting.h): where it goes is decided by it before a byte
// is taken. However it is cut into pieces, the answer is the same: no piece of it says one thing
// and the whole another, and no more is waited for than a record has. A name that it asks for lies
// in it.
#include "identity/greeting.h"
#include "base/check.h"
#include "identity/greeting_for_test.h"
#include "target.h"

namespace muster::fuzz {

using identity::greeting_for_test;
using identity::read_server_name;

void run(std::string_view input) {
  const auto whole = read_server_name(input);
  MUSTER_CHECK(whole || input.size() < identity::kMostGreetingBytes);
  if (whole) MUSTER_CHECK(input.find(*whole) != std::string_view::npos);
  for (size_t count = 0; count < input.size(); count += 1 + count / 8) {
    const auto said = read_server_name(input.substr(0, count));
    MUSTER_CHECK(!said || said == whole);
  }
}

std::vector<std::string> seeds() {
  return {greeting_for_test("join.muster"), greeting_for_test("server.muster"),
          greeting_for_test(nullptr), "GET / HTTP/1.1", std::string("\x16\x03\x01\x00\x05\x01", 6)};
}

std::vector<std::string> words() {
  return {"join.muster", "server.muster", std::string("\x00\x00\x00\x10\x00\x0e\x00\x00\x0b", 9),
          std::string("\x16\x03\x01", 3)};
}

}  // namespace muster::fuzz
