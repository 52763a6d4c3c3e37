#include "wire/pool_role.h"

namespace muster::wire {
namespace {

struct Row {
  pb::PoolRole role;
  std::string_view word;
};
constexpr Row kWords[] = {{pb::POOL_ROLE_WORKER, "worker"},
                          {pb::POOL_ROLE_COORDINATOR, "coordinator"},
                          {pb::POOL_ROLE_RESEARCHER, "researcher"},
                          {pb::POOL_ROLE_OPERATOR, "operator"}};

}  // namespace

std::string_view to_word(pb::PoolRole role) {
  for (const Row& row : kWords) {
    if (row.role == role) return row.word;
  }
  return "";
}

pb::PoolRole to_pool_role(std::string_view word) {
  for (const Row& row : kWords) {
    if (row.word == word) return row.role;
  }
  return pb::POOL_ROLE_UNSPECIFIED;
}

pb::Holder make_holder(pb::PoolRole role, const std::string& owner, const std::string& token) {
  pb::Holder holder;
  holder.set_role(role);
  holder.set_owner(owner);
  holder.set_token(token);
  return holder;
}

bool is_node(pb::PoolRole role) {
  return role == pb::POOL_ROLE_WORKER || role == pb::POOL_ROLE_COORDINATOR;
}

bool may_connect(pb::PoolRole role, pb::RoleFlag flag) {
  if (flag == pb::ROLE_FLAG_COORDINATOR) return role == pb::POOL_ROLE_COORDINATOR;
  return role == pb::POOL_ROLE_WORKER;
}

bool may_become(pb::PoolRole wanted, pb::PoolRole has) {
  if (to_word(wanted).empty()) return false;
  return has == wanted || has == pb::POOL_ROLE_OPERATOR;
}

}  // namespace muster::wire
