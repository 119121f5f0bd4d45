// SPDX-License-Identifier: Apache-2.0
// Header values with parameters (Content-Type, Content-Disposition), read tolerantly, and the three
// ways in which clients write file names that are not ASCII. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace todoku::http {

// `form-data; name="file"; filename=a.txt`. Empty parameters and a trailing ';' are skipped,
// quotes are optional and may lack their end.
struct ParameterizedValue {
  std::string value;  // before the first ';', trimmed, otherwise as given
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  [[nodiscard]] const std::string* find(std::string_view name) const;
};

[[nodiscard]] ParameterizedValue parse_parameterized(std::string_view text);

// "type/subtype" in lower case without parameters; empty if `content_type` names none. Python's
// str() of a guessed type, "('text/plain', None)", counts as what it quotes.
[[nodiscard]] std::string media_type(std::string_view content_type);

// RFC 8187: charset'language'percent-encoded, in UTF-8 or ISO-8859-1; the result is UTF-8.
[[nodiscard]] std::optional<std::string> decode_extended_value(std::string_view text);

// Replaces RFC 2047 encoded words of UTF-8, US-ASCII and ISO-8859-1; others stay as they are.
[[nodiscard]] std::string decode_encoded_words(std::string_view text);

// The file name of a Content-Disposition: filename* before filename, decoded, without directories
// and control characters, always well-formed UTF-8 (U+FFFD for octets that are not). nullopt if
// neither parameter is there.
[[nodiscard]] std::optional<std::string> file_name(const ParameterizedValue& disposition);

}  // namespace todoku::http
