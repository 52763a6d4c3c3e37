// Many machines that are lent and have nothing to do, on one server over TLS: what each of them
// costs it, and how soon all are back when it was away. They do on the wire what real ones do (a
// connection and a certificate of its own, heartbeats, patience between attempts), in one process.
//
//   bench_machines PORT AUTHORITY MACHINES
//
// AUTHORITY: the server's state folder, whose key signs their certificates. Prints a line whenever
// all are in, or have been lost since; ends when its input does.
#include <grpcpp/grpcpp.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>
#include <random>
#include <thread>

#include "base/file.h"
#include "identity/authority.h"
#include "identity/channels/client_credentials.h"
#include "identity/channels/server_credentials.h"
#include "identity/openssl.h"
#include "io/descriptors.h"
#include "muster/v1/pool.grpc.pb.h"
#include "roles/role.h"
#include "wire/envelope.h"
#include "wire/keys.h"
#include "wire/release.h"

namespace muster::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kMostOpening = 200;  // At a time, else this process is what is measured.
constexpr int kMostOfARound = 20;
constexpr auto kFirstRetry = std::chrono::milliseconds(200),
               kLastRetry = std::chrono::milliseconds(5000);

struct Machine {
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_key{};
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  std::chrono::milliseconds retry = kFirstRetry;
};

class Fleet;

// One attempt of a machine, from its connection to its end.
class Line final : public grpc::ClientBidiReactor<pb::Envelope, pb::Envelope> {
 public:
  Line(Fleet& fleet, size_t machine) : fleet_(fleet), machine_(machine) {}
  void begin(const std::string& target);
  void beat() {
    pb::Envelope envelope = wire::envelope_to_server();
    envelope.mutable_heartbeat();
    say(std::move(envelope));
  }
  [[nodiscard]] size_t machine() const { return machine_; }
  [[nodiscard]] bool was_admitted() const { return admitted_; }

  void OnReadDone(bool ok) override {
    if (!ok) return end();
    take();
    StartRead(&incoming_);
  }
  void OnWriteDone(bool) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    write_next();
  }
  void OnDone(const grpc::Status&) override;

 private:
  void take();
  void greet(const pb::Challenge& challenge);
  void say(pb::Envelope envelope) {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    queue_.push_back(std::move(envelope));
    write_next();
  }
  void write_next() {
    if (ended_ || writing_ || queue_.empty()) return;
    writing_ = true;
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    StartWrite(&outgoing_);
  }
  void end() {
    std::lock_guard lock(mutex_);
    if (!std::exchange(ended_, true)) RemoveHold();
  }

  Fleet& fleet_;
  const size_t machine_;
  std::unique_ptr<pb::Mesh::Stub> stub_;
  grpc::ClientContext context_;
  pb::Envelope incoming_, outgoing_;
  std::atomic<bool> admitted_ = false;
  std::mutex mutex_;
  std::deque<pb::Envelope> queue_;
  bool writing_ = false, ended_ = false;
};

// All of them: opens lines, beats their hearts, opens them again.
class Fleet {
 public:
  Fleet(std::string target, std::vector<Machine> machines)
      : target_(std::move(target)), machines_(std::move(machines)), lines_(machines_.size()) {}

