// SPDX-License-Identifier: Apache-2.0
#include "mime/open_pixel.h"

#include "mime/html_reader.h"

namespace todoku::mime {
namespace {

void append_attribute(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
}

}  // namespace

PixelMarkup pixel_markup(std::string_view url) {
  PixelMarkup markup;
  markup.before = "<img src=\"";
  append_attribute(markup.before, url);
  // Nothing to read aloud, and nothing to show where images are not loaded.
  markup.after = "\" width=\"1\" height=\"1\" alt=\"\" border=\"0\">\r\n";
  return markup;
}

std::size_t pixel_place(std::string_view html) {
  std::size_t body = html.size();
  std::size_t document = html.size();
  HtmlReader reader(html);
  HtmlToken token;
  while (reader.next(token)) {
    const bool ends_body = token.name == "body";
    if (token.kind != HtmlToken::Kind::close || (!ends_body && token.name != "html")) continue;
    // The attributes begin behind the name, in the same text.
    const auto behind = static_cast<std::size_t>(token.attributes.data() - html.data());
    const std::size_t begin = behind - token.name.size() - 2;
    (ends_body ? body : document) = begin;
  }
  return body < html.size() ? body : document;
}

}  // namespace todoku::mime
