// What a process says in numbers: each by its name and with its value, and nothing else.
#include "io/status/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "eval/task.h"

namespace muster::io {
namespace {

using roles::Count;
using testing::Contains;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> lines_of(const Reading& reading) {
  std::istringstream text(metrics_text(reading, 1'700'000'000));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

Reading reading_of(pb::Role role) {
  Reading reading;
  reading.roles.roles = {role};
  return reading;
}

TEST(Metrics, OfAServer) {
  Reading reading = reading_of(pb::ROLE_SERVER);
  reading.roles.gauges.machines = {{{"auto", "lent"}, 3}, {{"coordinator", "coordinator"}, 1}};
  reading.roles.gauges.jobs = {{"waiting", 2}};
  reading.roles.counts = {{{Count::What::kJobEnded, "failed"}, 4},
                          {{Count::What::kCommitOutcome, "unknown"}, 5}};
  reading.refused = {6, 7};
  const auto lines = lines_of(reading);
  for (const char* line :
       {"muster_build_info{version=\"" MUSTER_VERSION "\"} 1",
        "process_start_time_seconds 1700000000", "# TYPE muster_machines gauge",
        "muster_machines{role=\"auto\",state=\"lent\"} 3",
        "muster_machines{role=\"storage\",state=\"quarantined\"} 0",
        "muster_machines{role=\"coordinator\",state=\"coordinator\"} 1",
        "muster_jobs{state=\"assigned\"} 0", "muster_jobs{state=\"waiting\"} 2",
        "muster_jobs_ended_total{state=\"failed\"} 4", "muster_jobs_ended_total{state=\"done\"} 0",
        "# TYPE muster_database_commits_total counter",
        "muster_database_commits_total{outcome=\"unknown\"} 5",
        "muster_database_commits_total{outcome=\"done\"} 0", "muster_connections_refused_total 6",
        "muster_messages_refused_total 7"}) {
    EXPECT_THAT(lines, Contains(line));
  }
  EXPECT_THAT(lines, Not(Contains(StartsWith("muster_lease")))) << "it counts none";
}

TEST(Metrics, OfACoordinator) {
  Reading reading = reading_of(pb::ROLE_COORDINATOR);
  reading.roles.counts = {{{Count::What::kLeaseGranted, ""}, 11},
                          {{Count::What::kLeaseExpired, "too_slow"}, 2},
                          {{Count::What::kItemSettled, "tinyHellaswag"}, 40},
                          {{Count::What::kVoteDisagreed, ""}, 3}};
  for (const auto took : {milliseconds(2), milliseconds(3), milliseconds(90'000)}) {
    reading.roles.acknowledged.add(took);
  }
  const auto lines = lines_of(reading);
  for (const char* line :
       {"muster_leases_granted_total 11", "muster_lease_expired_total{reason=\"too_slow\"} 2",
        "muster_lease_expired_total{reason=\"no_progress\"} 0",
        "muster_lease_expired_total{reason=\"machine_gone\"} 0",
        "muster_items_settled_total{task=\"tinyHellaswag\"} 40", "muster_votes_disagreeing_total 3",
        "# TYPE muster_ack_duration_seconds histogram", "muster_ack_duration_seconds_count 3",
        "muster_ack_duration_seconds_sum 90.005",
        "muster_ack_duration_seconds_bucket{le=\"0.001\"} 0",
        "muster_ack_duration_seconds_bucket{le=\"0.002\"} 1",
        "muster_ack_duration_seconds_bucket{le=\"0.005\"} 2",
        "muster_ack_duration_seconds_bucket{le=\"60\"} 2",
        "muster_ack_duration_seconds_bucket{le=\"+Inf\"} 3"}) {
    EXPECT_THAT(lines, Contains(line));
  }
  for (const eval::Task& task : eval::tasks()) {
    EXPECT_THAT(lines, Contains(StartsWith("muster_items_settled_total{task=\"" + task.name)));
  }
  EXPECT_THAT(lines, Not(Contains(StartsWith("muster_machines")))) << "it counts none";
}

TEST(Metrics, OfAProcessThatHasNotBegunAreThere) {
  EXPECT_THAT(lines_of({}), Contains(StartsWith("muster_build_info")));
}

class ReadingsTest : public testing::Test {
 protected:
  Loop loop;
  host::Driver driver{"", {}};
  Readings readings{loop};
  uint64_t messages = 0;

  void begin() {
    readings.begin([this] { return Reading{driver.measure(), Reading::Refused{0, ++messages}}; });
  }
};

TEST_F(ReadingsTest, AreTakenByTheLoop) {
  EXPECT_FALSE(readings.read().refused) << "nothing has begun";
  begin();
  std::thread thread([&] {
    loop.run(driver);
    readings.end();
  });
  for (uint64_t times = 1; times <= 3; ++times) EXPECT_EQ(readings.read().refused->messages, times);
  loop.stop();
  thread.join();
  EXPECT_EQ(readings.read().refused->messages, 3u) << "the last one stays";
}

TEST_F(ReadingsTest, ALoopThatStandsStillIsAskedOnceAndNotWaitedFor) {
  begin();
  for (int times = 0; times < 2; ++times) EXPECT_FALSE(readings.read().refused);
  loop.stop();
  loop.run(driver);
  EXPECT_EQ(messages, 1u);
}

}  // namespace
}  // namespace muster::io
