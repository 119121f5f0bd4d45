// SPDX-License-Identifier: Apache-2.0
// A password in a file that nobody else can read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::app {

// Tokens have some 1,500 octets.
inline constexpr std::size_t kSecretOctetsMax = 16'384;

// What the file holds, without the line break at its end. `key`: what names it in the
// configuration, for messages, which never hold any of the password. Errors: unavailable (it cannot
// be read, others can read it, it is empty or too long).
[[nodiscard]] Result<std::string> read_password_file(const std::string& path, std::string_view key);

// The same of a text that `source` gives.
[[nodiscard]] Result<std::string> as_password(std::string text, std::string_view source);

}  // namespace todoku::app
