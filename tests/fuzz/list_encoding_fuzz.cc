// SPDX-License-Identifier: Apache-2.0
// The encoding of a list: the same guess and the same text however the octets are cut; what is
// UTF-8 is never taken for something else; what was decoded is UTF-8.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "intake/list_encoding.h"
#include "mime/text_decoder.h"

namespace {

using todoku::mime::TextEncoding;

todoku::intake::ListEncoding guess(std::string_view text, std::size_t slice) {
  todoku::intake::ListEncodingGuess guess;
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    guess.push(text.substr(0, slice));
  }
  return guess.finish();
}

std::string decoded(TextEncoding encoding, std::string_view text, std::size_t slice) {
  todoku::mime::TextDecoder decoder(encoding);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    out += decoder.decode(text.substr(0, slice));
  }
  out += decoder.finish();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = guess(text, size + 1);
  for (const std::size_t slice : {1UL, 3UL, 8UL}) {
    const auto again = guess(text, slice);
    todoku::check(again.encoding == found.encoding && again.by == found.by, "the same guess");
  }
  const bool has_nul = text.substr(0, 2).contains('\0');
  if (todoku::is_utf8(text) && !has_nul) {
    todoku::check(found.encoding == TextEncoding::utf_8, "UTF-8 is UTF-8");
  }
  for (const auto encoding : {TextEncoding::utf_8, TextEncoding::shift_jis, TextEncoding::utf_16le,
                              TextEncoding::utf_16be}) {
    const std::string whole = decoded(encoding, text, size + 1);
    todoku::check(decoded(encoding, text, 1) == whole, "the same text");
    todoku::check(encoding == TextEncoding::utf_8 || todoku::is_utf8(whole), "it is UTF-8");
  }
  return 0;
}
