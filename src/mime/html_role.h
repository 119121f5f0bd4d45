// SPDX-License-Identifier: Apache-2.0
// What an HTML element is in a text set in lines. Internal to html_text.cc.
#pragma once

#include <cstdint>
#include <string_view>

namespace todoku::mime {

enum class HtmlRole : std::uint8_t {
  inline_,  // and whatever is unknown
  line,     // a block without space around it
  paragraph,
  break_,
  rule,
  list,
  item,
  quotation,
  preformatted,
  cell,
  row,
  rows,  // a group of them
  table,
  link,
  image,
};

// `name` in lower case.
[[nodiscard]] HtmlRole html_role(std::string_view name);

}  // namespace todoku::mime
