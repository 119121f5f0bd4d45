// SPDX-License-Identifier: Apache-2.0
// Joins probes of mailboxes (probe/prober.h) to the configuration and to the door that all mail
// passes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "app/passing_on.h"
#include "app/roles/ground.h"
#include "intake/intake.h"
#include "intake/senders.h"
#include "operate/probes.h"
#include "probe/prober.h"

namespace todoku::app {

// What may be asked for; no mailboxes: nothing is configured.
[[nodiscard]] operate::ProbePlan probe_plan(const config::Config& config);

class Probing {
 public:
  // Everything given outlives it. `senders`: whose From is accepted.
  Probing(const roles::Ground& ground, const intake::Senders& senders,
          std::function<void()> wake_scheduler);

  void start() { prober_.start(); }
  // From any executor, once.
  Task<void> stop() { return prober_.stop(); }

 private:
  Task<Result<store::DeliveryKey>> hand_over(probe::ProbeMail mail);
  [[nodiscard]] probe::Prober::World world();

  const roles::Ground& ground_;
  PassingOn passing_on_;
  intake::Intake intake_;
  probe::Prober prober_;
};

}  // namespace todoku::app
