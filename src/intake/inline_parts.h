// SPDX-License-Identifier: Apache-2.0
// Inline parts (mime/inline_parts.h) as requests bring them, and what of them does not fit together
// though it can be sent. Pure.
#pragma once

#include <string>
#include <string_view>

#include "mail/content.h"
#include "mime/inline_parts.h"
#include "store/deliveries.h"

namespace todoku::intake {

// "<logo>", as a header field has it, is logo.
[[nodiscard]] std::string bare_content_id(std::string_view given);

// What the HTML refers to and is not there, and what is there and not referred to, as a sentence of
// printable ASCII; empty: all fits together, or insert codes decide it.
[[nodiscard]] std::string inline_warning(const Content& content);
// The same of a draft as it is stored.
[[nodiscard]] std::string inline_warning(const store::Delivery& delivery);

// Of the draft's parts in their order.
[[nodiscard]] mime::ReferenceLook look_at_inline_parts(const store::Delivery& delivery);

}  // namespace todoku::intake
