// SPDX-License-Identifier: Apache-2.0
#include "mime/html_style.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "mime/html_reader.h"

namespace todoku::mime {
namespace {

std::string without_css_comments(std::string_view style) {
  std::string out;
  while (true) {
    const std::size_t begin = style.find("/*");
    out += style.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = style.find("*/", begin + 2);
    if (end == std::string_view::npos) return out;
    out += ' ';  // it separates words
    style.remove_prefix(end + 2);
  }
}

// To before the next ";" that stands in no string and no brackets.
std::string_view take_declaration(std::string_view& rest) {
  char quote = '\0';
  std::size_t brackets = 0;
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (quote != '\0') {
      if (c == '\\') {
        ++at;
      } else if (c == quote) {
        quote = '\0';
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(') {
      ++brackets;
    } else if (c == ')') {
      brackets -= brackets > 0 ? 1 : 0;
    } else if (c == ';' && brackets == 0) {
      break;
    }
  }
  const std::string_view taken = rest.substr(0, std::min(at, rest.size()));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

// The value of one property: the last declaration counts, but for an important one before it.
class Declared {
 public:
  void take(std::string_view value, bool important) {
    if (important_ && !important) return;
    value_ = value;
    important_ = important;
  }
  [[nodiscard]] bool given() const { return value_.has_value(); }
  [[nodiscard]] std::string_view value() const { return value_.value_or(std::string_view()); }
  [[nodiscard]] bool has_word(std::string_view word) const {
    std::string_view rest = value();
    while (!rest.empty()) {
      const std::size_t begin =
          static_cast<std::size_t>(std::ranges::find_if_not(rest, is_html_space) - rest.begin());
      rest.remove_prefix(begin);
      const std::size_t end =
          static_cast<std::size_t>(std::ranges::find_if(rest, is_html_space) - rest.begin());
      if (rest.substr(0, end) == word) return true;
      rest.remove_prefix(end);
    }
    return false;
  }

 private:
  std::optional<std::string_view> value_;
  bool important_ = false;
};

// True for "0", "0px", "0.0em", "0%".
bool is_no_size(std::string_view value) {
  value = value.substr(0, value.find_first_not_of("0123456789."));
  return value.contains('0') && value.find_first_of("123456789") == std::string_view::npos;
}

HtmlStyle read_style(std::string_view written) {
  const std::string style = to_ascii_lower(without_css_comments(written));
  Declared display;
  Declared visibility;
  Declared max_height;
  Declared overflow;
  Declared font_size;
  Declared decoration;
  std::string_view rest = style;
  while (!rest.empty()) {
    const std::string_view declaration = take_declaration(rest);
    const std::size_t colon = declaration.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = trim(declaration.substr(0, colon));
    std::string_view value = trim(declaration.substr(colon + 1));
    const std::size_t mark = value.rfind('!');
    const bool important =
        mark != std::string_view::npos && trim(value.substr(mark + 1)) == "important";
    if (important) value = trim(value.substr(0, mark));
    if (name == "display") display.take(value, important);
    if (name == "visibility") visibility.take(value, important);
    if (name == "max-height") max_height.take(value, important);
    if (name == "overflow") overflow.take(value, important);
    if (name == "font-size") font_size.take(value, important);
    if (name == "text-decoration" || name == "text-decoration-line") {
      decoration.take(value, important);
    }
  }
  HtmlStyle read;
  read.hides = display.has_word("none") || visibility.has_word("hidden") ||
               visibility.has_word("collapse") ||
               (is_no_size(max_height.value()) && overflow.has_word("hidden"));
  read.strikes = decoration.has_word("line-through");
  if (font_size.given()) read.tiny = is_no_size(font_size.value());
  return read;
}

}  // namespace

HtmlStyle html_style(std::string_view attributes) {
  if (attributes.empty()) return {};
  const auto style = html_attribute(attributes, "style");
  HtmlStyle read = style ? read_style(*style) : HtmlStyle();
  read.hides |= html_attribute(attributes, "hidden").has_value();
  return read;
}

}  // namespace todoku::mime
