// SPDX-License-Identifier: Apache-2.0
// HTML as a sequence of texts and tags, read as browsers do (HTML, section 13.2.5) and in linear
// time: each octet is looked at a bounded number of times, whatever the input. No tree is built, so
// nesting costs nothing. (libxml2's SAX parser looks through all open elements at each end tag:
// with hostile nesting it takes half a second for 100 KB.)
//
// Comments, declarations and the content of elements that no reader shows (script, style, title and
// the like) are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku::mime {

// What HTML counts as white space (its standard, "ASCII whitespace").
[[nodiscard]] constexpr bool is_html_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct HtmlToken {
  enum class Kind : std::uint8_t { text, open, close };
  Kind kind = Kind::text;
  std::string name;             // of a tag: lower case, cut to kHtmlNameOctetsMax
  std::string_view attributes;  // of an open tag, as written
  std::string_view text;        // as written, with its character references
};

inline constexpr std::size_t kHtmlNameOctetsMax = 16;

class HtmlReader {
 public:
  // `html` must outlive this object and the tokens.
  explicit HtmlReader(std::string_view html) : rest_(html) {}

  // False at the end.
  [[nodiscard]] bool next(HtmlToken& token);

 private:
  // Each reads what stands at the start of rest_; false if it gives no token.
  bool read_text(HtmlToken& token);
  bool read_markup(HtmlToken& token);
  bool read_tag(HtmlToken& token);
  void skip_comment();
  void skip_to_end_of(const std::string& name);
  void skip_past(std::string_view end);

  std::string_view rest_;
  std::string hidden_;  // an element without shown content was opened: its name
};

// The value of an attribute, its character references replaced; the first one counts. nullopt if it
// is not there, empty if it has no value.
[[nodiscard]] std::optional<std::string> html_attribute(std::string_view attributes,
                                                        std::string_view name);

}  // namespace todoku::mime
