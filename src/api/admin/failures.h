// SPDX-License-Identifier: Apache-2.0
// How an operation that failed is answered: {"error": sentence}.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace todoku::api::admin {

[[nodiscard]] http::Response failure(int status, std::string_view sentence);
// With 400, 404, 409, 503 or 500.
[[nodiscard]] http::Response failure(const Error& error);

}  // namespace todoku::api::admin
