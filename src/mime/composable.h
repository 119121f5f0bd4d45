// SPDX-License-Identifier: Apache-2.0
// Of which contents no message can be made. One rule: the door asks it before a content is kept,
// MessageTemplate::build() refuses exactly what it names. So what was accepted can be composed.
//
// It speaks of addresses only: texts, names, URIs and attachments can always be written, whatever
// they hold, because what does not fit is encoded, replaced or left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mime/content.h"

namespace todoku::mime {

enum class AddressField : std::uint8_t { from, reply_to, to, cc };
[[nodiscard]] std::string_view to_string(AddressField field);  // "Reply-To"

struct Unwritable {
  AddressField field = AddressField::from;
  std::size_t index = 0;  // in Content::header_to or header_cc
  std::string reason;     // one clause without the address, e.g. "has no @"
};

// Everything that cannot be written, in the order of the fields; empty if a message can be made.
[[nodiscard]] std::vector<Unwritable> check_composable(const Content& content);

}  // namespace todoku::mime
