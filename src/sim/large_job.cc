#include "sim/large_job.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "base/probe.h"
#include "eval/item.h"
#include "roles/outbox.h"
#include "sim/world.h"
#include "wire/envelope.h"
#include "wire/job_state.h"
#include "wire/record.h"

namespace muster::sim {
namespace {

constexpr int kWorkers = 20;
constexpr int kChoices = 4;
constexpr size_t kContextBytes = 750;  // Of each request: 3 kB an item.
constexpr uint64_t kBytesPerSecond = 2'000'000;
// Every now and then one store's disk hangs, not long enough to be given up: what waits for it then
// is more than a window holds.
constexpr Duration kHangsEvery = seconds(20), kHangs = seconds(5);
constexpr Duration kLongest = seconds(4 * 3600);

Result<std::shared_ptr<const roles::FrozenTasks>> long_items(const pb::JobRequest& request) {
  auto tasks = std::make_shared<roles::FrozenTasks>();
  tasks->push_back({.task = "tinyMMLU", .version = "0"});
  for (int64_t doc = 0; doc < static_cast<int64_t>(request.limit()); ++doc) {
    eval::Item item{.doc_id = doc, .gold = doc % kChoices};
    std::string context = request.model() + " " + std::to_string(doc) + " ";
    context.resize(kContextBytes, 'x');
    for (int choice = 0; choice < kChoices; ++choice) {
      item.requests.push_back({context, " " + std::to_string(choice)});
      item.lengths.push_back(1);
    }
    tasks->back().items.push_back(std::move(item));
  }
  return tasks;
}

uint64_t reached(const std::string& name) {
  for (const Probe& probe : probes()) {
    if (probe.name == name) return probe.reached;
  }
  return 0;
}

// Hears what a writer says and is answered, and lets everything pass.
class Listener final : public Insider {
 public:
  explicit Listener(LargeJobRun& run) : run_(run) {}

  bool may_say(pb::Envelope& envelope) override {
    if (envelope.has_put()) note_put(envelope.to().machine(), envelope.put());
    return true;
  }
  bool hears(const pb::Envelope& envelope) override {
    if (envelope.has_put_done()) note_done(envelope.from().machine(), envelope.put_done());
    return false;
  }

 private:
  struct Store {
    std::map<Digest, size_t> on_the_way;
    size_t bytes = 0;
  };

  // Whoever hears of another view begins anew.
  void note_put(const std::string& machine, const pb::Put& put) {
    if (std::exchange(view_, put.view()) != put.view()) stores_.clear();
    Store& store = stores_[machine];
    for (const pb::SignedRecord& record : put.records()) {
      const size_t bytes = record.ByteSizeLong();
      const bool is_new = store.on_the_way.emplace(wire::record_digest(record), bytes).second;
      if (!is_new) continue;  // Said once more.
      store.bytes += bytes;
      run_.bytes_put += bytes;
    }
    run_.most_on_the_way = std::max(run_.most_on_the_way, store.bytes);
  }
  void note_done(const std::string& machine, const pb::PutDone& done) {
    if (done.view() != view_) return;
    Store& store = stores_[machine];
    for (const std::string& name : done.digests()) {
      const auto digest = Digest::from_bytes(name);
      const auto found = digest ? store.on_the_way.find(*digest) : store.on_the_way.end();
      if (found == store.on_the_way.end()) continue;
      store.bytes -= found->second;
      store.on_the_way.erase(found);
    }
  }

  LargeJobRun& run_;
  uint64_t view_ = 0;
  std::map<std::string, Store> stores_;
};

class Run final : private Observer {
 public:
  explicit Run(uint64_t seed) : world_(seed, *this) {
    world_.freeze = long_items;
    world_.lines.weather = {.least_delay = milliseconds(1), .jitter = milliseconds(1)};
    world_.lines.have_limits = true;
    world_.lines.to_client = [this](const std::string&, const pb::Envelope& e) { hear(e); };
    add("server", pb::ROLE_FLAG_UNSPECIFIED);
    listen(add("c1", pb::ROLE_FLAG_COORDINATOR));
    for (const char* name : {"s1", "s2"}) {
      add(name, pb::ROLE_FLAG_STORAGE).line.bytes_per_second = kBytesPerSecond;
    }
    for (int i = 0; i < kWorkers; ++i) add_worker("w" + std::to_string(i));
    for (auto& [name, node] : world_.nodes()) world_.start(*node);
  }

