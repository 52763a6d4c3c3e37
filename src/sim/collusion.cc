#include "sim/collusion.h"

#include <algorithm>

#include "sim/process.h"
#include "wire/envelope.h"

namespace muster::sim {

namespace {

bool has(const pb::Grant& grant, uint32_t item) {
  return std::any_of(grant.items().begin(), grant.items().end(),
                     [item](const pb::ItemRequests& its) { return its.item() == item; });
}

}  // namespace

class Collusion::Colluder final : public Insider {
 public:
  Colluder(Collusion& collusion, World& world, Node& node)
      : collusion_(collusion), world_(world), node_(node) {}

  bool hears(const pb::Envelope& envelope) override {
    if (!envelope.has_grant()) return false;
    if (collusion_.is_shared(*this, envelope.grant())) return false;
    std::erase_if(kept_, [&](const pb::Envelope& kept) {
      return kept.grant().key().job() != envelope.grant().key().job();
    });
    kept_.push_back(envelope);
    say_failed(envelope);
    return true;
  }

  bool may_say(pb::Envelope&) override { return true; }

  // Its honest role computes after all what it has declined; whether there is any such.
  bool answer_late(const std::string& job, uint32_t item) {
    const auto last = std::stable_partition(kept_.begin(), kept_.end(), [&](const auto& kept) {
      return kept.grant().key().job() != job || !has(kept.grant(), item);
    });
    const bool any = last != kept_.end();
    std::for_each(last, kept_.end(), [this](const pb::Envelope& envelope) {
      world_.agenda.in(Duration(), [this, envelope] {
        world_.in_process(node_, node_.life, [&](Process& process) {
          process.driver().receive(node_.local(world_.now()), envelope);
        });
      });
    });
    kept_.erase(last, kept_.end());
    return any;
  }

 private:
  void say_failed(const pb::Envelope& granted) {
    pb::Envelope say =
        wire::envelope_to(wire::address(pb::ROLE_COORDINATOR, granted.from().machine()));
    say.mutable_from()->set_role(pb::ROLE_WORKER);
    pb::LeaseFailed& failed = *say.mutable_lease_failed();
    *failed.mutable_key() = granted.grant().key();
    *failed.mutable_lease() = granted.grant().lease();
    failed.set_item(granted.grant().items(0).item());
    failed.set_message("the engine crashed");
    world_.send(node_, std::move(say));
  }

  Collusion& collusion_;
  World& world_;
  Node& node_;
  std::vector<pb::Envelope> kept_;
};

void Collusion::join(World& world, Node& node) {
  auto colluder = std::make_unique<Colluder>(*this, world, node);
  colluders_.push_back(colluder.get());
  node.insider = std::move(colluder);
}

bool Collusion::is_shared(const Colluder& one, const pb::Grant& grant) {
  bool is_shared = false;
  for (const pb::ItemRequests& item : grant.items()) {
    for (Colluder* other : colluders_) {
      if (other != &one) is_shared |= other->answer_late(grant.key().job(), item.item());
    }
  }
  return is_shared;
}

}  // namespace muster::sim
