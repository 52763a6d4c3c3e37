// What a proxy answers to CONNECT (dial/proxy_answer.h): however it is cut into pieces, the answer
// is the same, and known when its empty line is there; what is no HTTP stays none. No more than
// kMostAnswerBytes are waited for, and a reason is fit for a terminal.
#include "dial/proxy_answer.h"
#include "base/check.h"
#include "base/printable.h"
#include "target.h"

namespace muster::fuzz {

using dial::kMostAnswerBytes;
using dial::read_proxy_answer;

void run(std::string_view input) {
  const auto whole = read_proxy_answer(input);
  if (whole && !*whole) MUSTER_CHECK(input.size() < kMostAnswerBytes);
  if (whole && *whole) {
    const auto& answer = **whole;
    MUSTER_CHECK(answer.status >= 100 && answer.status <= 999);
    MUSTER_CHECK(answer.bytes <= input.size() && answer.bytes <= kMostAnswerBytes);
    MUSTER_CHECK(input[answer.bytes - 1] == '\n');
    MUSTER_CHECK(printable(answer.reason, answer.reason.size()) == answer.reason);
  }
  for (size_t count = 0; count < input.size(); count += 1 + count / 8) {
    const auto piece = read_proxy_answer(input.substr(0, count));
    if (!piece) MUSTER_CHECK(!whole);
    if (piece && *piece) MUSTER_CHECK(whole && *whole && (*whole)->bytes == (*piece)->bytes);
    if (whole && *whole) MUSTER_CHECK(piece && piece->has_value() == (count >= (*whole)->bytes));
  }
}

std::vector<std::string> seeds() {
  return {"HTTP/1.1 200 Connection established\r\n\r\n",
          "HTTP/1.0 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\nbody",
          "HTTP/1.1 502 \xC3\xBC\xff\nVia: x\n\n",
          "SSH-2.0-x\r\n",
          "HTTP/1.1 200\r\n",
          "HTTP/1.1 200 OK\r\nX: " + std::string(kMostAnswerBytes, 'x')};
}

std::vector<std::string> words() {
  return {"HTTP/1.", "\r\n\r\n", "\n\n", "\r\n", "Proxy-Authenticate: ", "Basic", " 200 ", " 407 "};
}

}  // namespace muster::fuzz
