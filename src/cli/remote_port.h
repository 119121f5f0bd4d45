// SPDX-License-Identifier: Apache-2.0
// The operators' commands that the REST API has, too, over that: accounts, keys, domains,
// suppression lists (docs/cli.md). One command for both, whoever answers.
#pragma once

#include <memory>

#include "cli/admin_port.h"
#include "cli/session.h"

namespace todoku::cli {

// What the API has no word for is refused with a sentence. `status`: the exit status of the last
// call that failed. Both must outlive the port.
[[nodiscard]] std::unique_ptr<AdminPort> make_remote_port(Session& session, int& status);

}  // namespace todoku::cli
