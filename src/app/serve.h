// SPDX-License-Identifier: Apache-2.0
// `todoku serve`: the life of the engine's process.
#pragma once

#include "config/config.h"

namespace todoku::app {

// Runs the engine until SIGTERM, SIGINT or SIGHUP, or until it is asked to drain; a SIGINT or
// SIGHUP that the process was started to ignore it ignores. While it drains a second SIGINT,
// counted with the one that began it, ends the process at once; all else changes nothing then. Exit
// status: 0 after a drain, whatever was handed back; 1 if the engine cannot start, with the reason
// on standard error. `begin_new`: StoreHouse::Start. Not to be called after other threads began.
[[nodiscard]] int serve(config::LoadedConfig loaded, bool begin_new);

}  // namespace todoku::app
