// SPDX-License-Identifier: Apache-2.0
// The few files of an installation beside its store: rules, keys, its folder.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::config {

// The whole file. Errors: not_found, io; the detail names path and reason.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

// Makes a file that only this user may read, durably: content and name survive power loss.
// Errors: conflict (it exists), io.
[[nodiscard]] Result<void> create_private_file(const std::string& path, std::string_view content);

// The file holds this from now on, or what it held before, also after power loss, which may keep
// either: it is not synced. For this user only. Errors: io.
[[nodiscard]] Result<void> replace_private_file(const std::string& path, std::string_view content);

// The same durably, and for everybody to read.
[[nodiscard]] Result<void> replace_public_file(const std::string& path, std::string_view content);

// Makes the folder and its parents, readable by this user only, unless it exists. Errors: io.
[[nodiscard]] Result<void> ensure_private_directory(const std::string& path);

}  // namespace todoku::config
