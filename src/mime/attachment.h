// SPDX-License-Identifier: Apache-2.0
// An attachment as a body part, encoded once per delivery.
#pragma once

#include <string>
#include <string_view>

#include "mail/content.h"
#include "mime/charset.h"

namespace todoku::mime {

using todoku::Attachment;

// The part with its header fields, ready to stand in a multipart, whatever the sender gave
// (mime/media_type.h, mime/file_name.h).
// A name beyond ASCII is said twice: as filename* (RFC 2231, UTF-8) in Content-Disposition, and for
// older Japanese mail programs as name="encoded-words" in Content-Type, in `charset` if it can.
// `content_id`: of a part that is inline, as it stands in the mail (mime/inline_parts.h).
[[nodiscard]] std::string encode_attachment(const Attachment& attachment, Encoding charset,
                                            std::string_view content_id = {});

}  // namespace todoku::mime
