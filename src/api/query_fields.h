// SPDX-License-Identifier: Apache-2.0
// Parameters of a query that several resources read alike.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/query.h"
#include "intake/problem.h"

namespace todoku::api {

// How many are wanted of a list, from 1 to 1000; `standard` without the parameter, or with a
// problem.
[[nodiscard]] std::int64_t count_parameter(const http::Query& query, std::string_view name,
                                           std::int64_t standard, intake::Problems& problems);

}  // namespace todoku::api
