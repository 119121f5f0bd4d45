// SPDX-License-Identifier: Apache-2.0
// How a new API key is shown: once, with everything a client needs.
#pragma once

#include <ostream>

#include <boost/json/value.hpp>

namespace todoku::cli {

void print_issued_key(std::ostream& out, const boost::json::value& key);

}  // namespace todoku::cli
