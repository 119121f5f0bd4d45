// SPDX-License-Identifier: Apache-2.0
// A readable plain text out of HTML, for the text part of a mail that has only HTML.
//
//   paragraphs, headings   set off by a blank line; <br>, rows and list items on lines of their own
//   lists                  "- " or "1. ", indented by their depth; quotations "> "
//   tables                 cells separated by " | "; by a space where role="presentation". Empty
//                          ones keep their place where the table has headings (th)
//   what is struck out     between "~~"
//   links                  text <URL>, or only the URL where the text says the same
//   images                 their alt
//   left out               comments, scripts, styles, title, what is hidden (display:none and the
//                          like, text of font-size:0), but for a preheader: up to 100 characters of
//                          hidden text that come before all that shows
//
// White space is collapsed as HTML says, but a line end between two wide characters is none, as
// Japanese has no spaces there (CSS Text 3, section 4.1.3). Insert codes stay as they are written,
// in texts, URLs and alts, so that they can be filled in.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mime {

// UTF-8 with LF line ends; no line ends at the beginning and the end. Pure, in linear time, at most
// twice as long as `html` and 64 octets more: what is beyond is cut off. Empty if nothing can be
// read in it.
[[nodiscard]] std::string html_to_text(std::string_view html);

}  // namespace todoku::mime
