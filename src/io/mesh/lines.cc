#include "io/mesh/lines.h"

#include "io/mesh/node_line.h"

namespace muster::io {

void Lines::admit(const std::string& machine, std::shared_ptr<NodeLine> line) {
  std::shared_ptr<NodeLine> older;
  {
    std::lock_guard lock(mutex_);
    older = std::exchange(lines_[machine], std::move(line));
  }
  if (older) older->close();
}

bool Lines::remove(const std::string& machine, const NodeLine* line) {
  std::lock_guard lock(mutex_);
  auto found = lines_.find(machine);
  if (found == lines_.end() || found->second.get() != line) return false;
  lines_.erase(found);
  return true;
}

std::shared_ptr<NodeLine> Lines::find(const std::string& machine) {
  std::lock_guard lock(mutex_);
  auto found = lines_.find(machine);
  return found == lines_.end() ? nullptr : found->second;
}

void Lines::deliver(pb::Envelope envelope) {
  const pb::Address& to = envelope.to();
  if (to.role() == pb::ROLE_SERVER) return inbox.receive(std::move(envelope));
  if (to.role() == pb::ROLE_CLIENT) {
    std::shared_ptr<Call> call;
    {
      std::lock_guard lock(mutex_);
      if (auto found = calls_.find(to.machine()); found != calls_.end()) call = found->second;
    }
    if (call && envelope.from().role() == pb::ROLE_SERVER) call->answer(envelope);
    return;
  }
  if (auto line = find(to.machine())) line->send(std::move(envelope));
}

void Lines::cancel_all() {
  std::map<std::string, std::shared_ptr<NodeLine>> lines;
  {
    std::lock_guard lock(mutex_);
    lines = lines_;
  }
  for (auto& [machine, line] : lines) line->close();
}

}  // namespace muster::io
