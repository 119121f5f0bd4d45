// SPDX-License-Identifier: Apache-2.0
// One watch of how credentials of the SMTP relay are used, for the relay and the courier of this
// process (relay/credential_watch.h).
#pragma once

#include <string_view>

#include "app/roles/ground.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "delivery/courier/outcome_recorder.h"
#include "relay/credential_watch.h"

namespace todoku::app {

class CredentialWatching final : public delivery::courier::RelayedOutcomes {
 public:
  // `ground` outlives it.
  explicit CredentialWatching(const roles::Ground& ground);

  void start();
  // Once nobody uses it any more. Writes what it knows; true if that was all.
  bool stop(SteadyInstant deadline);

  [[nodiscard]] relay::CredentialWatch& watch() { return watch_; }

  void ended(std::string_view credential, Cause cause) override {
    watch_.ended(credential, cause == Cause::mailbox);
  }

 private:
  const roles::Ground& ground_;
  relay::CredentialWatch watch_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
