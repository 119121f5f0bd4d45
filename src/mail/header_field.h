// SPDX-License-Identifier: Apache-2.0
// One header field as it stands in a message (RFC 5322 section 2.2): what composing hands to
// signing, and what verifying finds.
#pragma once

#include <string_view>

namespace todoku {

struct HeaderField {
  std::string_view name;  // "Subject", without the colon and white space before it
  std::string_view raw;   // the whole field: "Subject: a\r\n b\r\n", folding and last CRLF included
};

}  // namespace todoku
