// SPDX-License-Identifier: Apache-2.0
// One process's side of the queue on a store, on a thread of its own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "async/run_blocking.h"
#include "async/runtime.h"
#include "base/metrics.h"
#include "queue/store/store_queue.h"
#include "store/postgres/postgres_store.h"
#include "store/sqlite/sqlite_store.h"
#include "support/postgres/server.h"

namespace todoku::queue {

class StoreSide {
 public:
  StoreSide(store::Store& store, const Clock& clock, Milliseconds visibility,
            std::uint64_t seed = 1)
      : queues_(std::make_unique<StoreQueues>(
            StoreQueues::Options{.visibility = visibility, .pace = {}, .seed = seed}, store, clock,
            metrics_, runtime_.executor(0))) {
    runtime_.start();
  }
  ~StoreSide() {
    async::run_blocking(runtime_.executor(0), stop());
    queues_.reset();
    runtime_.join();
  }
  StoreSide(const StoreSide&) = delete;
  StoreSide& operator=(const StoreSide&) = delete;

  std::shared_ptr<Queue> queue(TrafficClass traffic = TrafficClass::bulk) {
    return queues_->get({"main", traffic});
  }
  // Whoever has begun to use a queue until now has come to where it waits.
  Task<void> catch_up() { co_await async::run_on(runtime_.executor(0), nothing()); }
  void wake() { queues_->wake_receivers(); }
  [[nodiscard]] std::uint64_t calls() {
    return metrics_.counter("todoku_store_queue_calls_total", "").value();
  }

 private:
  static Task<void> nothing() { co_return; }
  Task<bool> stop() {
    co_await queues_->stop();
    co_return true;
  }

  Metrics metrics_;
  async::Runtime runtime_{1};
  std::unique_ptr<StoreQueues> queues_;
};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  return std::move(*result);
}

// A store that goes away with its owner.
class SqliteHome {
 public:
  explicit SqliteHome(const Clock& clock) {
    std::string pattern = (std::filesystem::temp_directory_path() / "todoku-queue-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    store::SqliteStore::Options options;
    options.path = directory_ / "store.db";
    options.clock = &clock;
    store_ = must(store::SqliteStore::open(options));
  }
  ~SqliteHome() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  SqliteHome(const SqliteHome&) = delete;
  SqliteHome& operator=(const SqliteHome&) = delete;
  [[nodiscard]] store::Store& store() { return *store_; }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<store::Store> store_;
};

class PostgresHome {
 public:
  explicit PostgresHome(const Clock& clock)
      : store_(must(store::PostgresStore::open(
            {.dial = {.address = database_.address(), .password = {}}, .clock = &clock}))) {}
  [[nodiscard]] store::Store& store() { return *store_; }

 private:
  PostgresDatabase database_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace todoku::queue