  LargeJobRun run(int items) {
    world_.agenda.run_until(world_.now() + seconds(30));
    const auto lines = sessions();
    const uint64_t left_out = left_out_so_far();
    const Instant asked = world_.now();
    submit(items);
    hang(world_.node("s1"));
    while (!over_ && world_.agenda.run_next(asked + kLongest)) {
    }
    run_.took = world_.now() - asked;
    run_.left_out = left_out_so_far() - left_out;
    for (const auto& [name, session] : sessions()) {
      run_.lines_lost += session == lines.at(name) ? 0 : 1;
    }
    return run_;
  }

 private:
  Node& add(const std::string& name, pb::RoleFlag flag) {
    Node& node = world_.add(name, flag);
    node.owner = name;
    node.disk.latency = milliseconds(2);
    return node;
  }
  void add_worker(const std::string& name) {
    Node& node = add(name, pb::ROLE_FLAG_COMPUTE);
    node.engine.model_class = {.name = "exact"};
    node.engine.per_item = milliseconds(20);
    listen(node);
  }
  void listen(Node& writer) { writer.insider = std::make_unique<Listener>(run_); }

  void hang(Node& store) {
    world_.agenda.in(kHangsEvery - kHangs, [this, &store] { world_.hang_disk(store, true); });
    world_.agenda.in(kHangsEvery, [this, &store] {
      world_.hang_disk(store, false);
      hang(store);
    });
  }
  void submit(int items) {
    pb::Envelope envelope = wire::envelope_to_server();
    pb::JobRequest& request = *envelope.mutable_submit()->mutable_request();
    request.set_model("ORG/model");
    request.add_tasks("tinyMMLU");
    request.set_limit(items);
    world_.lines.ask_server("researcher", envelope);
  }
  void hear(const pb::Envelope& envelope) {
    if (envelope.has_submit_reply()) {
      pb::Envelope watch = wire::envelope_to_server();
      watch.mutable_watch()->set_job(envelope.submit_reply().job());
      world_.lines.ask_server("researcher", watch);
    }
    if (!envelope.has_job_update()) return;
    const pb::JobState state = envelope.job_update().row().state();
    over_ |= wire::is_over(state);
    run_.is_done |= state == pb::JOB_STATE_DONE;
  }

  [[nodiscard]] std::map<std::string, uint64_t> sessions() const {
    std::map<std::string, uint64_t> sessions;
    for (const auto& [name, node] : world_.nodes()) sessions[name] = node->line.session;
    return sessions;
  }
  static uint64_t left_out_so_far() {
    return reached("an envelope finds no room in a queue") +
           reached("a line ends of what its own end says");
  }

  World world_;
  LargeJobRun run_;
  bool over_ = false;
};

}  // namespace

LargeJobRun run_large_job(int items, uint64_t seed) { return Run(seed).run(items); }

int print_large_job(int items, uint64_t seed) {
  const LargeJobRun run = run_large_job(items, seed);
  const auto kib = [](uint64_t bytes) { return static_cast<double>(bytes) / 1024; };
  std::printf("%d items of 3 kB: the job %s in %.1f s; %.1f MiB of records put\n", items,
              run.is_done ? "is done" : "is NOT done", to_seconds(run.took),
              kib(run.bytes_put) / 1024);
  std::printf(
      "%.1f KiB at most on their way to a store (limit %.0f); %d lines lost, %lu left out\n",
      kib(run.most_on_the_way), kib(roles::Outbox::kWindowBytes), run.lines_lost,
      static_cast<unsigned long>(run.left_out));
  const bool good = run.is_done && run.lines_lost == 0 && run.left_out == 0 &&
                    run.most_on_the_way <= roles::Outbox::kWindowBytes;
  return good ? 0 : 1;
}

}  // namespace muster::sim
