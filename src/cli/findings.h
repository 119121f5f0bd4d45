// SPDX-License-Identifier: Apache-2.0
// What checks found (doctor/finding.h), for people or as JSON.
#pragma once

#include <vector>

#include <boost/json/object.hpp>

#include "cli/session.h"
#include "doctor/finding.h"

namespace todoku::cli {

// {"outcome", "findings"}, in one language.
[[nodiscard]] boost::json::object findings_json(const std::vector<doctor::Finding>& findings,
                                                Language language);

// Prints them, those of one subject together. Returns doctor::exit_status().
int show_findings(Session& session, const std::vector<doctor::Finding>& findings);

}  // namespace todoku::cli
