// SPDX-License-Identifier: Apache-2.0
// The text part of a content that came with HTML only.
#pragma once

#include <string>

#include "mime/content.h"

namespace todoku::mime {

// What is readable of the HTML (mime/html_text.h). Empty if the content has a text part or no HTML,
// if its sender wants none (Content::text_from_html), or if there is nothing to read. In
// ISO-2022-JP, what only the references of the HTML say ("&copy;") is written in its characters:
// a text that we add is no reason to send the whole mail in another charset.
[[nodiscard]] std::string made_text(const Content& content);

}  // namespace todoku::mime
