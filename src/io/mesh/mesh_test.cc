// Both ends of lines over real sockets: what strangers and other nodes do to a line does not hurt
// it.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <filesystem>
#include <future>
#include <thread>

#include "identity/application.h"
#include "identity/certificate.h"
#include "identity/channels/knock.h"
#include "identity/token.h"
#include "io/machine_keys.h"
#include "io/mesh/mesh_client.h"
#include "io/mesh/mesh_server.h"
#include "io/mesh/read_budget.h"
#include "muster/v1/pool.grpc.pb.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/keys.h"

namespace muster::io {
namespace {

// An intake whose owner takes when the test says so.
class Desk final : public Intake {
 public:
  void post(pb::Role, roles::Event event) override {
    change([&] { events.push_back(std::move(event)); });
  }
  bool offer(pb::Envelope envelope, std::function<void()> taken) override {
    change([&] {
      bytes += envelope.ByteSizeLong();
      peak = std::max(peak, bytes);
      waiting.emplace_back(std::move(envelope), std::move(taken));
    });
    return true;
  }
  // Waits for the next envelope and is through with it.
  pb::Envelope take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !waiting.empty(); });
    auto [envelope, taken] = std::move(waiting.front());
    waiting.pop_front();
    bytes -= envelope.ByteSizeLong();
    lock.unlock();
    taken();
    return envelope;
  }
  void wait(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex);
    changed.wait(lock, condition);
  }
  template <typename T>
  size_t count() const {
    return std::count_if(events.begin(), events.end(),
                         [](const auto& event) { return std::holds_alternative<T>(event); });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<pb::Envelope, std::function<void()>>> waiting;
  std::vector<roles::Event> events;
  size_t bytes = 0, peak = 0;

 private:
  void change(const std::function<void()>& how) {
    std::lock_guard lock(mutex);
    how();
    changed.notify_all();
  }
};

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t bytes = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), bytes), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes);
  close(fd);
  return ntohs(address.sin_port);
}

MachineKeys new_keys() {
  char folder[] = "/tmp/muster-mesh-XXXXXX";
  const Path path = mkdtemp(folder);
  auto keys = MachineKeys::open(path);
  std::filesystem::remove_all(path);
  return *keys;
}

// A node that says what the test wants, and reads only when the test wants.
class Stranger {
 public:
  explicit Stranger(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = pb::Mesh::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    context_.set_wait_for_ready(true);
    stream_ = stub_->Connect(&context_);
  }
  ~Stranger() {
    context_.TryCancel();
    stream_->Finish();
  }
  pb::Envelope read() {
    pb::Envelope envelope;
    if (!stream_->Read(&envelope)) envelope.Clear();
    return envelope;
  }
  bool say(const pb::Envelope& envelope) { return stream_->Write(envelope); }
  void greet() {
    pb::Envelope envelope;
    auto* hello = envelope.mutable_hello();
    hello->set_public_key(keys_.public_key());
    hello->set_signature(keys_.sign(wire::hello_bytes(read().challenge().nonce())));
    hello->set_role_flag(pb::ROLE_FLAG_AUTO);
    EXPECT_TRUE(say(envelope));
  }
  std::string machine() const { return wire::machine_id(keys_.public_key()); }

 private:
  MachineKeys keys_ = new_keys();
  std::unique_ptr<pb::Mesh::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::Envelope, pb::Envelope>> stream_;
};

