// SPDX-License-Identifier: Apache-2.0
// Role `scheduler`: decides what goes when, while it leads.
#pragma once

#include <string_view>

#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/roles/shared.h"
#include "app/running.h"
#include "delivery/options.h"
#include "delivery/scheduler/scheduler.h"

namespace todoku::app::roles {

class SchedulerRole final : public Role {
 public:
  // Both outlive the role.
  SchedulerRole(const Ground& ground, Shared& shared);

  [[nodiscard]] std::string_view name() const override { return "scheduler"; }
  [[nodiscard]] Result<void> start() override;
  // Hands over: another may lead at once.
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }

  // Something that was committed here may be due. Any thread.
  void wake() { scheduler_.wake(); }

 private:
  const Ground& ground_;
  Shared& shared_;
  const delivery::Options options_;
  delivery::scheduler::Scheduler scheduler_;
  Running running_;
};

}  // namespace todoku::app::roles
