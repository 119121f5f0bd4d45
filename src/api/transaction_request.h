// SPDX-License-Identifier: Apache-2.0
// A transaction as JSON (contract section 2.1), alone or as one of many.
#pragma once

#include <boost/json/object.hpp>

#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"

namespace todoku::api {

// Of files those that JSON can bring: inline parts. What is wrong with its form is added to
// `problems`.
[[nodiscard]] intake::TransactionRequest read_transaction(const boost::json::object& object,
                                                          const intake::Limits& limits,
                                                          intake::Problems& problems);

}  // namespace todoku::api
