// What comes over a status port: what it asks for lies in its first line, begins with a slash and
// has nothing that ends a word; the fields behind that line do not change it.
#include "base/http_request.h"
#include "base/check.h"
#include "target.h"

namespace muster::fuzz {

void run(std::string_view input) {
  const auto path = http_path(input);
  const std::string_view line = input.substr(0, input.find('\n'));
  MUSTER_CHECK(http_path(line) == path);
  if (!path) return;
  MUSTER_CHECK(path->starts_with('/') && path->find_first_of(" ?\n") == std::string::npos);
  MUSTER_CHECK(line.starts_with("GET " + *path));
  const std::string whole = std::string(line) + "\nHost: a\r\n\r\n";
  MUSTER_CHECK(has_http_head(whole) && http_path(whole) == path);
}

std::vector<std::string> seeds() {
  return {"GET /livez HTTP/1.1\r\nHost: 10.0.0.7:8787\r\nUser-Agent: kube-probe/1.29\r\n\r\n",
          "GET /metrics?a=b HTTP/1.0\r\n\r\n", "POST /readyz HTTP/1.1\n\n"};
}

std::vector<std::string> words() {
  return {"GET ", "HEAD ", " HTTP/1.1\r\n", "\r\n\r\n", "?", "/readyz", "http://"};
}

}  // namespace muster::fuzz
