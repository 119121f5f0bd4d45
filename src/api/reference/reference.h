// SPDX-License-Identifier: Apache-2.0
// The reference of the API, told by the API itself: docs/openapi.json as it is, and as pages that
// need nothing from elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "base/result.h"
#include "http/router.h"

namespace todoku::api::reference {

// docs/openapi.json, which travels inside the binary (OpenAPI 3.1).
[[nodiscard]] std::string_view openapi();

// The page that a description becomes. Summaries are Japanese where the description has them
// (`x-ja` beside `summary` and `description`).
// Errors: invalid_input, for what is no JSON.
[[nodiscard]] Result<std::string> page(std::string_view openapi, Language language);

// GET /docs, in the language that is asked for (`?lang=ja`, or Accept-Language), and GET
// /docs/openapi.json. Both are open to everybody.
void add_routes(http::Router& router);

}  // namespace todoku::api::reference
