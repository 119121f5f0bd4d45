// SPDX-License-Identifier: Apache-2.0
#include "mime/made_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/html_text.h"

namespace todoku::mime {
namespace {

struct Spelling {
  char32_t character;
  std::string_view text;
};

// The references of everyday mails that JIS X 0208 has no place for.
constexpr std::array kSpellings = std::to_array<Spelling>({{0xA9, "(C)"},
                                                           {0xAE, "(R)"},
                                                           {0x2122, "(TM)"},
                                                           {0x20AC, "EUR"},
                                                           {0xB7, "・"},
                                                           {0x2022, "・"},
                                                           {0x2013, "-"},
                                                           {0x2014, "―"},
                                                           {0xAB, "《"},
                                                           {0xBB, "》"},
                                                           {0x2039, "〈"},
                                                           {0x203A, "〉"}});

std::string spelled_in_jis(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::string_view octets = text.substr(0, std::max<std::size_t>(point.octets, 1));
    text.remove_prefix(octets.size());
    const auto spelling = std::ranges::find(kSpellings, point.value, &Spelling::character);
    const bool spell = spelling != kSpellings.end() && !fits_iso_2022_jp(octets);
    out += spell ? spelling->text : octets;
  }
  return out;
}

}  // namespace

std::string made_text(const Content& content) {
  if (!content.text_from_html || !content.text_part.empty() || content.html_part.empty()) return {};
  std::string text = html_to_text(content.html_part);
  if (content.encode == Encoding::utf_8 || !fits_iso_2022_jp(content.html_part)) return text;
  return spelled_in_jis(text);
}

}  // namespace todoku::mime
