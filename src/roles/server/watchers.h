#pragma once

#include <map>
#include <string>

#include "roles/role.h"

namespace muster::roles::server {

// Researchers' calls that hear of each change of a job, until it is over or they hang up. By the
// numbers of the calls, in whose order they are told.
class Watchers {
 public:
  // `token`: the id of the one that let him in.
  void add(const std::string& job, const std::string& client, const std::string& token = "") {
    by_job_[job].emplace(client, token);
  }
  // The call has ended: it watches nothing any more.
  void hang_up(const std::string& client);
  // Tells them how the job's row is now; `message` is what a row does not say.
  void tell(const pb::JobRow& row, const std::string& message, Effects& effects) const;
  // The job is not there, after all. They hear no more.
  void fail(const std::string& job, const Error& error, Effects& effects);
  // Whom this token let in hears why he hears no more.
  void refuse(const std::string& token, const std::string& why, Effects& effects);
  // They have heard the end.
  void end(const std::string& job) { by_job_.erase(job); }
  [[nodiscard]] size_t size() const;

 private:
  std::map<std::string, std::map<std::string, std::string>> by_job_;  // Clients, and their tokens.
};

}  // namespace muster::roles::server
