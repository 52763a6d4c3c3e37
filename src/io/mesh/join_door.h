#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "identity/authority.h"
#include "identity/channels/tls.h"
#include "io/mesh/lines.h"
#include "io/mesh/seldom.h"

namespace muster::io {

// Where somebody gets his first certificate, or a new one: one request and one answer a connection,
// over TLS without a certificate of his own. What he may have the server's role says; it is signed
// here. A thread of its own, which nothing that a stranger does or leaves undone holds up: a
// connection has kWait for all of it, and kMost may be there at once (then the newest is closed).
class JoinDoor {
 public:
  static constexpr std::chrono::seconds kWait{10};
  static constexpr size_t kMost = 256;
  static constexpr int64_t kCertificateSeconds = 90L * 86'400;

  // `authority` and `lines` outlive the object; `own` are the server's credentials.
  static Result<std::unique_ptr<JoinDoor>> open(const identity::Authority& authority,
                                                const identity::Credentials& own, Lines& lines);
  ~JoinDoor();
  JoinDoor(const JoinDoor&) = delete;
  JoinDoor& operator=(const JoinDoor&) = delete;

  // A connected socket that does not block, which is the door's from now on. Any thread.
  void take(int fd);
  // The server has new credentials. Any thread.
  Status replace(const identity::Credentials& own);

 private:
  class Visitor;
  using Instant = std::chrono::steady_clock::time_point;
  JoinDoor(const identity::Authority& authority, identity::tls::Context context, Lines& lines);
  void run();
  void let_in();
  void wait();
  void go_on(Instant now);
  void hear(const std::shared_ptr<Visitor>& visitor, const std::string& bytes);

  const identity::Authority& authority_;
  const std::string authority_pem_;
  Lines& lines_;
  int wake_;
  std::vector<std::shared_ptr<Visitor>> visitors_;  // Only the thread touches them.
  Seldom full_, refused_;
  std::mutex mutex_;
  identity::tls::Context context_;  // These are guarded.
  std::vector<int> arrived_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace muster::io
