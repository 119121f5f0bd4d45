// SPDX-License-Identifier: Apache-2.0
// Which domains are which account's, as a role knows it that accepts mail or answers it.
#pragma once

#include "app/roles/ground.h"
#include "config/config.h"
#include "intake/senders.h"

namespace todoku::app::roles {

// Nothing is asked of the installation's only account.
[[nodiscard]] bool takes_any_sender(const config::Config& config);

// `senders` is as the store has it from the next look on (ChangeWatch::look()). While roles are
// made. Both outlive the roles.
void follow_senders(const Ground& ground, intake::Senders& senders);

}  // namespace todoku::app::roles
