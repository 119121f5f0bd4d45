// SPDX-License-Identifier: Apache-2.0
#include "app/credential_watching.h"

#include <boost/asio/post.hpp>

#include "app/change_watch.h"
#include "app/module_options.h"

namespace todoku::app {
namespace {

// Credentials that others hold are heard of likewise; of one that was held here, everybody here
// hears at once.
Task<void> hear_of_changes(ChangeWatch& changes) {
  const auto looked = co_await changes.look();
  (void)looked;
}

}  // namespace

CredentialWatching::CredentialWatching(const roles::Ground& ground)
    : ground_(ground),
      watch_({.store = ground.store,
              .clock = ground.clock,
              .metrics = ground.metrics,
              .changed = [&ground] { return hear_of_changes(ground.changes); }},
             anomaly_limits(ground.config)),
      tasks_(ground.runtime.executor(0)) {}

void CredentialWatching::start() {
  boost::asio::post(ground_.runtime.executor(0),
                    [this] { tasks_.spawn("credential watch", watch_.keep_watch()); });
}

bool CredentialWatching::stop(SteadyInstant deadline) {
  ground_.wait_for(tasks_.stop());
  return ground_.wait_for(watch_.write_all(deadline));
}

}  // namespace todoku::app
