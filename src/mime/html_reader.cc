// SPDX-License-Identifier: Apache-2.0
#include "mime/html_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "mime/html_entities.h"

namespace todoku::mime {
namespace {

constexpr std::array<std::string_view, 10> kWithoutShownContent{
    "script", "style", "title", "template", "svg", "math", "iframe", "noframes", "noembed", "xmp"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <class Test>
std::string_view take_while(std::string_view& text, Test test) {
  const auto end = std::ranges::find_if_not(text, test);
  const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

struct Attribute {
  std::string_view name;
  std::string_view value;
};

// Takes the next attribute of a tag; nullopt at its ">" or at the end of the text.
std::optional<Attribute> take_attribute(std::string_view& text) {
  take_while(text, [](char c) { return is_html_space(c) || c == '/'; });
  if (text.empty() || text.front() == '>') return std::nullopt;
  Attribute attribute;
  // A "=" at the beginning belongs to the name.
  std::string_view name = text.substr(0, 1);
  text.remove_prefix(1);
  const std::string_view more = take_while(
      text, [](char c) { return !is_html_space(c) && c != '/' && c != '>' && c != '='; });
  attribute.name = {name.data(), name.size() + more.size()};
  std::string_view after = text;
  take_while(after, is_html_space);
  if (!after.starts_with('=')) return attribute;
  text = after.substr(1);
  take_while(text, is_html_space);
  if (text.starts_with('"') || text.starts_with('\'')) {
    const char quote = text.front();
    text.remove_prefix(1);
    attribute.value = take_while(text, [quote](char c) { return c != quote; });
    if (!text.empty()) text.remove_prefix(1);
  } else {
    attribute.value = take_while(text, [](char c) { return !is_html_space(c) && c != '>'; });
  }
  return attribute;
}

}  // namespace

bool HtmlReader::next(HtmlToken& token) {
  while (!rest_.empty()) {
    if (!hidden_.empty()) {
      const std::string name = std::exchange(hidden_, {});
      skip_to_end_of(name);
      if (rest_.empty()) return false;
      // Whatever stands in its end tag.
      const std::size_t end = std::min(rest_.find('>'), rest_.size());
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      token = {.kind = HtmlToken::Kind::close, .name = name, .attributes = {}, .text = {}};
      return true;
    }
    if (rest_.front() == '<' ? read_markup(token) : read_text(token)) return true;
  }
  return false;
}

bool HtmlReader::read_text(HtmlToken& token) {
  const std::size_t end = std::min(rest_.find('<', 1), rest_.size());
  token = {.kind = HtmlToken::Kind::text, .name = {}, .attributes = {}, .text = {}};
  token.text = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return true;
}

bool HtmlReader::read_markup(HtmlToken& token) {
  const char second = rest_.size() > 1 ? rest_[1] : '\0';
  if (is_letter(second) || (second == '/' && rest_.size() > 2 && is_letter(rest_[2]))) {
    return read_tag(token);
  }
  if (rest_.starts_with("<!--")) {
    rest_.remove_prefix(4);
    // "<!-->" and "<!--->" are whole comments.
    if (rest_.starts_with('>') || rest_.starts_with("->")) {
      skip_past(">");
    } else {
      skip_comment();
    }
    return false;
  }
  if (second == '!' || second == '?' || second == '/') {
    skip_past(">");
    return false;
  }
  return read_text(token);  // a "<" that begins nothing
}

bool HtmlReader::read_tag(HtmlToken& token) {
  const bool closes = rest_[1] == '/';
  rest_.remove_prefix(closes ? 2 : 1);
  const std::string_view name =
      take_while(rest_, [](char c) { return !is_html_space(c) && c != '/' && c != '>'; });
  const std::string_view attributes = rest_;
  std::string_view after_last = rest_;
  while (take_attribute(rest_)) after_last = rest_;
  if (rest_.empty()) return false;  // a tag without end shows nothing
  token = {.kind = closes ? HtmlToken::Kind::close : HtmlToken::Kind::open,
           .name = to_ascii_lower(name.substr(0, kHtmlNameOctetsMax)),
           .attributes = attributes.substr(0, attributes.size() - rest_.size()),
           .text = {}};
  // Only elements of SVG and MathML can be closed so.
  const bool is_whole = (token.name == "svg" || token.name == "math") &&
                        after_last.substr(0, after_last.size() - rest_.size()).ends_with('/');
  rest_.remove_prefix(1);
  if (!closes && !is_whole &&
      std::ranges::find(kWithoutShownContent, token.name) != kWithoutShownContent.end()) {
    hidden_ = token.name;
  }
  return true;
}

// A comment ends with "-->" and, wrongly, with "--!>" (HTML standard, 13.2.5.52).
void HtmlReader::skip_comment() {
  std::size_t at = rest_.find("--");
  while (at != std::string_view::npos) {
    const std::string_view after = rest_.substr(at + 2);
    if (after.starts_with('>') || after.starts_with("!>")) break;
    at = rest_.find("--", at + 1);
  }
  if (at == std::string_view::npos) {
    rest_ = {};
  } else {
    rest_.remove_prefix(rest_.find('>', at) + 1);
  }
}

// To behind the name in the end tag of what holds text only: "</title", but not "</titles".
void HtmlReader::skip_to_end_of(const std::string& name) {
  do {
    skip_past("</" + name);
  } while (!rest_.empty() && !is_html_space(rest_.front()) && rest_.front() != '/' &&
           rest_.front() != '>');
}

// To behind `end`, whose letters are lower case; to the end of everything if it is not there.
void HtmlReader::skip_past(std::string_view end) {
  for (std::size_t at = rest_.find(end.front()); at != std::string_view::npos;
       at = rest_.find(end.front(), at + 1)) {
    if (equals_ignoring_case(rest_.substr(at, end.size()), end)) {
      rest_.remove_prefix(at + end.size());
      return;
    }
  }
  rest_ = {};
}

std::optional<std::string> html_attribute(std::string_view attributes, std::string_view name) {
  while (const auto attribute = take_attribute(attributes)) {
    if (!equals_ignoring_case(attribute->name, name)) continue;
    std::string value;
    append_html_text(value, attribute->value, HtmlPlace::attribute);
    return value;
  }
  return std::nullopt;
}

}  // namespace todoku::mime
