// SPDX-License-Identifier: Apache-2.0
// The two ways of a command-line tool to the operations of an installation.
#pragma once

#include <memory>

#include "base/result.h"
#include "cli/admin_port.h"
#include "cli/host.h"
#include "config/config.h"

namespace todoku::app {

// Over the admin socket if an engine answers there; else by locking and opening the store, until
// the port goes away (`begin_new`: StoreHouse::Start). Errors: unavailable (an engine answers
// there, but has no place for one more), conflict (an engine has the store, but does not answer),
// not_found (there is no store, and none is to be begun), those of opening the store; the sentence
// says what to do, in this language where it is said here.
[[nodiscard]] Result<std::unique_ptr<cli::AdminPort>> open_admin_port(
    const config::LoadedConfig& loaded, const cli::AdminWish& wish = {.may_begin = true});

// An engine of this installation answers at its admin socket, or would if it had a place.
[[nodiscard]] bool engine_answers(const config::Config& config);

}  // namespace todoku::app
