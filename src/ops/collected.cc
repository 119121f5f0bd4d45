// SPDX-License-Identifier: Apache-2.0
#include "ops/collected.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "async/task_group.h"
#include "base/log.h"
#include "store/node_roles.h"

namespace todoku::ops {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double open_files() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // without the one that listed them
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

constexpr std::string_view kQueueDepth = "todoku_queue_recipients";
constexpr std::string_view kQueueDepthHelp =
    "Recipients of started deliveries not yet in a terminal state.";
constexpr std::string_view kQueueAge = "todoku_queue_age_seconds";
constexpr std::string_view kQueueAgeHelp =
    "How long the batch that is due for longest has been waiting for a courier.";
constexpr std::string_view kSetAside = "todoku_set_aside_recipients";
constexpr std::string_view kSetAsideHelp =
    "Recipients that processes died with and that wait for an operator.";

}  // namespace

CollectedMetrics::CollectedMetrics(Metrics& metrics, store::Store& store, async::FilePool& files,
                                   const Clock& clock)
    : metrics_(metrics),
      store_(store),
      files_(files),
      clock_(clock),
      resident_bytes_(
          metrics.gauge("process_resident_memory_bytes", "Memory of the process in RAM.")),
      open_files_(metrics.gauge("process_open_fds", "Open file descriptors.")),
      open_files_max_(metrics.gauge("process_max_fds", "File descriptors that may be open.")),
      cpu_seconds_(metrics.gauge("process_cpu_seconds_total", "Processor time used.")),
      unhandled_exceptions_(metrics.counter("todoku_unhandled_exceptions_total",
                                            "Exceptions that left a task: each is a bug.")),
      store_commits_(metrics.counter("todoku_store_commits_total", "Commits with sync.")),
      store_writes_(metrics.counter("todoku_store_writes_total", "Pieces of work committed.")),
      store_failed_commits_(
          metrics.counter("todoku_store_failed_commits_total", "Commits that the disk refused.")),
      store_commit_seconds_(
          metrics.gauge("todoku_store_commit_seconds_total", "Time spent in commits.")),
      store_queued_(metrics.gauge("todoku_store_queued", "Pieces of work that wait for a commit.")),
      transactional_{metrics.gauge(kQueueDepth, kQueueDepthHelp,
                                   {{"class", to_string(TrafficClass::transactional)}}),
                     metrics.gauge(kQueueAge, kQueueAgeHelp,
                                   {{"class", to_string(TrafficClass::transactional)}}),
                     metrics.gauge(kSetAside, kSetAsideHelp,
                                   {{"class", to_string(TrafficClass::transactional)}})},
      bulk_{metrics.gauge(kQueueDepth, kQueueDepthHelp, {{"class", to_string(TrafficClass::bulk)}}),
            metrics.gauge(kQueueAge, kQueueAgeHelp, {{"class", to_string(TrafficClass::bulk)}}),
            metrics.gauge(kSetAside, kSetAsideHelp, {{"class", to_string(TrafficClass::bulk)}})},
      couriers_(metrics.gauge("todoku_couriers",
                              "Processes with the role courier that live and, where sources are "
                              "somebody's, have one.")),
      backlog_per_courier_(metrics.gauge(
          "todoku_backlog_per_courier",
          "Recipients that more couriers could do sooner, for each courier that lives.")),
      work_seconds_(metrics.gauge(
          "todoku_work_seconds",
          "How long the couriers that live need for that at the pace they have shown; NaN where "
          "that is not known: no pace was shown yet, or another process schedules.")),
      courier_load_(metrics.gauge(
          "todoku_courier_load_ratio",
          "What the couriers that live did lately and should do of what waits, by what they can: "
          "1 is all they can; NaN as todoku_work_seconds.")),
      settled_total_(metrics.counter("todoku_settled_recipients_total",
                                     "Recipients that couriers have tried, as the scheduler was "
                                     "told.")) {
  for (std::size_t i = 0; i < store::kRoles.size(); ++i) {
    role_processes_[i] =
        &metrics.gauge("todoku_role_processes",
                       "Processes with a role that live. Without a scheduler or a courier nothing "
                       "is sent, without events nothing is imported.",
                       {{"role", store::kRoles[i]}});
  }
}

