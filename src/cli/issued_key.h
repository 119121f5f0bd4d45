// SPDX-License-Identifier: Apache-2.0
// How a new API key is shown: once, with everything a client needs.
#pragma once

#include <boost/json/value.hpp>

#include "cli/session.h"

namespace todoku::cli {

void print_issued_key(Session& session, const boost::json::value& key);

}  // namespace todoku::cli
