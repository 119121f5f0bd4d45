// SPDX-License-Identifier: Apache-2.0
// What the API found in mails before they are sent (preflight, lint), for people.
#pragma once

#include <boost/json/value.hpp>

#include "cli/session.h"

namespace todoku::cli {

// The member `findings` of the answer, by what they are about.
void print_judgement(Session& session, const boost::json::value& report);

// What a command ends with: 1 where something fails, 2 where something is not determined.
[[nodiscard]] int status_of_judgement(const boost::json::value& report);

}  // namespace todoku::cli
