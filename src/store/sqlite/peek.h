// SPDX-License-Identifier: Apache-2.0
// A look into a database that is not ours to open: nothing of it is locked, made or changed, and an
// engine may be at work on it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::store::sqlite {

// A setting of the store; nullopt: it has none of that name. Errors: not_found (the file is empty,
// or nothing was made in it), unsupported (of a newer version), corrupt, io, unavailable.
[[nodiscard]] Result<std::optional<std::string>> peek_setting(const std::filesystem::path& database,
                                                              std::string_view name);

}  // namespace todoku::store::sqlite
