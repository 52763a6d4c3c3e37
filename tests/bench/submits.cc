// How many jobs a second a server can accept, give away and finish, with the database that it is
// told: the role and its database as in production, a coordinator that finishes whatever it is
// given at once, and clients of which so many wait at a time. What a network costs is not in it.
//
//   bench_submits DATABASE JOBS WINDOW    DATABASE as for muster server; empty tables, please
#include <chrono>
#include <cstdio>
#include <deque>
#include <iostream>

#include "host/driver.h"
#include "io/database/server_database.h"
#include "io/loop.h"
#include "roles/server/server.h"
#include "wire/envelope.h"
#include "wire/run_key.h"

namespace muster::bench {
namespace {

const std::string kCoordinator(16, 'c');

int64_t unix_ms() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

class Quiet final : public host::Console {
 public:
  void note(pb::Role, const roles::Note& note) override {
    if (note.level == roles::Note::Level::kWarning) std::cerr << note.text << "\n";
  }
};

// The world around the server: `jobs` clients, `window` of them at a time, and a coordinator.
class World final : public host::Net {
 public:
  World(io::Loop& loop, size_t jobs, size_t window) : loop_(loop), jobs_(jobs), window_(window) {}

  void begin() {
    roles::NodeJoined joined{kCoordinator, {}, {}};
    joined.hello.set_role_flag(pb::ROLE_FLAG_COORDINATOR);
    joined.holder.set_role(pb::POOL_ROLE_COORDINATOR);
    loop_.post(pb::ROLE_SERVER, joined);
    while (asked_ < std::min(jobs_, window_)) submit();
  }
  void send(pb::Envelope envelope) override {
    if (envelope.has_submit_reply()) return on_reply(envelope.submit_reply());
    if (envelope.has_assign()) return freeze(wire::key_of(envelope.assign().row()));
    if (envelope.has_frozen_committed()) return finish(envelope.frozen_committed().key());
    if (!envelope.has_finished()) return;
    ++finished_;
    if (asked_ < jobs_) submit();
    if (finished_ == jobs_) loop_.stop();
  }
  [[nodiscard]] size_t accepted() const { return accepted_; }

 private:
  void submit() {
    pb::Envelope call = wire::envelope_to_server();
    call.mutable_from()->set_role(pb::ROLE_CLIENT);
    call.mutable_from()->set_machine("client-" + std::to_string(++asked_));
    call.mutable_holder()->set_role(pb::POOL_ROLE_OPERATOR);
    pb::JobRequest& request = *call.mutable_submit()->mutable_request();
    request.set_model("/models/bench");
    request.add_tasks("tinyHellaswag");
    pb::ModelPin& pin = *request.mutable_directory_pin();
    pin.set_name("bench");
    pin.set_path("/models/bench");
    pin.set_dtype("float32");
    char digest[65];
    std::snprintf(digest, sizeof digest, "%064zx", asked_);  // Another model, so another job.
    pin.set_commit(digest);
    say(std::move(call));
  }
  void on_reply(const pb::SubmitReply& reply) {
    if (reply.has_failure()) {
      std::cerr << "refused: " << reply.failure().message() << "\n";
      std::exit(1);
    }
    ++accepted_;
  }
  void freeze(const pb::JobKey& key) {
    pb::Envelope commit = from_coordinator();
    *commit.mutable_commit_frozen()->mutable_key() = key;
    commit.mutable_commit_frozen()->set_digest(std::string(32, 'd'));
    commit.mutable_commit_frozen()->set_items(100);
    say(std::move(commit));
  }
  void finish(const pb::JobKey& key) {
    pb::Envelope finish = from_coordinator();
    *finish.mutable_finish()->mutable_key() = key;
    pb::TaskResult& task = *finish.mutable_finish()->mutable_result()->add_tasks();
    task.set_task("tinyHellaswag");
    task.add_metrics()->set_name("acc");
    say(std::move(finish));
  }
  static pb::Envelope from_coordinator() {
    pb::Envelope envelope = wire::envelope_to_server();
    envelope.mutable_from()->set_role(pb::ROLE_COORDINATOR);
    envelope.mutable_from()->set_machine(kCoordinator);
    return envelope;
  }
  void say(pb::Envelope envelope) {
    loop_.offer(std::move(envelope), [] {});
  }

  io::Loop& loop_;
  const size_t jobs_, window_;
  size_t asked_ = 0, accepted_ = 0, finished_ = 0;
};

int run(const std::string& database, size_t jobs, size_t window) {
  const auto address = io::DatabaseAddress::parse(database);
  if (!address) return std::cerr << address.error().message << "\n", 2;
  io::Loop loop;
  auto opened = io::ServerDatabase::open(*address, loop, {}, unix_ms());
  if (!opened) return std::cerr << opened.error().message << "\n", 1;
  World world(loop, jobs, window);
  Quiet console;
  host::Driver driver("", {.net = &world, .console = &console, .database = opened->get()});
  roles::server::ServerOptions options;
  options.started_at_ms = unix_ms();
  driver.add_role(pb::ROLE_SERVER, std::make_unique<roles::server::Server>(
                                       options, (*opened)->take_state(), io::Loop::now()));
  world.begin();
  const auto began = std::chrono::steady_clock::now();
  loop.run(driver);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%s: %zu jobs accepted and finished in %.2f s: %.0f a second, %zu at a time\n",
              address->text().c_str(), world.accepted(), took.count(),
              static_cast<double>(jobs) / took.count(), window);
  return 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "bench_submits DATABASE JOBS WINDOW\n", 2;
  return muster::bench::run(argv[1], std::stoul(argv[2]), std::stoul(argv[3]));
}
