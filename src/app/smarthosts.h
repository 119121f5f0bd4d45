// SPDX-License-Identifier: Apache-2.0
// The smarthosts that sources send through, from the configuration.
#pragma once

#include <optional>

#include "base/result.h"
#include "config/config.h"
#include "delivery/smarthost.h"

namespace todoku::app {

// nullopt: the source sends by itself. Its password is read for each connection.
[[nodiscard]] std::optional<delivery::Smarthost> smarthost_of(const config::Config::Egress& source);

// Whether every source that logs in has a password. Errors: unavailable, naming the key.
[[nodiscard]] Result<void> check_smarthosts(const config::Config& config);

}  // namespace todoku::app