// Something that a worker may say to a coordinator, a store, the server.
pb::Envelope to(const std::string& machine, pb::Role role = pb::ROLE_COORDINATOR) {
  pb::Envelope envelope = wire::envelope_to(wire::address(role, machine));
  envelope.mutable_from()->set_role(pb::ROLE_WORKER);
  return envelope;
}
pb::Envelope word(pb::Envelope envelope, const std::string& text) {
  envelope.mutable_preparing()->set_what(text);
  return envelope;
}
pb::Envelope bulk(const std::string& machine, size_t bytes) {
  constexpr size_t kPart = 50'000;
  pb::Envelope envelope = to(machine, pb::ROLE_STORAGE);
  for (size_t left = bytes; left > 0; left -= std::min(left, kPart)) {
    envelope.mutable_put()->add_records()->set_body(std::string(std::min(left, kPart), 'x'));
  }
  return envelope;
}
pb::Envelope to_server(const std::string& text) {
  pb::Envelope envelope = to("", pb::ROLE_SERVER);
  envelope.mutable_from()->set_role(pb::ROLE_STORAGE);
  envelope.mutable_store_state()->set_problem(text);
  return envelope;
}
// As much as a node may say to the server at once.
pb::Envelope long_to_server() {
  pb::Envelope envelope = to("", pb::ROLE_SERVER);
  for (int i = 0; i < 64; ++i) {
    envelope.mutable_refusals()->add_refusals()->set_what(std::string(500, 'x'));
  }
  return envelope;
}

class MeshTest : public testing::Test {
 protected:
  void SetUp() override {
    mesh_.on_refusal = [this](const std::string& machine, const std::string& why) {
      std::lock_guard lock(desk_.mutex);
      refusals_.emplace_back(machine, why);
      desk_.changed.notify_all();
    };
    ASSERT_TRUE(mesh_.listen("127.0.0.1", port_, nullptr));
  }
  std::unique_ptr<Stranger> join() {
    auto stranger = std::make_unique<Stranger>(address_);
    stranger->greet();
    desk_.wait([&, joined = ++joined_] { return desk_.count<roles::NodeJoined>() == joined; });
    return stranger;
  }
  std::string next_word(Stranger& node) {
    while (true) {
      const auto envelope = node.read();
      if (envelope.body_case() == pb::Envelope::BODY_NOT_SET) return "the line is closed";
      if (envelope.has_preparing()) return envelope.preparing().what();
    }
  }

  const int port_ = free_port();
  const std::string address_ = "127.0.0.1:" + std::to_string(port_);
  Desk desk_;
  MeshServer mesh_{desk_};
  std::vector<std::pair<std::string, std::string>> refusals_;
  size_t joined_ = 0;
};

TEST_F(MeshTest, AFloodNeitherClosesTheVictimsLineNorShutsOthersOut) {
  auto victim = join(), flood = join(), honest = join();
  for (int i = 0; i < 100; ++i) flood->say(bulk(victim->machine(), 1000 << 10));
  flood->say(to_server("flooded"));
  EXPECT_EQ(desk_.take().store_state().problem(), "flooded");
  honest->say(word(to(victim->machine()), "from a peer"));
  honest->say(to_server("said"));
  EXPECT_EQ(desk_.take().store_state().problem(), "said");
  mesh_.send(word(to(victim->machine()), "from the server"));
  EXPECT_EQ(next_word(*victim), "from the server");
  EXPECT_EQ(next_word(*victim), "from a peer");
  EXPECT_EQ(desk_.count<roles::NodeLeft>(), 0u);
}

TEST_F(MeshTest, ALineIsReadAsFastAsTheLoopTakes) {
  auto flood = join();
  constexpr int kMessages = 1200;
  std::thread writer([&] {
    for (int i = 0; i < kMessages; ++i) flood->say(long_to_server());
  });
  desk_.wait([&] { return desk_.bytes >= ReadBudget::kBytes; });
  join();  // Others are heard meanwhile.
  for (int i = 0; i < kMessages; ++i) {
    EXPECT_EQ(desk_.take().refusals().refusals_size(), 64);
  }
  writer.join();
  EXPECT_LE(desk_.peak, ReadBudget::kBytes + (101 << 10));
}

