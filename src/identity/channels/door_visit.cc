#include "identity/channels/door_visit.h"

#include <openssl/err.h>

#include <array>
#include <utility>

#include "identity/application.h"
#include "identity/channels/join_frame.h"

namespace muster::identity {

DoorVisit::DoorVisit(Descriptor socket, SSL_CTX* context)
    : socket_(std::move(socket)), session_(SSL_new(context)) {
  if (!session_ || SSL_set_fd(session_.get(), socket_.fd) != 1) need_ = tls::Need::kEnd;
}

std::optional<std::string> DoorVisit::go_on() {
  if (need_ == tls::Need::kEnd || !greet()) return std::nullopt;
  if (!asked_) return read();
  if (!outgoing_.empty()) write();
  return std::nullopt;
}

bool DoorVisit::greet() {
  if (greeted_) return true;
  need_ = tls::need_after(session_.get(), SSL_accept(session_.get()));
  ERR_clear_error();
  greeted_ = need_ == tls::Need::kNothing;
  return greeted_;
}

std::optional<std::string> DoorVisit::read() {
  while (true) {
    std::array<char, 4096> bytes;
    const int count = SSL_read(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
    need_ = tls::need_after(session_.get(), count);
    ERR_clear_error();
    if (count <= 0) return std::nullopt;
    incoming_.append(bytes.data(), static_cast<size_t>(count));
    auto request = take_frame(incoming_);
    if (!request) {
      need_ = tls::Need::kEnd;
      return std::nullopt;
    }
    if (!*request) continue;
    asked_ = true;
    return std::move(*request);
  }
}

void DoorVisit::answer(const std::string& bytes) {
  outgoing_ = to_frame(bytes);
  write();
}

void DoorVisit::write() {
  while (!outgoing_.empty()) {
    const int count =
        SSL_write(session_.get(), outgoing_.data(), static_cast<int>(outgoing_.size()));
    need_ = tls::need_after(session_.get(), count);
    ERR_clear_error();
    if (count <= 0) return;
    outgoing_.erase(0, static_cast<size_t>(count));
  }
  SSL_shutdown(session_.get());
  need_ = tls::Need::kEnd;
}

}  // namespace muster::identity
