// SPDX-License-Identifier: Apache-2.0
// Downloads of the contract are zip archives with exactly one CSV (section 6.14, point 10).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace todoku::api {

// The archive that holds the file under `name`. In memory: error files are bounded by the importer.
// Waits for
// the disk and computes for long: for the file pool. Errors: not_found, io.
[[nodiscard]] Result<std::string> zip_file(const std::filesystem::path& file,
                                           const std::string& name);

}  // namespace todoku::api
