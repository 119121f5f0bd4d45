// SPDX-License-Identifier: Apache-2.0
// What every role of a process stands on: made before the first role, gone after the last.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "app/change_watch.h"
#include "app/open_files.h"
#include "app/outbound_calls.h"
#include "app/vault.h"
#include "async/file_pool.h"
#include "async/runtime.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/secret_box.h"
#include "config/config.h"
#include "delivery/key_ring.h"
#include "delivery/node.h"
#include "delivery/policy/site_rules.h"
#include "http/router.h"
#include "http/server.h"
#include "intake/uploads.h"
#include "ops/collected.h"
#include "ops/health.h"
#include "store/store.h"

namespace todoku::app::roles {

struct Ground {
  const config::Config& config;
  const Clock& clock;
  Metrics& metrics;
  store::Store& store;
  delivery::Node& node;  // this process
  const InstanceSecret& secret;
  const SecretBox& box;  // under the master key
  delivery::KeyRing& keys;
  const delivery::policy::SiteRules& rules;
  async::Runtime& runtime;
  const FilesDivision& files;
  async::FilePool& file_pool;  // for what waits for the disk
  intake::Uploads& uploads;
  OutboundCalls* outbound;  // null: this process makes none (FilesDivision::calls)
  // Take checks, figures and what follows changes while roles are made; later somebody may be
  // asking for them.
  ops::Readiness& readiness;
  ops::CollectedMetrics& collected;
  ChangeWatch& changes;

  // Runs a task on the first thread of the runtime and blocks this one, which is none of them.
  template <class T>
  T wait_for(Task<T> task) const {
    return boost::asio::co_spawn(runtime.executor(0), std::move(task), boost::asio::use_future)
        .get();
  }
};

// Of the operating system's randomness.
[[nodiscard]] std::uint64_t random_seed();

// A server on all threads whose exchanges and connections are counted under `name`. To be made like
// checks and figures: before somebody may be asking.
[[nodiscard]] std::unique_ptr<http::Server> make_server(const Ground& ground, std::string_view name,
                                                        http::Router router,
                                                        http::ServerOptions options);

}  // namespace todoku::app::roles
