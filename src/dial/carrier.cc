#include "dial/carrier.h"

#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/printable.h"
#include "dial/proxy_answer.h"

namespace muster::dial {
namespace {

constexpr size_t kMostShown = 60;

std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::string request_for(const Proxy& proxy, const std::string& server) {
  std::string text = "CONNECT " + server + " HTTP/1.1\r\nHost: " + server +
                     "\r\nUser-Agent: muster/" MUSTER_VERSION "\r\n";
  if (!proxy.credentials.empty()) {
    text += "Proxy-Authorization: Basic " + base64(proxy.credentials) + "\r\n";
  }
  return text + "\r\n";
}

// One CONNECT, and what its answer means.
class Asking {
 public:
  Asking(int socket, const Proxy& proxy, const Address& server, const Patience& patience)
      : socket_(socket), proxy_(proxy), server_(server.text()), patience_(patience) {}

  Status ask();
  Status hear();

 private:
  Status wait(short events);
  [[nodiscard]] Status judge(const ProxyAnswer& answer) const;
  [[nodiscard]] std::string why_unknown(const ProxyAnswer& answer) const;
  [[nodiscard]] tl::unexpected<Error> no(Code code, const std::string& why) const {
    return fail(code, proxy_.shown() + " " + why);
  }
  [[nodiscard]] tl::unexpected<Error> useless(const std::string& why) const {
    return no(Code::kUnavailable, why + "; check it, or go without by --proxy none");
  }

  const int socket_;
  const Proxy& proxy_;
  const std::string server_;
  const Patience& patience_;
};

Status Asking::wait(short events) {
  switch (patience_.wait(socket_, events)) {
    case Patience::Waited::kReady:
      return {};
    case Patience::Waited::kTooLong:
      return useless("took the connection and said nothing in time");
    case Patience::Waited::kGivenUp:
      break;
  }
  return fail(Code::kInterrupted, "");
}

Status Asking::ask() {
  const std::string text = request_for(proxy_, server_);
  for (size_t said = 0; said < text.size();) {
    MUSTER_TRY_STATUS(wait(POLLOUT));
    const ssize_t count = ::send(socket_, text.data() + said, text.size() - said, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return useless("closed the connection");
    if (count > 0) said += static_cast<size_t>(count);
  }
  return {};
}

Status Asking::hear() {
  std::string heard;
  while (true) {
    MUSTER_TRY_STATUS(wait(POLLIN));
    std::array<char, kMostAnswerBytes> bytes;
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size() - heard.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return useless("closed the connection without an answer");
    heard.append(bytes.data(), static_cast<size_t>(count));
    const auto answer = read_proxy_answer(heard);
    if (!answer) {
      return useless("is no HTTP proxy: it answers '" + printable(heard, kMostShown) + "' (" +
                     answer.error().message + ")");
    }
    if (!*answer) continue;
    const bool says_more = (*answer)->is_yes() && (*answer)->bytes < heard.size();
    if (says_more) return useless("goes on where the server has the word");
    return judge(**answer);
  }
}

std::string Asking::why_unknown(const ProxyAnswer& answer) const {
  if (!answer.takes_basic) {
    return "wants to know who asks in a way that muster does not speak (407): a user and a "
           "password do not do; ask whoever runs it";
  }
  if (proxy_.credentials.empty()) {
    return "wants a user and a password (407): give them as http://USER:PASSWORD@HOST:PORT in " +
           proxy_.origin;
  }
  return "refuses the user or the password (407): check what " + proxy_.origin + " says";
}

Status Asking::judge(const ProxyAnswer& answer) const {
  if (answer.is_yes()) return {};
  if (answer.status == 407) return no(Code::kPermission, why_unknown(answer));
  const std::string said = " (" + std::to_string(answer.status) +
                           (answer.reason.empty() ? ")" : " '" + answer.reason + "')");
  if (answer.status == 403) {
    return no(Code::kPermission,
              "does not let connections to " + server_ + " through" + said +
                  "; ask whoever runs it to allow CONNECT there, or the operator of the pool for "
                  "port 443, which most allow");
  }
  return no(Code::kUnavailable, "cannot connect to " + server_ + said +
                                    "; check --ip and --port, or start 'muster server'");
}

}  // namespace

Status ask_to_carry(int socket, const Proxy& proxy, const Address& server,
                    const Patience& patience) {
  Asking asking(socket, proxy, server, patience);
  MUSTER_TRY_STATUS(asking.ask());
  return asking.hear();
}

}  // namespace muster::dial
