#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "roles/role.h"

namespace muster::sim {

class World;
struct Node;

// How envelopes fare between nodes and the server, each way. Nothing set: at once, in order.
struct Weather {
  Duration least_delay{}, jitter{};  // Each takes least_delay + uniform [0, jitter].
  uint32_t lost_per_mille = 0, repeated_per_mille = 0;
  uint32_t late_per_mille = 0;  // Of those between nodes: up to 20 s late, while others overtake.
};

enum class Way { kUp, kDown };  // To the server, from the server.

// One way of a node's line, by who speaks: what is on its way, and when it has passed. Speakers
// take turns, so that nobody waits behind another.
class Lane {
 public:
  // Takes up room until leave(). How long it takes on top of the weather; none: there is no room.
  // `sender`: empty for whose end it is, which has room where others find none.
  std::optional<Duration> enter(Instant now, const std::string& sender, size_t bytes,
                                uint64_t bytes_per_second);
  void leave(const std::string& sender, size_t bytes);

 private:
  struct Share {
    size_t bytes = 0;
    Instant free_at{};
  };
  std::map<std::string, Share> by_sender_;
  size_t bytes_ = 0;
};

// What lies between a node and the server. Sessions follow each other on it; of a session the two
// ends may think differently for a while.
struct Line {
  // Whether what is on it now gets through.
  [[nodiscard]] bool passes(Way way) const {
    return !(way == Way::kUp ? cut_up : cut_down) && session != dead_session;
  }
  Lane& lane(Way way) { return way == Way::kUp ? up : down; }

  uint64_t session = 0;       // At the node's end; 0: none.
  uint64_t admitted = 0;      // The one that the server takes for the machine's; 0: none.
  uint64_t refused = 0;       // The one that the server has closed; the node may not know yet.
  uint64_t dead_session = 0;  // Nothing passes on this one, and nobody sees it close.
  Instant hello_arrives{};    // The last one that the node sent.
  bool cut_up = false, cut_down = false;  // Nothing passes to the server, from the server.
  Duration jitter{};                      // More than the weather's, each way.
  uint64_t bytes_per_second = 0;          // Each way; 0: no limit.
  Lane up, down;
};

// How envelopes travel: a star, from each node to the server and from there to others. The twin of
// io/mesh/lines.h: who is connected, what passes, and what finds no room.
class Lines {
 public:
  // `world` outlives the object.
  explicit Lines(World& world);

  Weather weather;
  bool reconnect = true;  // A node whose line is lost opens a new one by itself.
  // Lines are as io/mesh's: what is too large for gRPC ends the line of who says it, what finds no
  // room in a queue is left out. Off: nobody measures (it costs time).
  bool have_limits = false;
  // Gets what the server says to a client, by the client's name.
  std::function<void(const std::string& client, const pb::Envelope&)> to_client;

  void open(Node& node);  // Tries once.
  void open_soon(Node& node) { retry(node, {}); }
  // Both ends see it close, each if the close reaches it.
  void close(Node& node);
  // The line that is there passes nothing any more, and neither end is told.
  void deafen(Node& node);
  // The server's process is gone, and every line with it.
  void close_all();

  // What a node says, to the server or by it to another node.
  void say(Node& from, pb::Envelope envelope);
  // What the server's role says: to a node, whose line ends when it is Refused, or to a client.
  void tell(pb::Envelope envelope);
  // A client's envelope to the server; lost when there is none.
  void ask_server(const std::string& client, pb::Envelope envelope);

 private:
  // An envelope on its way: copied only where two hold it.
  using Travelling = std::shared_ptr<pb::Envelope>;
  // What it takes of a lane. Nothing where lines have no limits.
  struct Load {
    std::string sender;
    size_t bytes = 0;
  };
  static pb::Envelope taken(const Travelling& envelope);

  void admit(Node& node, uint64_t session, const roles::NodeJoined& joined);
  void tell_server_of_close(Node& node, uint64_t session);
  void retry(Node& node, Duration pause);
  void refuse(Node& node);
  void learn_of_refusal(Node& node, uint64_t session);
  void tell_roles(Node& node, const roles::Event& event);
  void tell_server(const roles::Event& event);

  void carry(Node& node, Way way, Travelling envelope);
  bool set_off(Node& node, Way way, const Load& load, Travelling envelope);
  [[nodiscard]] std::optional<Duration> enter_lane(Node& node, Way way, const Load& load);
  void arrive(Node& node, Way way, const Load& load, uint64_t session, Travelling envelope);
  void arrive_at_server(Node& from, Travelling envelope);
  void relay(Travelling envelope);
  void receive(Node& node, Travelling envelope);

  // Of one hop; `node`: between it and the server.
  [[nodiscard]] Duration delay(const Node* node = nullptr);
  [[nodiscard]] Duration uniform(Duration below);
  [[nodiscard]] bool happens(uint32_t per_mille);

  World& world_;
  uint64_t next_session_ = 1;
};

}  // namespace muster::sim
