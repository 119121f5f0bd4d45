// SPDX-License-Identifier: Apache-2.0
// The password of the database, from where the configuration says. It is asked for with each new
// connection, so that it may change under a running engine.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "config/config.h"

namespace todoku::app {

// Empty if none is configured. What it returns blocks, for 10 seconds at most where a command is
// run. Errors are always unavailable: the next connection asks again.
[[nodiscard]] std::function<Result<std::string>()> database_password(
    const config::Config::Postgres& from);

// What is wrong with where it comes from, as far as that is known without running a command.
[[nodiscard]] Result<void> check_password_source(const config::Config::Postgres& from);

}  // namespace todoku::app
