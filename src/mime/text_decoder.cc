// SPDX-License-Identifier: Apache-2.0
#include "mime/text_decoder.h"

#include <array>
#include <new>
#include <utility>

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

#include "base/utf8.h"
#include "mime/shift_jis.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kUnitsAtOnce = 4'096;

const char* converter_of(TextEncoding encoding) {
  switch (encoding) {
    case TextEncoding::shift_jis:
      return kWindows31j;
    case TextEncoding::utf_16le:
      return "UTF-16LE";
    case TextEncoding::utf_16be:
      return "UTF-16BE";
    case TextEncoding::utf_8:
      break;
  }
  return nullptr;
}

bool is_high(char16_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

bool is_low(char16_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

// ICU's own puts U+001A in the place of a single octet.
void replace(const void* /*context*/, UConverterToUnicodeArgs* args, const char* /*octets*/,
             std::int32_t /*length*/, UConverterCallbackReason reason, UErrorCode* status) {
  if (reason > UCNV_IRREGULAR) return;  // no octets, but the converter's own life
  constexpr UChar kReplacement = 0xFFFD;
  *status = U_ZERO_ERROR;
  ucnv_cbToUWriteUChars(args, &kReplacement, 1, 0, status);
}

}  // namespace

struct TextDecoder::Converter {
  explicit Converter(const char* name) {
    UErrorCode status = U_ZERO_ERROR;
    converter.reset(ucnv_open(name, &status));
    if (U_SUCCESS(status) != 0) {
      ucnv_setToUCallBack(converter.get(), &replace, nullptr, nullptr, nullptr, &status);
    }
    if (U_FAILURE(status) != 0) throw std::bad_alloc();  // ICU has these built in
  }
  std::unique_ptr<UConverter, decltype(&ucnv_close)> converter{nullptr, &ucnv_close};
};

std::string_view to_string(TextEncoding encoding) {
  switch (encoding) {
    case TextEncoding::shift_jis:
      return "shift_jis";
    case TextEncoding::utf_16le:
      return "utf_16le";
    case TextEncoding::utf_16be:
      return "utf_16be";
    case TextEncoding::utf_8:
      break;
  }
  return "utf_8";
}

TextDecoder::TextDecoder(TextEncoding encoding)
    : converter_(encoding == TextEncoding::utf_8
                     ? nullptr
                     : std::make_unique<Converter>(converter_of(encoding))) {}

TextDecoder::~TextDecoder() = default;

std::string_view TextDecoder::decode(std::string_view octets) {
  if (converter_ == nullptr) return octets;
  text_.clear();
  convert(octets, false);
  return text_;
}

std::string_view TextDecoder::finish() {
  text_.clear();
  if (converter_ == nullptr) return text_;
  convert({}, true);
  if (std::exchange(high_, u'\0') != 0) text_ += kReplacementCharacter;
  return text_;
}

void TextDecoder::convert(std::string_view octets, bool last) {
  std::array<UChar, kUnitsAtOnce> units{};
  const char* from = octets.data();
  const char* const end = from + octets.size();
  UErrorCode status = U_ZERO_ERROR;
  do {
    status = U_ZERO_ERROR;
    UChar* to = units.data();
    ucnv_toUnicode(converter_->converter.get(), &to, units.data() + units.size(), &from, end,
                   nullptr, static_cast<UBool>(last), &status);
    for (const UChar* unit = units.data(); unit != to; ++unit) add(*unit);
  } while (status == U_BUFFER_OVERFLOW_ERROR);
}

void TextDecoder::add(char16_t unit) {
  const char16_t high = std::exchange(high_, u'\0');
  if (high != 0 && is_low(unit)) {
    append_utf8(text_, 0x10000U + ((high - 0xD800U) << 10U) + (unit - 0xDC00U));
    return;
  }
  if (high != 0) text_ += kReplacementCharacter;
  if (is_high(unit)) {
    high_ = unit;
  } else if (is_low(unit)) {
    text_ += kReplacementCharacter;
  } else {
    append_utf8(text_, unit);
  }
}

}  // namespace todoku::mime
