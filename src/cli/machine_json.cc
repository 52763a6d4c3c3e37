#include "cli/machine_json.h"

#include "wire/role_flag.h"

namespace muster::cli {

Json machine_json(const pb::Machine& machine) {
  Json charges = Json::array();
  for (const auto& charge : machine.charges()) {
    charges.push_back({{"job", charge.job()},
                       {"run", charge.run()},
                       {"item", charge.item()},
                       {"difference", charge.difference()}});
  }
  return {{"machine", machine.machine()}, {"role", std::string(wire::to_word(machine.role_flag()))},
          {"state", machine.state()},     {"owner", machine.owner()},
          {"version", machine.version()}, {"token", machine.token()},
          {"reason", machine.reason()},   {"quarantined", machine.quarantined()},
          {"charges", std::move(charges)}};
}

}  // namespace muster::cli
