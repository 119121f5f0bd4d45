// SPDX-License-Identifier: Apache-2.0
// HTML becomes text. Oracles: bounded, well-formed where the HTML is, set in lines as promised, the
// same each time; and text without markup keeps every visible octet.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mime/html_text.h"

namespace todoku::mime {
namespace {

std::string without_spaces(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
  return out;
}

void run(std::string_view html) {
  const std::string text = html_to_text(html);
  check(text.size() <= 2 * html.size() + 64, "the text is bounded");
  check(!is_utf8(html) || is_utf8(text), "the text is well-formed");
  check(!text.starts_with('\n') && !text.ends_with('\n'), "no line ends around it");
  check(!text.contains("\n\n\n\n"), "two blank lines at most");
  check(text == html_to_text(html), "the same each time");
  const bool plain = std::ranges::all_of(html, [](char c) {
    return (c >= ' ' && c <= '~' && c != '<' && c != '&') || (c >= '\t' && c <= '\r');
  });
  check(!plain || without_spaces(text) == without_spaces(html), "text stays text");
}

}  // namespace
}  // namespace todoku::mime

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::mime::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
