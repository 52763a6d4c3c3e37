#include "io/status/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <vector>

#include "eval/task.h"

namespace muster::io {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using roles::Count;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric number(MetricType type, double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

// The page, family by family.
class Page {
 public:
  explicit Page(const Reading& reading) : reading_(reading) {}

  void add(MetricType type, const char* name, const char* help, double value, Labels labels = {}) {
    families_.push_back({name, help, type, {number(type, value, std::move(labels))}});
  }
  // What has happened; by `label`, each value of which is one of `kinds`.
  void add_count(const char* name, const char* help, Count::What what) {
    add(MetricType::Counter, name, help, of(what, ""));
  }
  void add_counts(const char* name, const char* help, Count::What what, const char* label,
                  const std::vector<std::string>& kinds) {
    MetricFamily family{name, help, MetricType::Counter, {}};
    for (const std::string& kind : kinds) {
      family.metric.push_back(number(family.type, of(what, kind), {{label, kind}}));
    }
    families_.push_back(std::move(family));
  }
  void add_machines() {
    MetricFamily family{
        "muster_machines", "Machines connected to the server.", MetricType::Gauge, {}};
    const auto add = [&](const std::string& role, const std::string& state) {
      const auto found = reading_.roles.gauges.machines.find({role, state});
      const auto value = found == reading_.roles.gauges.machines.end() ? 0 : found->second;
      family.metric.push_back(
          number(family.type, static_cast<double>(value), {{"role", role}, {"state", state}}));
    };
    for (const char* role : {"auto", "compute", "storage"}) {
      for (const char* state : {"idle", "lent", "storage", "quarantined"}) add(role, state);
    }
    add("coordinator", "coordinator");
    families_.push_back(std::move(family));
  }
  void add_jobs() {
    MetricFamily family{"muster_jobs", "Jobs that go on.", MetricType::Gauge, {}};
    for (const std::string state : {"assigned", "waiting"}) {
      const auto found = reading_.roles.gauges.jobs.find(state);
      const auto value = found == reading_.roles.gauges.jobs.end() ? 0 : found->second;
      family.metric.push_back(number(family.type, static_cast<double>(value), {{"state", state}}));
    }
    families_.push_back(std::move(family));
  }
  void add_durations(const char* name, const char* help, const host::Durations& durations) {
    ClientMetric metric;
    auto& histogram = metric.histogram;
    for (size_t i = 0; i < host::Durations::kBounds.size(); ++i) {
      histogram.sample_count += durations.count(i);
      histogram.bucket.push_back({histogram.sample_count, to_seconds(host::Durations::kBounds[i])});
    }
    histogram.sample_count += durations.count(host::Durations::kBounds.size());
    histogram.bucket.push_back({histogram.sample_count, std::numeric_limits<double>::infinity()});
    histogram.sample_sum = to_seconds(durations.sum());
    families_.push_back({name, help, MetricType::Histogram, {std::move(metric)}});
  }
  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  [[nodiscard]] double of(Count::What what, const std::string& kind) const {
    const auto found = reading_.roles.counts.find({what, kind});
    return found == reading_.roles.counts.end() ? 0 : static_cast<double>(found->second);
  }

  const Reading& reading_;
  std::vector<MetricFamily> families_;
};

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const eval::Task& task : eval::tasks()) names.push_back(task.name);
  return names;
}

void add_server(Page& page, const Reading::Refused& refused) {
  page.add_machines();
  page.add_jobs();
  page.add_counts("muster_jobs_ended_total", "Jobs that ended since this process began.",
                  Count::What::kJobEnded, "state", {"done", "failed", "cancelled"});
  page.add_counts("muster_database_commits_total",
                  "Commits that the database was asked for, by what became of them.",
                  Count::What::kCommitOutcome, "outcome", {"done", "failed", "unknown"});
  page.add(MetricType::Counter, "muster_connections_refused_total",
           "Connections that were closed at once, since there were too many.",
           static_cast<double>(refused.connections));
  page.add(MetricType::Counter, "muster_messages_refused_total",
           "Messages that their senders may not say, or not at that length.",
           static_cast<double>(refused.messages));
}

void add_coordinator(Page& page) {
  page.add_count("muster_leases_granted_total", "Leases given to machines.",
                 Count::What::kLeaseGranted);
  page.add_counts("muster_lease_expired_total", "Leases that came to nothing.",
                  Count::What::kLeaseExpired, "reason",
                  {"no_progress", "too_slow", "machine_gone"});
  page.add_counts("muster_items_settled_total", "Items whose value was found.",
                  Count::What::kItemSettled, "task", task_names());
  page.add_count("muster_votes_disagreeing_total", "Answers that differ from the value found.",
                 Count::What::kVoteDisagreed);
}

}  // namespace

std::string metrics_text(const Reading& reading, int64_t started_unix_s) {
  Page page(reading);
  page.add(MetricType::Gauge, "muster_build_info", "Which muster this is; always 1.", 1,
           {{"version", MUSTER_VERSION}});
  page.add(MetricType::Gauge, "process_start_time_seconds", "When this process began, Unix time.",
           static_cast<double>(started_unix_s));
  const auto has = [&](pb::Role role) { return reading.roles.roles.contains(role); };
  if (has(pb::ROLE_SERVER)) add_server(page, reading.refused.value_or(Reading::Refused()));
  if (has(pb::ROLE_COORDINATOR)) add_coordinator(page);
  if (has(pb::ROLE_COORDINATOR) || has(pb::ROLE_WORKER)) {
    page.add_durations("muster_ack_duration_seconds",
                       "From a record's first sending until every storage node had it on disk.",
                       reading.roles.acknowledged);
  }
  return page.text();
}

StatusPort::Pages metrics_pages(Readings& readings, int64_t started_unix_s) {
  return {{"/metrics", [&readings, started_unix_s] {
             return StatusPort::Reply{200, "text/plain; version=0.0.4; charset=utf-8",
                                      metrics_text(readings.read(), started_unix_s)};
           }}};
}

}  // namespace muster::io