TEST_F(MeshTest, AStreamWithoutAHelloIsEnded) {
  Stranger stranger(address_);
  EXPECT_TRUE(stranger.read().has_challenge());
  EXPECT_EQ(stranger.read().body_case(), pb::Envelope::BODY_NOT_SET);
}

TEST_F(MeshTest, ALineThatDoesNotBeginWithAHelloIsToldSo) {
  Stranger stranger(address_);
  EXPECT_TRUE(stranger.read().has_challenge());
  stranger.say(to_server("let me in"));
  EXPECT_THAT(stranger.read().refused().reason(), testing::HasSubstr("begins with a Hello"));
  EXPECT_EQ(stranger.read().body_case(), pb::Envelope::BODY_NOT_SET);
}

TEST_F(MeshTest, WhatOnlyTheServerSaysIsNotRelayed) {
  auto victim = join(), rogue = join();
  pb::Envelope refused = to(victim->machine()), challenge = refused, state = refused;
  refused.mutable_refused()->set_reason("go away");
  challenge.mutable_challenge()->set_nonce("sign this");
  state.mutable_pool_state()->set_revision(uint64_t{1} << 60);
  for (const auto& envelope : {refused, challenge, state}) rogue->say(envelope);
  rogue->say(word(to(victim->machine()), "hello"));
  const auto got = victim->read();
  EXPECT_EQ(got.preparing().what(), "hello") << got.ShortDebugString();
  desk_.wait([&] { return refusals_.size() == 3; });
  EXPECT_EQ(mesh_.refused().messages, 3u);
  for (const auto& [machine, why] : refusals_) {
    EXPECT_EQ(machine, rogue->machine());
    EXPECT_THAT(why, testing::HasSubstr("from a worker to "));
  }
}

TEST_F(MeshTest, TheServersRefusalEndsALine) {
  auto node = join();
  pb::Envelope refused = to(node->machine());
  refused.mutable_refused()->set_reason("silent");
  mesh_.send(refused);
  EXPECT_EQ(node->read().refused().reason(), "silent");
  EXPECT_EQ(node->read().body_case(), pb::Envelope::BODY_NOT_SET);
  desk_.wait([&] { return desk_.count<roles::NodeLeft>() == 1; });
}

TEST_F(MeshTest, WhatIsTooLargeIsLeftOutAndTheLineGoesOn) {
  auto node = join(), other = join();
  mesh_.send(bulk(node->machine(), wire::kMaxEnvelopeBytes));
  other->say(bulk(node->machine(), wire::kMaxEnvelopeBytes));
  other->say(word(to(node->machine()), "after it"));
  EXPECT_EQ(next_word(*node), "after it");
}

Membership without_tls(const std::string& address, const MachineKeys& keys) {
  return Membership({.address = address, .insecure = true}, "", keys, pb::POOL_ROLE_WORKER, "");
}

MeshClient::Signer signer(const MachineKeys& keys) {
  return {keys.public_key(), [&keys](std::string_view bytes) { return keys.sign(bytes); }};
}

TEST_F(MeshTest, TwoMachinesWithOneKeyAreBothTold) {
  const MachineKeys keys = new_keys();
  Desk desks[2];
  std::promise<std::string> news[2];
  Membership memberships[] = {without_tls(address_, keys), without_tls(address_, keys)};
  std::unique_ptr<MeshClient> twins[2];
  for (int i : {0, 1}) {
    twins[i] = std::make_unique<MeshClient>(memberships[i], NodeIdentity{}, signer(keys),
                                            std::vector{pb::ROLE_WORKER}, desks[i]);
    twins[i]->on_news = [&, i](const std::string& what) {
      if (what.find("refuses this machine") != std::string::npos) news[i].set_value(what);
    };
    twins[i]->start();
  }
  // Each is let in by a server's first word.
  std::atomic<bool> over = false;
  std::thread server([&] {
    for (size_t seen = 0; !over;) {
      std::string machine;
      desk_.wait([&] { return over || desk_.events.size() > seen; });
      if (over) return;
      {
        std::lock_guard lock(desk_.mutex);
        const auto* joined = std::get_if<roles::NodeJoined>(&desk_.events[seen++]);
        if (joined != nullptr) machine = joined->machine;
      }
      if (!machine.empty()) mesh_.send(word(to(machine), "welcome"));
    }
  });
  for (auto& told : news) {
    const std::string what = told.get_future().get();
    EXPECT_THAT(what, testing::HasSubstr("two machines share an identity: delete machine.key"));
  }
  over = true;
  desk_.post(pb::ROLE_SERVER, roles::Tick{});
  server.join();
}

