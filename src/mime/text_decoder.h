// SPDX-License-Identifier: Apache-2.0
// Text of another encoding as UTF-8, octets coming in any slices: for files that are too long to be
// in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace todoku::mime {

// shift_jis is Windows' code page 932, of which such files are made (mime/charset.h).
enum class TextEncoding : std::uint8_t { utf_8, shift_jis, utf_16le, utf_16be };

// "utf_8" and so on, the same everywhere.
[[nodiscard]] std::string_view to_string(TextEncoding encoding);

class TextDecoder {
 public:
  // Throws std::bad_alloc where there is no memory for it.
  explicit TextDecoder(TextEncoding encoding);
  ~TextDecoder();
  TextDecoder(const TextDecoder&) = delete;
  TextDecoder& operator=(const TextDecoder&) = delete;

  // The text of `octets` and of what an earlier slice has begun, valid until the next call and as
  // long as `octets`. What has no meaning in the encoding becomes U+FFFD; UTF-8 passes as it is.
  [[nodiscard]] std::string_view decode(std::string_view octets);
  // Of a character that the last slice has begun, after all of them.
  [[nodiscard]] std::string_view finish();

 private:
  struct Converter;
  void convert(std::string_view octets, bool last);
  void add(char16_t unit);

  const std::unique_ptr<Converter> converter_;  // nullptr: UTF-8
  char16_t high_ = 0;                           // a surrogate whose other half is still to come
  std::string text_;
};

}  // namespace todoku::mime
