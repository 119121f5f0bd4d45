// SPDX-License-Identifier: Apache-2.0
// Figures that nobody counts as they happen: read when somebody asks for the metrics. The process,
// the store's writer, the queues, the HTTP servers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "async/file_pool.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "http/server.h"
#include "ops/scaling.h"
#include "store/node_roles.h"
#include "store/store.h"

namespace todoku::ops {

// Thread-safe once everything has been added.
class CollectedMetrics {
 public:
  // All references must outlive this object. Nobody's uploads or downloads wait at `files`.
  CollectedMetrics(Metrics& metrics, store::Store& store, async::FilePool& files,
                   const Clock& clock);

  // A server whose connections are shown under `name`; it must outlive this object.
  void add_server(std::string_view name, const http::Server& server);
  // Anything else to be brought up to date before each exposition; must not block.
  void add(std::function<void()> update) { updates_.push_back(std::move(update)); }

  // From then on the pace of couriers is known by what this process's scheduler is told, while
  // `leads` says that it is told all. Before anybody asks.
  void follow_couriers(std::function<bool()> leads) { leads_ = std::move(leads); }

  // Brings everything up to date. The queues keep their last figures if the store cannot answer.
  Task<void> collect();

 private:
  struct Queue {
    Gauge& waiting;
    Gauge& age;
    Gauge& set_aside;
  };
  // By role, as store::kRoles.
  using RoleCounts = std::array<std::int64_t, store::kRoles.size()>;
  Task<void> collect_process();
  void collect_store();
  Task<void> collect_queues();
  void show(const std::vector<store::QueueFigures>& figures, TrafficClass traffic,
            const Queue& queue);
  void show_roles(const RoleCounts& processes);
  void show_scaling(std::int64_t ready, std::int64_t couriers);

  Metrics& metrics_;
  store::Store& store_;
  async::FilePool& files_;
  const Clock& clock_;

  Gauge& resident_bytes_;
  Gauge& open_files_;
  Gauge& open_files_max_;
  Gauge& cpu_seconds_;
  Counter& unhandled_exceptions_;
  Counter& store_commits_;
  Counter& store_writes_;
  Counter& store_failed_commits_;
  Gauge& store_commit_seconds_;
  Gauge& store_queued_;
  Queue transactional_;
  Queue bulk_;
  std::array<Gauge*, store::kRoles.size()> role_processes_{};
  Trouble nobody_sends_{log::Level::error,
                        "nobody sends: no process has the roles scheduler and courier",
                        "mail is sent again: processes have the roles scheduler and courier"};
  Gauge& couriers_;
  Gauge& backlog_per_courier_;
  Gauge& work_seconds_;
  Gauge& courier_load_;
  const Counter& settled_total_;
  std::function<bool()> leads_;  // empty: no scheduler here
  std::mutex scaling_mutex_;     // several may ask at once
  ScalingReading scaling_;
  std::vector<std::function<void()>> updates_;
};

// Counts every exchange of a server by route and status, and how long it took: for
// http::ServerOptions::observer. `server` is the label that tells servers apart.
[[nodiscard]] std::function<void(const http::Exchange&)> exchange_counter(Metrics& metrics,
                                                                          std::string server);

}  // namespace todoku::ops
