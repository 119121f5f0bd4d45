// SPDX-License-Identifier: Apache-2.0
// The one door of a process, which the roles that take mail share: whose From is accepted, what an
// account may hand in, and what becomes of what was accepted (intake/intake.h).
#pragma once

#include <functional>
#include <mutex>

#include "app/mail_counting.h"
#include "app/passing_on.h"
#include "app/roles/events.h"
#include "app/roles/ground.h"
#include "app/roles/shared.h"
#include "app/running.h"
#include "app/sending.h"
#include "intake/intake.h"
#include "intake/mail_limit.h"
#include "intake/senders.h"

namespace todoku::app::roles {

class Door {
 public:
  // What the same process does besides.
  struct Beside {
    Sending* sending = nullptr;
    std::function<void()> wake_scheduler;
    intake::ImportStarter* imports = nullptr;
  };
  // Made like a role: what it follows and counts is declared then. Everything given outlives it.
  Door(const Ground& ground, Shared& shared, Beside beside);

  // Opens, once, whichever role comes first. Blocks. Fails where the store holds what the
  // configuration refuses.
  [[nodiscard]] Result<void> start();
  // After the roles that use it. Blocks; once.
  void stop(SteadyInstant deadline) { running_.stop(deadline); }

  [[nodiscard]] intake::Intake& intake() { return intake_; }
  [[nodiscard]] const intake::Senders& senders() const { return senders_; }

 private:
  [[nodiscard]] Result<void> check_senders();

  const Ground& ground_;
  PassingOn passing_on_;
  intake::Senders senders_;
  intake::MailLimit mail_limit_;
  intake::Intake intake_;
  ImportsElsewhere imports_elsewhere_;
  MailCounting counting_;
  bool started_ = false;
  Running running_;
};

}  // namespace todoku::app::roles