// Where a node finds this service.
struct Visited {
  explicit Visited(grpc::Service& service) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    server = builder.BuildAndStart();
    address = "127.0.0.1:" + std::to_string(port);
  }
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

// A server that challenges again in the middle of a line.
class Inquisitive final : public pb::Mesh::Service {
 public:
  grpc::Status Connect(grpc::ServerContext*,
                       grpc::ServerReaderWriter<pb::Envelope, pb::Envelope>* stream) override {
    pb::Envelope challenge;
    challenge.mutable_challenge()->set_nonce("first");
    stream->Write(challenge);
    stream->Read(&hello);
    stream->Write(word(to(""), "welcome"));
    challenge.mutable_challenge()->set_nonce("a record of somebody's");
    stream->Write(challenge);
    stream->Write(word(to(""), "asked again"));
    stream->Read(&next);
    read.set_value();
    return grpc::Status::OK;
  }
  pb::Envelope hello, next;
  std::promise<void> read;
};

TEST(MeshClientTest, OnlyTheFirstWordOfALineIsAChallenge) {
  Inquisitive service;
  const Visited visited(service);
  const MachineKeys keys = new_keys();
  Desk desk;
  Membership membership = without_tls(visited.address, keys);
  MeshClient client(membership, NodeIdentity{}, signer(keys), {pb::ROLE_WORKER}, desk);
  client.start();
  EXPECT_EQ(desk.take().preparing().what(), "welcome");
  EXPECT_EQ(desk.take().preparing().what(), "asked again");
  client.send(bulk("", wire::kMaxEnvelopeBytes));  // Left out.
  client.send(word(to("", pb::ROLE_SERVER), "work"));
  service.read.get_future().wait();
  EXPECT_TRUE(
      keys.verify(keys.public_key(), "muster hellofirst", service.hello.hello().signature()));
  EXPECT_EQ(service.next.preparing().what(), "work") << service.next.ShortDebugString();
}

// A server that takes its time to challenge.
class Slow final : public pb::Mesh::Service {
 public:
  grpc::Status Connect(grpc::ServerContext*,
                       grpc::ServerReaderWriter<pb::Envelope, pb::Envelope>* stream) override {
    opened.set_value();
    go_on.get_future().wait();
    pb::Envelope challenge;
    challenge.mutable_challenge()->set_nonce("nonce");
    stream->Write(challenge);
    stream->Read(&first);
    read.set_value();
    for (pb::Envelope rest; stream->Read(&rest);) {
    }
    return grpc::Status::OK;
  }
  pb::Envelope first;
  std::promise<void> opened, go_on, read;
};

// Roles speak whenever they like, so also while a line opens; the server would end one that begins
// with anything but a Hello.
TEST(MeshClientTest, TheFirstWordOnALineIsItsHello) {
  Slow service;
  const Visited visited(service);
  const MachineKeys keys = new_keys();
  Desk desk;
  Membership membership = without_tls(visited.address, keys);
  MeshClient client(membership, NodeIdentity{}, signer(keys), {pb::ROLE_WORKER}, desk);
  client.start();
  service.opened.get_future().wait();
  client.send(word(to("", pb::ROLE_SERVER), "work"));
  service.go_on.set_value();
  service.read.get_future().wait();
  EXPECT_TRUE(service.first.has_hello()) << service.first.ShortDebugString();
}