void CollectedMetrics::add_server(std::string_view name, const http::Server& server) {
  Gauge& open = metrics_.gauge("todoku_http_connections", "Open connections.", {{"server", name}});
  Counter& refused = metrics_.counter("todoku_http_connections_refused_total",
                                      "Connections beyond the allowed number.", {{"server", name}});
  Counter& displaced =
      metrics_.counter("todoku_http_connections_displaced_total",
                       "Connections without a request in work that made room.", {{"server", name}});
  Counter& cut = metrics_.counter("todoku_http_responses_cut_total",
                                  "Responses that made room in memory before they were read.",
                                  {{"server", name}});
  Gauge& bodies =
      metrics_.gauge("todoku_http_bodies_bytes", "Request bodies in memory, without small ones.",
                     {{"server", name}});
  Counter& bodies_refused =
      metrics_.counter("todoku_http_bodies_refused_total",
                       "Request bodies for which there was no memory.", {{"server", name}});
  Counter& bodies_cut = metrics_.counter("todoku_http_bodies_cut_total",
                                         "Slow request bodies that made room in memory for others.",
                                         {{"server", name}});
  add([&open, &refused, &displaced, &cut, &bodies, &bodies_refused, &bodies_cut, &server] {
    const auto stats = server.stats();
    displaced.mirror(stats.connections_displaced);
    open.set(static_cast<double>(stats.connections_open));
    refused.mirror(stats.connections_refused);
    cut.mirror(stats.responses_cut);
    bodies.set(static_cast<double>(stats.bodies_octets));
    bodies_refused.mirror(stats.bodies_refused);
    bodies_cut.mirror(stats.bodies_cut);
  });
}

Task<void> CollectedMetrics::collect() {
  co_await collect_process();
  collect_store();
  for (const auto& update : updates_) update();
  co_await collect_queues();
}

