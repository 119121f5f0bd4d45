// SPDX-License-Identifier: Apache-2.0
// How large a mail may become when the values of its insert codes have been put in. Pure.
//
// A content and the values of one recipient are small each; what they say together is their
// product. It is limited where they meet: a transaction's at the request, a bulk recipient's when
// it is added or changed, against the content that the draft has at that moment. A change of the
// content looks only at the recipients that come with it: going through those that are there could
// take millions of rows. Composing looks once more (MessageTemplate::expanded_octets()).
#pragma once

#include <vector>

#include "intake/check.h"
#include "intake/limits.h"
#include "intake/problem.h"
#include "mime/message_size.h"
#include "store/deliveries.h"
#include "store/recipients.h"

namespace todoku::intake {

// Of a draft as the store gives it, whose attachments have their size beside the content.
[[nodiscard]] mime::MessageSize size_of(const store::Delivery& draft);

// What is the same for all recipients; a problem names the largest field.
void check_content_size(const Content& content, const mime::MessageSize& size, const Limits& limits,
                        Problems& problems);
void check_draft_size(const store::Delivery& draft, const mime::MessageSize& size,
                      const Limits& limits, Problems& problems);
// A recipient's mail; a problem names the value that makes most of it, at path_of_code(). None
// if already the content is too large: that is not this recipient's.
void check_codes_size(const std::vector<InsertCode>& codes, const mime::MessageSize& size,
                      const Path& path, const Limits& limits, Problems& problems);

}  // namespace todoku::intake
