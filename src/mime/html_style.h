// SPDX-License-Identifier: Apache-2.0
// What the attributes of an HTML element say of how its text shows: whether at all, without a size,
// struck out. A style is read as declarations (CSS Syntax 3, section 5.4): comments, strings,
// brackets, custom properties and "!important" are what they are. Internal to html_text.cc.
#pragma once

#include <optional>
#include <string_view>

namespace todoku::mime {

struct HtmlStyle {
  bool hides = false;        // nothing of the element is shown
  bool strikes = false;      // its text is struck out
  std::optional<bool> tiny;  // its text has no size, and so is not shown; nullopt: as around it
};

// `attributes` as they are written in the tag. Linear.
[[nodiscard]] HtmlStyle html_style(std::string_view attributes);

}  // namespace todoku::mime
