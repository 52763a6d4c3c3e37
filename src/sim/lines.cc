#include "sim/lines.h"

#include <algorithm>

#include "base/probe.h"
#include "sim/process.h"
#include "sim/world.h"
#include "wire/envelope.h"
#include "wire/line_rules.h"

namespace muster::sim {
namespace {

constexpr Duration kFirstRetry = milliseconds(200);
constexpr Duration kSlowestRetry = seconds(5);
constexpr Duration kLatest = seconds(20);
constexpr size_t kLongestEnvelope = 4u << 20;
constexpr size_t kMostOnItsWay = 64u << 20;

pb::RoleFlag said_flag(const Node& node) {
  return node.says_flag == pb::ROLE_FLAG_UNSPECIFIED ? node.flag : node.says_flag;
}

roles::NodeJoined hello_of(const Node& node) {
  roles::NodeJoined joined{node.machine, {}};
  joined.hello.set_role_flag(said_flag(node));
  joined.hello.set_owner(node.owner);
  joined.hello.set_version(node.version);
  joined.hello.set_release(node.version == "newer" ? 2 : node.version == "older" ? 0 : 1);
  joined.hello.set_instance(node.name + " " + std::to_string(node.life));
  if (node.stores()) joined.hello.set_store_id(node.records.store_id());
  return joined;
}

}  // namespace

std::optional<Duration> Lane::enter(Instant now, const std::string& sender, size_t bytes,
                                    uint64_t bytes_per_second) {
  Share& share = by_sender_[sender];
  const bool owns = sender.empty();
  const bool fits = bytes_ + bytes <= (owns ? kMostOnItsWay : kMostOnItsWay / 4 * 3) &&
                    (owns || share.bytes + bytes <= kMostOnItsWay / 4);
  if (!fits) return std::nullopt;
  share.bytes += bytes;
  bytes_ += bytes;
  if (bytes_per_second == 0) return Duration();
  const auto takes = Duration(static_cast<int64_t>(bytes * 1'000'000 / bytes_per_second));
  share.free_at = std::max(share.free_at, now) + takes;
  return share.free_at - now;
}

void Lane::leave(const std::string& sender, size_t bytes) {
  by_sender_[sender].bytes -= bytes;
  bytes_ -= bytes;
}

Lines::Lines(World& world) : to_client([](auto&, auto&) {}), world_(world) {}

// ---- Sessions.

void Lines::open(Node& node) {
  const Node& server = world_.server();
  Line& line = node.line;
  if (!node.process || line.session != 0) return;
  if (!server.process || server.paused || line.cut_up || line.cut_down) {
    return retry(node, kSlowestRetry);
  }
  line.session = next_session_++;
  tell_roles(node, roles::LineUp{});
  line.hello_arrives = world_.now() + delay(&node);
  world_.agenda.at(line.hello_arrives, [this, &node, session = line.session, life = server.life,
                                        joined = hello_of(node)] {
    world_.in_process(world_.server(), life,
                      [this, &node, session, joined](Process&) { admit(node, session, joined); });
  });
}

// One line a machine: the one whose Hello came last. Should that be an older one, the node's own
// closes, and it connects again.
void Lines::admit(Node& node, uint64_t session, const roles::NodeJoined& joined) {
  const uint64_t before = std::exchange(node.line.admitted, session);
  Node& twin = world_.take_id(node);
  if (&twin != &node && twin.line.admitted != 0) {
    twin.line.admitted = 0;  // Of two with one key the newer line is the machine's.
    close(twin);
  }
  tell_server(joined);
  if (before != 0 && before == node.line.session) close(node);
}

// Of the server's process, which runs.
void Lines::tell_server(const roles::Event& event) {
  Node& server = world_.server();
  server.process->driver().deliver(server.local(world_.now()), pb::ROLE_SERVER, event);
}

void Lines::tell_roles(Node& node, const roles::Event& event) {
  world_.in_process_after(node, {}, [&node, this, event](Process& process) {
    for (pb::Role role : {pb::ROLE_WORKER, pb::ROLE_STORAGE, pb::ROLE_COORDINATOR}) {
      process.driver().deliver(node.local(world_.now()), role, event);
    }
  });
}

void Lines::retry(Node& node, Duration pause) {
  if (!reconnect) return;
  const auto wait = pause == Duration() ? pause : uniform(pause) + Duration(1);
  world_.agenda.in(wait, [this, &node, life = node.life] {
    if (node.life == life) open(node);
  });
}

void Lines::close(Node& node) {
  Line& line = node.line;
  const uint64_t session = std::exchange(line.session, 0);
  if (session == 0) return;
  line.up = line.down = {};
  tell_roles(node, roles::LineDown{});
  const bool seen = !line.cut_up && session != line.dead_session;
  if (world_.server().process && seen) tell_server_of_close(node, session);
  retry(node, kFirstRetry);
}

// No sooner than of the Hello.
void Lines::tell_server_of_close(Node& node, uint64_t session) {
  const Instant arrives = std::max(world_.now() + delay(&node), node.line.hello_arrives);
  world_.agenda.at(arrives, [this, &node, session, life = world_.server().life] {
    world_.in_process(world_.server(), life, [this, &node, session](Process&) {
      if (node.line.admitted != session) return;  // Another line is there: nobody left.
      node.line.admitted = 0;
      tell_server(roles::NodeLeft{node.machine});
    });
  });
}

void Lines::close_all() {
  for (const auto& [name, node] : world_.nodes()) {
    node->line.admitted = 0;
    close(*node);
  }
}

void Lines::deafen(Node& node) { node.line.dead_session = node.line.session; }

// The server closes a line. The node learns it as soon as anything passes.
void Lines::refuse(Node& node) {
  node.line.refused = std::exchange(node.line.admitted, 0);
  learn_of_refusal(node, node.line.refused);
}

void Lines::learn_of_refusal(Node& node, uint64_t session) {
  world_.agenda.in(kFirstRetry + delay(&node), [this, &node, session] {
    if (node.line.session != session) return;
    if (session == node.line.dead_session) return;
    node.line.cut_down ? learn_of_refusal(node, session) : close(node);
  });
}

// ---- Envelopes.

void Lines::say(Node& from, pb::Envelope envelope) {
  carry(from, Way::kUp, std::make_shared<pb::Envelope>(std::move(envelope)));
}

void Lines::tell(pb::Envelope envelope) {
  const pb::Address& to = envelope.to();
  if (to.role() == pb::ROLE_CLIENT) {
    return world_.agenda.in(
        delay(), [this, client = to.machine(), e = std::move(envelope)] { to_client(client, e); });
  }
  Node* target = world_.find(to.machine());
  if (target == nullptr) return;
  if (envelope.has_refused()) return refuse(*target);
  carry(*target, Way::kDown, std::make_shared<pb::Envelope>(std::move(envelope)));
}

void Lines::ask_server(const std::string& client, pb::Envelope envelope) {
  Node& server = world_.server();
  if (!server.process) return;
  *envelope.mutable_from() = wire::address(pb::ROLE_CLIENT, client);
  if (!envelope.has_holder()) envelope.mutable_holder()->set_role(pb::POOL_ROLE_OPERATOR);
  world_.agenda.in(delay(), [this, &server, life = server.life, e = std::move(envelope)] {
    world_.in_process(server, life, [this, &server, e](Process& process) {
      process.driver().receive(server.local(world_.now()), e);
    });
  });
}

// One hop between a node and the server.
void Lines::carry(Node& node, Way way, Travelling envelope) {
  const Line& line = node.line;
  if (line.session == 0 || line.session == line.refused || !line.passes(way)) return;
  if (happens(weather.lost_per_mille)) return;
  Load load;
  if (have_limits) load.bytes = envelope->ByteSizeLong();
  if (have_limits && way == Way::kDown) load.sender = envelope->from().machine();
  const int copies = happens(weather.repeated_per_mille) ? 2 : 1;
  for (int i = 1; i < copies; ++i) {
    if (!set_off(node, way, load, envelope)) return;  // Nor is it said twice.
  }
  set_off(node, way, load, std::move(envelope));
}

// False: it is left out.
bool Lines::set_off(Node& node, Way way, const Load& load, Travelling envelope) {
  const bool relayed = way == Way::kUp && envelope->to().role() != pb::ROLE_SERVER;
  const bool late = relayed && happens(weather.late_per_mille);
  const auto waits = have_limits ? enter_lane(node, way, load) : Duration();
  if (!waits) return false;
  const Duration later = late ? uniform(kLatest) : Duration();
  world_.agenda.in(*waits + later + delay(&node),
                   [this, &node, way, load, session = node.line.session,
                    envelope = std::move(envelope)]() mutable {
                     arrive(node, way, load, session, std::move(envelope));
                   });
  return true;
}

// How long an envelope takes on top of the weather; none: it is left out.
std::optional<Duration> Lines::enter_lane(Node& node, Way way, const Load& load) {
  if (load.bytes > kLongestEnvelope) {
    MUSTER_PROBE("a line ends of what its own end says");
    if (way == Way::kUp) close(node);
    return std::nullopt;
  }
  const auto waits =
      node.line.lane(way).enter(world_.now(), load.sender, load.bytes, node.line.bytes_per_second);
  if (!waits) MUSTER_PROBE("an envelope finds no room in a queue");
  return waits;
}

void Lines::arrive(Node& node, Way way, const Load& load, uint64_t session, Travelling envelope) {
  if (node.line.session != session) return;  // Of an older line.
  if (have_limits) node.line.lane(way).leave(load.sender, load.bytes);
  if (!node.line.passes(way)) return;
  way == Way::kUp ? arrive_at_server(node, std::move(envelope))
                  : receive(node, std::move(envelope));
}

void Lines::arrive_at_server(Node& from, Travelling envelope) {
  Node& server = world_.server();
  if (!server.process) return;
  envelope->mutable_from()->set_machine(from.machine);  // The transport vouches for it.
  const wire::Verdict verdict = wire::judge(*envelope, said_flag(from));
  if (verdict.passes) return relay(std::move(envelope));
  if (verdict.why.empty()) return;
  world_.in_process(
      server, server.life,
      [this, said = roles::Misspoken{from.machine, verdict.why}](Process&) { tell_server(said); });
}

// To the server's role, or on to another node while the server runs.
void Lines::relay(Travelling envelope) {
  Node& server = world_.server();
  const pb::Role to = envelope->to().role();
  if (to == pb::ROLE_CLIENT) return;
  if (to == pb::ROLE_SERVER) return receive(server, std::move(envelope));
  Node* target = world_.find(envelope->to().machine());
  if (target == nullptr) return;
  world_.in_process(server, server.life,
                    [this, target, envelope = std::move(envelope)](Process&) mutable {
                      carry(*target, Way::kDown, std::move(envelope));
                    });
}

void Lines::receive(Node& node, Travelling envelope) {
  world_.in_process(node, node.life,
                    [&node, this, envelope = std::move(envelope)](Process& process) mutable {
                      if (node.insider && node.insider->hears(*envelope)) return;
                      process.driver().receive(node.local(world_.now()), taken(envelope));
                    });
}

pb::Envelope Lines::taken(const Travelling& envelope) {
  return envelope.use_count() == 1 ? std::move(*envelope) : *envelope;
}

// ---- Chance.

Duration Lines::delay(const Node* node) {
  const Duration jitter = weather.jitter + (node == nullptr ? Duration() : node->line.jitter);
  return weather.least_delay + (jitter == Duration() ? Duration() : uniform(jitter));
}

Duration Lines::uniform(Duration below) {
  return Duration(static_cast<int64_t>(world_.rng.below(static_cast<uint64_t>(below.count()))));
}

// Draws nothing for what never happens: more traffic does not make other luck then.
bool Lines::happens(uint32_t per_mille) {
  return per_mille > 0 && world_.rng.below(1000) < per_mille;
}

}  // namespace muster::sim
