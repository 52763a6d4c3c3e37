#include "cli/join_command.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>

namespace muster::cli {
namespace {

constexpr int kAnswerMs = 1000;

// This machine's first that is not for itself alone.
std::optional<in_addr> own_address() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> held(list, &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool is_up = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    if (!is_up || entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    return reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
  }
  return std::nullopt;
}

bool answers(in_addr host, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = host;
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int begun = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  pollfd wait{fd, POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  const bool is_open =
      begun == 0 || (poll(&wait, 1, kAnswerMs) == 1 &&
                     getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
  close(fd);
  return is_open;
}

std::string where(const Address& server) {
  return " --ip " + server.host + " --port " + std::to_string(server.port);
}

}  // namespace

std::string join_command(pb::PoolRole role, const identity::Token& token, const Address& server) {
  const char* what = role == pb::POOL_ROLE_WORKER        ? "worker"
                     : role == pb::POOL_ROLE_COORDINATOR ? "coordinator"
                                                         : "login";
  return "MUSTER_TOKEN=" + token.word() + " muster " + what + where(server);
}

std::string docker_command(pb::PoolRole role, const identity::Token& token, const Address& server) {
  const std::string run = "docker run -d --restart=on-failure -e MUSTER_TOKEN=" + token.word();
  const std::string image = "muster-worker:" MUSTER_VERSION;
  if (role == pb::POOL_ROLE_COORDINATOR) return run + " " + image + " coordinator" + where(server);
  if (role != pb::POOL_ROLE_WORKER) return "";
  return run + " $(command -v nvidia-container-cli > /dev/null && echo --gpus=all) " + image +
         " worker --status_port 8787" + where(server);
}

Address address_for_others(const Address& server, std::string& warning) {
  if (!is_loopback(server.host)) return server;
  const auto own = own_address();
  if (!own || !answers(*own, server.port)) {
    warning = "the server listens for this machine alone: start it with --ip 0.0.0.0 for others";
    return server;
  }
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &*own, text.data(), text.size());
  warning = "where others reach this machine by another address than " + std::string(text.data()) +
            ", put that into the command";
  return {text.data(), server.port};
}

}  // namespace muster::cli