// A server with certificates; the test speaks as its role.
class DoorTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(mesh_.listen("127.0.0.1", port_, &authority_)); }
  [[nodiscard]] pb::JoinRequest request(const MachineKeys& keys) const {
    auto request = *identity::make_join_request(keys.secret_key(), pb::POOL_ROLE_WORKER);
    request.set_token(token_.word());
    return request;
  }
  std::future<Result<identity::Pass>> knock(pb::JoinRequest request) {
    return std::async(std::launch::async, [this, asks = std::move(request)] {
      return identity::knock({address_, {}}, asks, pool_, given_up_);
    });
  }
  void answer(const pb::Envelope& call, pb::PoolRole role) {
    pb::Envelope reply;
    *reply.mutable_to() = call.from();
    *reply.mutable_join_reply()->mutable_holder() = wire::make_holder(role);
    mesh_.send(std::move(reply));
  }

  const int port_ = free_port();
  const std::string address_ = "127.0.0.1:" + std::to_string(port_);
  const int64_t now_ = static_cast<int64_t>(std::time(nullptr));
  const identity::Authority authority_ = *identity::Authority::make(now_);
  const Digest pool_ = *identity::fingerprint(authority_.certificate());
  const identity::Token token_ = identity::Token::make(pool_);
  std::atomic<bool> given_up_ = false;
  Desk desk_;
  MeshServer mesh_{desk_};
};

TEST_F(DoorTest, OneThatWaitsForItsAnswerIsNotHeldUpByTheNext) {
  const MachineKeys keys[] = {new_keys(), new_keys()};
  auto first = knock(request(keys[0]));
  const auto first_call = desk_.take();
  auto second = knock(request(keys[1]));
  const auto second_call = desk_.take();
  EXPECT_EQ(first_call.join().machine(), wire::machine_id(keys[0].public_key()));
  EXPECT_EQ(first_call.join().token_hash(), token_.hash().view());
  answer(second_call, pb::POOL_ROLE_WORKER);
  EXPECT_TRUE(second.get());
  answer(first_call, pb::POOL_ROLE_WORKER);
  const auto pass = first.get();
  ASSERT_TRUE(pass) << pass.error().message;
  EXPECT_EQ(pass->authority, authority_.certificate());
  EXPECT_EQ(identity::read_certificate(pass->certificate)->public_key, keys[0].public_key());
}

TEST_F(DoorTest, TheServersRoleSaysWhatSomebodyIsOrWhyNot) {
  const MachineKeys keys = new_keys();
  auto asks = request(keys);
  asks.set_role(pb::POOL_ROLE_UNSPECIFIED);
  auto welcome = knock(asks);
  answer(desk_.take(), pb::POOL_ROLE_RESEARCHER);
  EXPECT_EQ(identity::read_certificate(welcome.get()->certificate)->holder.role(),
            pb::POOL_ROLE_RESEARCHER);
  auto refused = knock(asks);
  pb::Envelope reply;
  *reply.mutable_to() = desk_.take().from();
  *reply.mutable_join_reply()->mutable_failure() =
      wire::to_failure({Code::kPermission, "it was revoked"});
  mesh_.send(std::move(reply));
  const auto error = refused.get().error();
  EXPECT_EQ(error.code, Code::kPermission);
  EXPECT_EQ(error.message, "it was revoked");
}

TEST_F(DoorTest, NothingIsSaidToTheServerOfAnotherPool) {
  const identity::Authority other = *identity::Authority::make(now_);
  const auto pass = identity::knock({address_, {}}, request(new_keys()),
                                    *identity::fingerprint(other.certificate()), given_up_);
  EXPECT_EQ(pass.error().code, Code::kPermission);
  EXPECT_TRUE(desk_.waiting.empty());
}

}  // namespace
}  // namespace muster::io
