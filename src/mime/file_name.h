// SPDX-License-Identifier: Apache-2.0
// Names of attachments: as a mail says them, and as receiving computers understand them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace todoku::mime {

// `given` without directories and misleading characters (base/printable.h), at most 200 octets
// long, its extension kept; "attachment" if nothing is left.
[[nodiscard]] std::string clean_file_name(std::string_view given);

// The extensions that a computer may see in `given`, lower case: what nobody sees is taken out,
// compatibility forms (fullwidth letters) are folded (NFKC), dots and spaces at the end dropped, as
// Windows does, and so is a stream of NTFS ("a.exe::$DATA" is a.exe). Each part of a path or stream
// name counts.
[[nodiscard]] std::vector<std::string> file_extensions(std::string_view given);

}  // namespace todoku::mime
