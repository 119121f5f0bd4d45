// SPDX-License-Identifier: Apache-2.0
// The mails by which people get their links. Pure.
//
// No word of anybody's stands in them, not even a name: whoever invites could have mail say what
// they like, in the installation's name.
#pragma once

#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "store/people.h"

namespace todoku::people {

struct Letter {
  std::string subject;
  std::string text;  // lines end with LF
  std::string html;
};

// With the link, and for how long it is good.
[[nodiscard]] Letter link_letter(store::LinkPurpose purpose, Language language,
                                 std::string_view url);

// That somebody was invited to an account, whose address belongs to another already. `url`: the
// console's.
[[nodiscard]] Letter elsewhere_letter(Language language, std::string_view url);

}  // namespace todoku::people
