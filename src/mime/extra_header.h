// SPDX-License-Identifier: Apache-2.0
// Header fields that a sender adds to its mail: those by which mail programs thread (RFC 5322
// section 3.6.4), those that tell machines not to answer (RFC 3834), those of importance, and X-
// fields. All others are either written here from fields of their own or by those on the way, and a
// second one would say something else than the first: RFC 5322 section 3.6 allows one of most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mime/content.h"

namespace todoku::mime {

inline constexpr std::size_t kExtraHeadersMax = 20;
inline constexpr std::size_t kHeaderNameOctetsMax = 64;
// RFC 5322 section 2.1.1: what a line may have, and so what a reader that does not fold is ready
// for.
inline constexpr std::size_t kHeaderValueOctetsMax = 998;
// One stands on one line.
inline constexpr std::size_t kMessageIdOctetsMax = 900;

// What a field of a name holds.
enum class HeaderForm : std::uint8_t {
  text,         // unstructured: insert codes work, and what is not ASCII is encoded (RFC 2047)
  message_ids,  // RFC 5322 section 3.6.4
  words,        // structured otherwise: printable ASCII, as it is given
};

// Errors, each with a clause: invalid_input (no name of a field, or one that nobody may give),
// limit_exceeded (over kHeaderNameOctetsMax).
[[nodiscard]] Result<HeaderForm> form_of_header(std::string_view name);

// Whether `value`, one line of UTF-8 without controls and without white space around it, can stand
// in a field of this form. Errors, each with a clause: invalid_input, limit_exceeded.
[[nodiscard]] Result<void> check_header_value(HeaderForm form, std::string_view value);

// A field that can be written; of a content, and as long as it.
struct UsableHeader {
  std::string_view name;
  std::string_view value;
  HeaderForm form = HeaderForm::text;
};
// Those of the content that pass the checks above: kExtraHeadersMax at most, the first of each
// name; what is misleading in a text is for the composer to clean away. Others are left out,
// whoever kept them: no mail is lost by one, and none can forge a field.
[[nodiscard]] std::vector<UsableHeader> usable_headers(const Content& content);

// Appends a field of message ids or words, folded between them.
void append_words(std::string& out, std::string_view name, std::string_view value);

}  // namespace todoku::mime
