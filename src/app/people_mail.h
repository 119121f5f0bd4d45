// SPDX-License-Identifier: Apache-2.0
// Mail to people who sign in, as transactional mail of an account of the installation's own
// (console.mail_account), by the door that all mail passes.
#pragma once

#include <string>

#include "config/config.h"
#include "intake/intake.h"
#include "people/letters.h"
#include "people/people.h"
#include "store/store.h"

namespace todoku::app {

class PeopleMail final : public people::Mailer {
 public:
  // All outlives it.
  PeopleMail(const config::Config& config, store::Store& store, intake::Intake& intake)
      : config_(config), store_(store), intake_(intake) {}

  [[nodiscard]] bool is_there() const override { return !config_.console.mail_account.empty(); }
  // unsupported: console.mail_account is not configured.
  [[nodiscard]] Task<Result<void>> send(store::Person person, store::LinkPurpose purpose,
                                        std::string url) override;
  [[nodiscard]] Task<Result<void>> tell_invited_elsewhere(store::Person person,
                                                          std::string url) override;

 private:
  [[nodiscard]] Task<Result<void>> hand_in(std::string to, people::Letter letter);

  const config::Config& config_;
  store::Store& store_;
  intake::Intake& intake_;
};

}  // namespace todoku::app
