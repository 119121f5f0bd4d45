// SPDX-License-Identifier: Apache-2.0
// An import that the API runs, as a command watches it to its end (docs/api.md).
#pragma once

#include <chrono>
#include <cstdint>

#include "cli/api_session.h"

namespace todoku::cli {

// Between two questions how far something is.
inline constexpr std::chrono::milliseconds kBetweenLooks{1'000};
// Of a list on its way to the engine.
inline constexpr std::chrono::milliseconds kUploadTimeout{600'000};

// What is known of an import that is over.
struct ImportEnd {
  bool is_empty = false;  // its rows are not in
  bool is_told = false;   // every row that was refused has been shown
};

// Shows how far it is, and of refused rows the first ten. Returns the exit status: 0 once the rows
// are in.
int await_import(ApiSession& api, std::int64_t job, ImportEnd& end);

}  // namespace todoku::cli
