// SPDX-License-Identifier: Apache-2.0
// Text of anybody's in the pages that the API serves.
#pragma once

#include <string>
#include <string_view>

namespace todoku::api {

// For text between tags and in quoted attributes.
[[nodiscard]] inline std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace todoku::api
