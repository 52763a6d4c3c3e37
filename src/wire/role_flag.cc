#include "wire/role_flag.h"

namespace muster::wire {
namespace {

struct Row {
  pb::RoleFlag flag;
  std::string_view word;
};
constexpr Row kWords[] = {{pb::ROLE_FLAG_AUTO, "auto"},
                          {pb::ROLE_FLAG_COMPUTE, "compute"},
                          {pb::ROLE_FLAG_STORAGE, "storage"},
                          {pb::ROLE_FLAG_COORDINATOR, "coordinator"}};

}  // namespace

std::string_view to_word(pb::RoleFlag flag) {
  for (const Row& row : kWords) {
    if (row.flag == flag) return row.word;
  }
  return "coordinator";
}

pb::RoleFlag to_role_flag(std::string_view word) {
  for (const Row& row : kWords) {
    if (row.word == word) return row.flag;
  }
  return pb::ROLE_FLAG_UNSPECIFIED;
}

}  // namespace muster::wire
