// SPDX-License-Identifier: Apache-2.0
// `todoku mailq`, `sendmail -bp`, and whatever is linked to the program as mailq: how much mail
// waits, in the form that programs know which look at a sendmail's queue.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "cli/host.h"

namespace todoku::cli {

// What waits in the whole installation, for who may use its operations:
//
//   transactional: 5 recipients
//   bulk: 7 recipients, 2 of them set aside: todoku stuck
//   Total requests: 12
//
// or "Mail queue is empty". The same for everybody else, whose own mail does wait nowhere on this
// side of the engine, with a word on `err` of who is shown more. EX_OK either way, as of others;
// EX_UNAVAILABLE where the operations can be reached and do not say.
int show_mail_queue(const std::optional<std::string>& config, Host& host, std::ostream& out,
                    std::ostream& err);

}  // namespace todoku::cli
