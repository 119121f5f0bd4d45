// SPDX-License-Identifier: Apache-2.0
// A mail that came in, as its readers look at it: fields and texts in UTF-8, on GMime, which reads
// what is broken as mail programs do, but is shown no field that it would build addresses of
// (mime/veiled_fields.h). Bounded whatever it holds, in time and stack as well.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace todoku::feedback::parse {

inline constexpr std::size_t kMailOctetsMax = std::size_t{4} << 20U;  // beyond it nothing is read
inline constexpr std::size_t kPartsMax = 64;
inline constexpr std::size_t kPartOctetsMax = std::size_t{256} << 10U;
inline constexpr std::size_t kFieldsMax = 512;
inline constexpr std::size_t kFieldOctetsMax = 2'048;

struct MailFields {
  // Names in lower case, values unfolded and decoded, in their order.
  std::vector<std::pair<std::string, std::string>> all;

  // The first of the name, in lower case; empty: there is none.
  [[nodiscard]] std::string_view first(std::string_view name) const;
};

struct MailPart {
  std::string type;  // lower case, "text/plain"
  std::string text;  // UTF-8 with LF line ends; of text/html what people read of it
  // Of a message in a message, and of a part that is a message's header section: its fields.
  MailFields fields;
};

struct Mail {
  MailFields fields;
  std::string type;         // of the whole
  std::string report_type;  // of multipart/report (RFC 6522), lower case
  std::vector<MailPart> parts;
};

// LF and CRLF line ends alike; a truncated mail is read as far as it goes. A line "From " before
// the first field (mbox) and a byte order mark are passed over. Errors: invalid_input, no field is
// there.
[[nodiscard]] Result<Mail> read_mail(std::string_view octets);

// The fields that `text` begins with, up to its first blank line.
[[nodiscard]] MailFields read_fields(std::string_view text);

}  // namespace todoku::feedback::parse