Task<void> CollectedMetrics::collect_process() {
  // Ten thousand connections are a list of ten thousand files.
  const auto listed = co_await files_.run(0, [this]() -> Result<void> {
    resident_bytes_.set(resident_bytes());
    open_files_.set(open_files());
    return {};
  });
  if (!listed) log::debug("process not measured", {{"reason", listed.error().detail}});
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    open_files_max_.set(static_cast<double>(files.rlim_cur));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    cpu_seconds_.set(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  unhandled_exceptions_.mirror(async::unhandled_exceptions());
}

void CollectedMetrics::collect_store() {
  const store::StoreFigures figures = store_.figures();
  store_commits_.mirror(figures.commits);
  store_writes_.mirror(figures.writes);
  store_failed_commits_.mirror(figures.failed_commits);
  store_commit_seconds_.set(static_cast<double>(figures.commit_time.count()) / 1e6);
  store_queued_.set(static_cast<double>(figures.queued));
}

namespace {

struct Waiting {
  std::vector<store::QueueFigures> queues;
  std::int64_t couriers = 0;
  std::array<std::int64_t, store::kRoles.size()> processes{};
};

bool lives(const store::Node& node) {
  return !node.is_void && store::lease_runs(node);
}
bool is_courier(const store::Node& node) {
  return lives(node) && store::has_role(node, "courier");
}

Result<Waiting> waiting_in(store::ReadTransaction& transaction) {
  auto queues = transaction.queue_figures();
  if (!queues) return fail(queues.error());
  const auto nodes = transaction.nodes();
  if (!nodes) return fail(nodes.error());
  const auto owners = transaction.source_owners();
  if (!owners) return fail(owners.error());
  // One that only stands by does nothing sooner.
  const auto sends = [&](const store::Node& node) {
    return is_courier(node) &&
           (owners->empty() ||
            std::ranges::find(*owners, node.key, &store::SourceOwner::node) != owners->end());
  };
  Waiting waiting{.queues = std::move(*queues), .couriers = std::ranges::count_if(*nodes, sends)};
  for (std::size_t i = 0; i < store::kRoles.size(); ++i) {
    waiting.processes[i] = std::ranges::count_if(*nodes, [&](const store::Node& node) {
      return lives(node) && store::has_role(node, store::kRoles[i]);
    });
  }
  return waiting;
}

}  // namespace

Task<void> CollectedMetrics::collect_queues() {
  const auto waiting = co_await store_.read(waiting_in);
  if (!waiting) co_return;
  show(waiting->queues, TrafficClass::transactional, transactional_);
  show(waiting->queues, TrafficClass::bulk, bulk_);
  std::int64_t ready = 0;
  for (const store::QueueFigures& figure : waiting->queues) ready += figure.ready;
  show_roles(waiting->processes);
  show_scaling(ready, waiting->couriers);
}

// Every process is ready all the same: what is accepted is kept until somebody sends.
void CollectedMetrics::show_roles(const RoleCounts& processes) {
  bool sends = true;
  for (std::size_t i = 0; i < store::kRoles.size(); ++i) {
    role_processes_[i]->set(static_cast<double>(processes[i]));
    const bool is_needed = store::kRoles[i] == "scheduler" || store::kRoles[i] == "courier";
    if (is_needed && processes[i] == 0) sends = false;
  }
  if (sends) {
    nobody_sends_.worked(clock_.steady_now());
  } else {
    nobody_sends_.failed(clock_.steady_now(), {});
  }
}

void CollectedMetrics::show(const std::vector<store::QueueFigures>& figures, TrafficClass traffic,
                            const Queue& queue) {
  double waiting = 0;
  double age = 0;
  double aside = 0;
  for (const store::QueueFigures& figure : figures) {
    if (figure.traffic != traffic) continue;
    waiting = static_cast<double>(figure.waiting);
    aside = static_cast<double>(figure.set_aside);
    if (figure.oldest) age = static_cast<double>(figure.oldest->count()) / 1e3;
  }
  queue.waiting.set(waiting);
  queue.age.set(age);
  queue.set_aside.set(aside);
}

void CollectedMetrics::show_scaling(std::int64_t ready, std::int64_t couriers) {
  const std::lock_guard lock(scaling_mutex_);
  const bool leads = leads_ && leads_();
  if (!leads) scaling_.interrupted();
  const ScalingFigures figures = scaling_.read({.at = clock_.steady_now(),
                                                .ready = ready,
                                                .couriers = couriers,
                                                .settled = settled_total_.value()});
  couriers_.set(static_cast<double>(couriers));
  backlog_per_courier_.set(figures.backlog_per_courier);
  const auto show = [leads](Gauge& gauge, const std::optional<double>& value) {
    gauge.set(leads && value ? *value : std::numeric_limits<double>::quiet_NaN());
  };
  show(work_seconds_, figures.work_seconds);
  show(courier_load_, figures.load);
}

namespace {

// Handles by what labels them, so that the registry is asked once for each.
class ExchangeCounter {
 public:
  ExchangeCounter(Metrics& metrics, std::string server)
      : metrics_(metrics), server_(std::move(server)) {}

  void observe(const http::Exchange& exchange) {
    const Handles handles = find(exchange.route, exchange.status);
    handles.requests->add();
    handles.seconds->observe(exchange.duration);
  }

 private:
  struct Handles {
    Counter* requests;
    Histogram* seconds;
  };

  Handles find(const http::Route* route, int status) {
    const std::lock_guard lock(mutex_);
    const auto [found, fresh] = handles_.try_emplace({route, status});
    if (fresh) found->second = make(route, status);
    return found->second;
  }

  Handles make(const http::Route* route, int status) {
    const std::string pattern =
        route == nullptr ? "none" : fmt::format("{} {}", to_string(route->method), route->pattern);
    const std::string code = fmt::format("{}", status);
    return {&metrics_.counter("todoku_http_requests_total",
                              "Requests by route and status; 0: the client left first.",
                              {{"server", server_}, {"route", pattern}, {"status", code}}),
            &metrics_.histogram("todoku_http_request_seconds",
                                "From the complete head of a request to its answer.",
                                short_durations(), {{"server", server_}, {"route", pattern}})};
  }

  Metrics& metrics_;
  const std::string server_;
  std::mutex mutex_;
  std::map<std::pair<const http::Route*, int>, Handles> handles_;
};

}  // namespace

std::function<void(const http::Exchange&)> exchange_counter(Metrics& metrics, std::string server) {
  return [counter = std::make_shared<ExchangeCounter>(metrics, std::move(server))](
             const http::Exchange& exchange) { counter->observe(exchange); };
}

}  // namespace todoku::ops