  void run() {
    for (size_t i = 0; i < machines_.size(); ++i) due_.push({Clock::now(), i});
    began_ = Clock::now();
    while (!stopped_) {
      const auto now = Clock::now();
      bury();
      open_due(now);
      beat_due(now);
      tell(now);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void stop() { stopped_ = true; }

  [[nodiscard]] const Machine& machine(size_t number) const { return machines_[number]; }
  void on_admitted() {
    ++admitted_;
    --opening_;
  }
  void on_refused(const std::string& why) {
    std::lock_guard lock(mutex_);
    if (++refused_[why] == 1) std::cerr << "refused: " << why << "\n";
  }
  // On a thread of gRPC's, on which no channel may go.
  void on_over(Line& line) {
    std::lock_guard lock(mutex_);
    over_.push_back(&line);
  }

 private:
  struct Due {
    Clock::time_point at;
    size_t machine;
    bool operator<(const Due& other) const { return at > other.at; }
  };

  void bury() {
    std::vector<Line*> over;
    {
      std::lock_guard lock(mutex_);
      over.swap(over_);
    }
    for (Line* line : over) {
      const size_t number = line->machine();
      Machine& machine = machines_[number];
      line->was_admitted() ? --admitted_ : --opening_;
      if (line->was_admitted()) machine.retry = kFirstRetry;
      const auto wait = machine.retry / 2 + machine.retry * (jitter_() % 1000) / 1000;
      due_.push({Clock::now() + wait, number});
      machine.retry = std::min(machine.retry * 2, kLastRetry);
      lines_[number].reset();
    }
  }
  // A few a round, since hearts have to beat meanwhile.
  void open_due(Clock::time_point now) {
    for (int i = 0; i < kMostOfARound; ++i) {
      if (due_.empty() || due_.top().at > now || opening_ >= kMostOpening) return;
      const size_t number = due_.top().machine;
      due_.pop();
      ++opening_;
      lines_[number] = std::make_unique<Line>(*this, number);
      lines_[number]->begin(target_);
    }
  }
  // So many a round that each is due every two seconds.
  void beat_due(Clock::time_point now) {
    const double share = std::chrono::duration<double>(now - beaten_) / roles::kHeartbeatEvery;
    const auto count =
        std::min(lines_.size(), static_cast<size_t>(share * static_cast<double>(lines_.size())));
    if (count == 0) return;
    beaten_ = now;
    for (size_t i = 0; i < count; ++i) {
      next_ = (next_ + 1) % lines_.size();
      if (lines_[next_] && lines_[next_]->was_admitted()) lines_[next_]->beat();
    }
  }
  void tell(Clock::time_point now) {
    const bool all = admitted_ == machines_.size();
    if (all == all_) return;
    all_ = all;
    if (!all) {
      began_ = now;
      std::printf("lost\n");
    } else {
      std::printf("all %zu after %.1f s\n", machines_.size(),
                  std::chrono::duration<double>(now - began_).count());
    }
    std::fflush(stdout);
  }

  const std::string target_;
  std::vector<Machine> machines_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::priority_queue<Due> due_;
  std::minstd_rand jitter_{1};
  std::atomic<size_t> admitted_ = 0, opening_ = 0;
  std::atomic<bool> stopped_ = false;
  Clock::time_point began_, beaten_ = Clock::now();
  size_t next_ = 0;
  bool all_ = false;
  std::mutex mutex_;
  std::vector<Line*> over_;
  std::map<std::string, size_t> refused_;  // How often, by reason.
};

void Line::begin(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  identity::set_server_name(arguments);
  stub_ = pb::Mesh::NewStub(
      grpc::CreateCustomChannel(target, fleet_.machine(machine_).credentials, arguments));
  stub_->async()->Connect(&context_, this);
  AddHold();
  StartRead(&incoming_);
  StartCall();
}

void Line::take() {
  if (incoming_.has_challenge()) return greet(incoming_.challenge());
  if (incoming_.has_refused()) {
    fleet_.on_refused(incoming_.refused().reason());
    return context_.TryCancel();
  }
  if (!admitted_.exchange(true)) fleet_.on_admitted();
  if (!incoming_.has_pool_state()) return;
  const pb::PoolState& state = incoming_.pool_state();
  pb::Envelope seen = wire::envelope_to_server();
  seen.mutable_from()->set_role(pb::ROLE_WORKER);
  seen.mutable_pool_state_seen()->set_revision(state.revision());
  say(std::move(seen));
  if (state.lent_known()) return;
  pb::Envelope holding = wire::envelope_to_server();
  holding.mutable_from()->set_role(pb::ROLE_WORKER);
  holding.mutable_holding();
  say(std::move(holding));
}

void Line::greet(const pb::Challenge& challenge) {
  const Machine& machine = fleet_.machine(machine_);
  const std::string signed_bytes = wire::hello_bytes(challenge.nonce());
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr,
                       reinterpret_cast<const unsigned char*>(signed_bytes.data()),
                       signed_bytes.size(), machine.secret_key.data());
  pb::Envelope envelope = wire::envelope_to_server();
  pb::Hello& hello = *envelope.mutable_hello();
  hello.set_public_key(machine.public_key.data(), machine.public_key.size());
  hello.set_signature(signature.data(), signature.size());
  hello.set_version(MUSTER_VERSION);
  hello.set_release(wire::kRelease);
  hello.set_role_flag(pb::ROLE_FLAG_COMPUTE);
  hello.set_instance(std::to_string(machine_));
  say(std::move(envelope));
}

void Line::OnDone(const grpc::Status&) { fleet_.on_over(*this); }

Result<std::vector<Machine>> make_machines(const Path& folder, size_t count) {
  constexpr size_t kMostBytes = 64u << 10;
  identity::Credentials own;
  MUSTER_TRY(own.certificate, read_file(folder / "authority.crt", kMostBytes));
  MUSTER_TRY(own.key, read_file(folder / "authority.key", kMostBytes));
  MUSTER_TRY(const auto authority, identity::Authority::read(own));
  pb::Holder holder;
  holder.set_role(pb::POOL_ROLE_WORKER);
  std::vector<Machine> machines(count);
  for (Machine& machine : machines) {
    crypto_sign_keypair(machine.public_key.data(), machine.secret_key.data());
    const std::string_view key(reinterpret_cast<const char*>(machine.public_key.data()),
                               machine.public_key.size());
    const std::string_view secret(reinterpret_cast<const char*>(machine.secret_key.data()),
                                  machine.secret_key.size());
    MUSTER_TRY(const std::string certificate,
               authority.issue(key, holder, std::time(nullptr), 86'400));
    MUSTER_TRY(const auto pem, identity::openssl::machine_key(secret));
    machine.credentials = identity::client_credentials(
        authority.certificate(), {certificate, identity::openssl::to_pem(pem.get())});
  }
  return machines;
}

int run(const std::string& port, const Path& folder, size_t count) {
  io::raise_descriptor_limit();
  auto machines = make_machines(folder, count);
  if (!machines) return std::cerr << machines.error().message << "\n", 1;
  Fleet fleet("127.0.0.1:" + port, std::move(*machines));
  std::thread input([&] {
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
    fleet.stop();
  });
  fleet.run();
  input.join();
  std::fflush(nullptr);
  ::_exit(0);  // Ten thousand connections need not be closed one by one.
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "bench_machines PORT AUTHORITY MACHINES\n", 2;
  setenv("GRPC_VERBOSITY", "NONE", 0);
  muster::identity::prepare_grpc();
  return muster::bench::run(argv[1], argv[2], std::stoul(argv[3]));
}
