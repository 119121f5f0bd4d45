// SPDX-License-Identifier: Apache-2.0
// Why an import refused rows, as the API's error file tells it (docs/api.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api_session.h"

namespace todoku::cli {

// The first cells of the rows of a CSV (RFC 4180) behind its header, no more than `most` of them.
[[nodiscard]] std::vector<std::string> first_cells(std::string_view csv, std::size_t most);

// Of the job, up to `most` reasons, each with its row: "[email: is required, row: 7]". Empty where
// the file cannot be had: a key without access to contents, an API that has none. Prints nothing.
[[nodiscard]] std::vector<std::string> import_errors(ApiSession& api, std::int64_t job,
                                                     std::size_t most);

}  // namespace todoku::cli
