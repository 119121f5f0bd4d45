// SPDX-License-Identifier: Apache-2.0
// Files that the user names: read whole, within bounds, and replaced whole.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::cli {

class Session;

// The whole file. Errors: not_found (there is none), io, limit_exceeded; the detail names the file.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t octets_max);

// The same, "-" for `input`.
[[nodiscard]] Result<std::string> read_octets(const std::string& path, std::istream& input,
                                              std::size_t octets_max);

// A key or a password: the file, "-" for standard input, without the line ends behind it. Nothing
// of it is left out: what is too long is an error. Errors, in the language of the user: not_found,
// io, limit_exceeded (16 KiB), invalid_input (nothing, or only blanks).
[[nodiscard]] Result<std::string> read_secret(const std::string& path, Session& session);

enum class FileFor : std::uint8_t { its_user, whom_umask_lets };

// The file holds this from now on; a reader sees the old one or the new one, also after a loss of
// power, which may keep either. Errors: io; the detail names the file.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view content,
                                        FileFor who);

}  // namespace todoku::cli
