// SPDX-License-Identifier: Apache-2.0
// A readable plain text out of HTML, for the text part of a mail that has only HTML.
//
//   paragraphs, headings   set off by a blank line; <br>, rows and list items on lines of their own
//   lists                  "- " or "1. ", indented by their depth; quotations "> "
//   tables                 cells separated by " | "; by a space where role="presentation". Where
//   the
//                          table has headings (th), cells keep their columns: empty ones, those
//                          beside others that reach into several (colspan, rowspan), and those with
//                          a block around their line
//   what is struck out     between "~~", pictures and links, too
//   links                  text <URL>, or only the URL where the text says the same
//   images                 their alt
//   left out               comments, scripts, styles, title, what is hidden (display:none and the
//                          like, text of font-size:0), but for a preheader: up to 100 characters of
//                          hidden text that come before all that shows
//
// An element ends where browsers end it, also without an end tag (mime/html_nesting.h).
//
// White space is collapsed as HTML says, but a line end between two wide characters is none, as
// Japanese has no spaces there (CSS Text 3, section 4.1.3). Insert codes stay as they are written,
// in texts, URLs and alts, so that they can be filled in.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mime {

// UTF-8 with LF line ends; no line ends at the beginning and the end. Pure, in linear time, at most
// twice as long as `html` and 64 octets more: for what is beyond, a last line "[...]" stands. Empty
// if nothing can be read in it.
[[nodiscard]] std::string html_to_text(std::string_view html);

}  // namespace todoku::mime
