#include "io/http.h"

#include <curl/curl.h>

#include <memory>

#include "dial/proxy_rules.h"

namespace muster::io {
namespace {

size_t pass_on(char* data, size_t size, size_t count, void* user) {
  const auto& sink = *static_cast<const std::function<bool(std::string_view)>*>(user);
  return sink({data, size * count}) ? size * count : 0;
}

int ask_whether_stopped(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& stopped = *static_cast<const std::function<bool()>*>(user);
  return stopped && stopped() ? 1 : 0;
}

// For whom no proxy is: as libcurl takes it, "*" alone.
std::string never_proxied() {
  const std::string exempt = dial::ProxyRules::from_environment("").exempt;
  return exempt == "*" ? exempt : exempt + ",localhost,127.0.0.0/8,::1";
}

Error not_got(const HttpGet& request, CURLcode outcome, CURL* curl) {
  long connected = 0;  // What a proxy answered to CONNECT.
  curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &connected);
  const bool is_refused = connected != 0 && connected / 100 != 2;
  return {Code::kTryLater, request.url + ": " +
                               (is_refused ? "the proxy refuses it (" + std::to_string(connected) +
                                                 "); check --proxy, or https_proxy"
                                           : std::string(curl_easy_strerror(outcome)))};
}

}  // namespace

Result<int> http_get(const HttpGet& request) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  std::unique_ptr<CURL, void (*)(CURL*)> curl(ready ? curl_easy_init() : nullptr,
                                              curl_easy_cleanup);
  if (!curl) return fail(Code::kFailed, "libcurl cannot be used");
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);

  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "muster/" MUSTER_VERSION);
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 15L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1000L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, 60L);
  if (!request.proxy.empty()) {
    const bool is_none = request.proxy == dial::kNoProxy;
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, is_none ? "" : request.proxy.c_str());
  }
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, never_proxied().c_str());
  if (request.deadline) {
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(request.deadline->count()));
  }
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, ask_whether_stopped);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &request.stopped);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, pass_on);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &request.sink);
  const CURLcode outcome = curl_easy_perform(curl.get());
  if (outcome == CURLE_ABORTED_BY_CALLBACK) {
    return fail(Code::kInterrupted, request.url + ": it is not wanted any more");
  }
  if (outcome == CURLE_WRITE_ERROR)
    return fail(Code::kDisk, request.url + ": the transfer was stopped");
  if (outcome != CURLE_OK) return fail(not_got(request, outcome, curl.get()));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

}  // namespace muster::io
