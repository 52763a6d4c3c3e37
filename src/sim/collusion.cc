#include "sim/collusion.h"

#include <algorithm>

#include "roles/message.h"
#include "sim/process.h"

namespace muster::sim {

class Collusion::Colluder final : public Insider {
 public:
  Colluder(Collusion& collusion, World& world, Node& node)
      : collusion_(collusion), world_(world), node_(node) {}

  bool hears(const pb::Envelope& envelope) override {
    if (!envelope.has_grant()) return false;
    const pb::Grant& grant = envelope.grant();
    if (collusion_.is_answered(grant) || collusion_.rng_.below(2) == 0) {
      collusion_.answer(grant);
      return false;
    }
    std::erase_if(kept_, [&](const pb::Envelope& kept) {
      return kept.grant().key().job() != grant.key().job();
    });
    kept_.push_back(envelope);
    say_failed(envelope);
    return true;
  }

  bool may_say(pb::Envelope&) override { return true; }

  // What it declined, and an accomplice has answered now: its honest role computes it after all.
  void answer_late() {
    std::vector<pb::Envelope> due;
    std::erase_if(kept_, [&](const pb::Envelope& envelope) {
      if (!collusion_.is_answered(envelope.grant())) return false;
      due.push_back(envelope);
      return true;
    });
    for (const pb::Envelope& envelope : due) {
      world_.agenda.in(Duration(), [this, envelope] {
        world_.in_process(node_, node_.life, [&](Process& process) {
          process.driver().receive(node_.local(world_.now()), envelope);
        });
      });
    }
  }

 private:
  void say_failed(const pb::Envelope& granted) {
    pb::Envelope say =
        roles::envelope_to(roles::address(pb::ROLE_COORDINATOR, granted.from().machine()));
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

bool Collusion::is_answered(const pb::Grant& grant) const {
  return std::any_of(grant.items().begin(), grant.items().end(), [&](const auto& item) {
    return answered_.contains({grant.key().job(), item.item()});
  });
}

void Collusion::answer(const pb::Grant& grant) {
  for (const auto& item : grant.items()) answered_.insert({grant.key().job(), item.item()});
  for (Colluder* colluder : colluders_) colluder->answer_late();
}

}  // namespace muster::sim
