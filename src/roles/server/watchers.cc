#include "roles/server/watchers.h"

#include "roles/server/client_replies.h"
#include "wire/failure.h"

namespace muster::roles::server {

void Watchers::hang_up(const std::string& client) {
  for (auto& [job, clients] : by_job_) clients.erase(client);
  std::erase_if(by_job_, [](const auto& entry) { return entry.second.empty(); });
}

void Watchers::refuse(const std::string& token, const std::string& why, Effects& effects) {
  for (auto& [job, clients] : by_job_) {
    for (const auto& [client, by] : clients) {
      if (by == token) effects.send.push_back({refusal(client, why)});
    }
    std::erase_if(clients, [&](const auto& entry) { return entry.second == token; });
  }
  std::erase_if(by_job_, [](const auto& entry) { return entry.second.empty(); });
}

void Watchers::fail(const std::string& job, const Error& error, Effects& effects) {
  const auto watching = by_job_.extract(job);
  if (watching.empty()) return;
  for (const auto& [client, token] : watching.mapped()) {
    pb::Envelope update = to_client(client);
    *update.mutable_job_update()->mutable_failure() = to_failure(error);
    effects.send.push_back({std::move(update)});
  }
}

void Watchers::tell(const pb::JobRow& row, const std::string& message, Effects& effects) const {
  const auto found = by_job_.find(row.job());
  if (found == by_job_.end()) return;
  for (const auto& [client, token] : found->second) {
    pb::Envelope update = to_client(client);
    *update.mutable_job_update()->mutable_row() = row;
    update.mutable_job_update()->set_message(message);
    effects.send.push_back({std::move(update)});
  }
}

size_t Watchers::size() const {
  size_t count = 0;
  for (const auto& [job, clients] : by_job_) count += clients.size();
  return count;
}

}  // namespace muster::roles::server
