// SPDX-License-Identifier: Apache-2.0
// Downloads of the contract are zip archives with exactly one CSV (section 6.14, point 10).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::api {

// The archive that holds `content` under `name`. In memory: error files are bounded by the
// importer. Computes for long: for the file pool. Errors: io.
[[nodiscard]] Result<std::string> zip_of(std::string_view content, const std::string& name);

}  // namespace todoku::api
