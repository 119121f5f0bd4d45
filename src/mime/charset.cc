// SPDX-License-Identifier: Apache-2.0
#include "mime/charset.h"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <unicode/ucnv.h>

#include "base/check.h"
#include "base/utf8.h"
#include "mime/shift_jis.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kBasicPlane = 0x10000;
constexpr char32_t kHalfWidthFirst = 0xFF61;
constexpr char32_t kHalfWidthLast = 0xFF9F;
constexpr char32_t kHalfWidthVoiced = 0xFF9E;
constexpr char32_t kHalfWidthSemiVoiced = 0xFF9F;
constexpr char32_t kCombiningVoiced = 0x3099;
constexpr char32_t kCombiningSemiVoiced = 0x309A;

// The full-width forms of U+FF61 to U+FF9F.
constexpr std::u16string_view kFullWidth =
    u"。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノ"
    u"ハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
static_assert(kFullWidth.size() == kHalfWidthLast - kHalfWidthFirst + 1);

// Code points that Unicode's JIS X 0208 table and others use where windows-31j has its neighbour.
struct Equivalent {
  char16_t also;
  char16_t windows;
};
constexpr std::array<Equivalent, 12> kEquivalents{{
    {0x301C, 0xFF5E},  // WAVE DASH, FULLWIDTH TILDE
    {0x2016, 0x2225},  // DOUBLE VERTICAL LINE, PARALLEL TO
    {0x2212, 0xFF0D},  // MINUS SIGN, FULLWIDTH HYPHEN-MINUS
    {0x2014, 0x2015},  // EM DASH, HORIZONTAL BAR
    {0x00A2, 0xFFE0},  // CENT SIGN
    {0x00A3, 0xFFE1},  // POUND SIGN
    {0x00A5, 0xFFE5},  // YEN SIGN
    {0x00A6, 0xFFE4},  // BROKEN BAR
    {0x00AC, 0xFFE2},  // NOT SIGN
    {0x203E, 0xFFE3},  // OVERLINE
    {0x3099, 0x309B},  // combining voiced mark after what it cannot join
    {0x309A, 0x309C},  // combining semi-voiced mark, likewise
}};

using CodeTable = std::array<std::uint16_t, kBasicPlane>;  // code point -> JIS code, 0: none

// Adds the cells of some rows; a code point that an earlier row has keeps its earlier code.
void add_rows(CodeTable& table, UConverter* windows_31j, unsigned first, unsigned last) {
  for (unsigned row = first; row <= last; ++row) {
    for (unsigned cell = 1; cell <= 94; ++cell) {
      const auto octets = shift_jis(row, cell);
      std::array<UChar, 4> decoded{};
      UErrorCode status = U_ZERO_ERROR;
      const int units = ucnv_toUChars(windows_31j, decoded.data(), decoded.size(), octets.data(),
                                      octets.size(), &status);
      const bool assigned = U_SUCCESS(status) && units == 1 && decoded[0] != 0xFFFD &&
                            (decoded[0] < 0xE000 || decoded[0] > 0xF8FF);
      if (!assigned || table[decoded[0]] != 0) continue;
      table[decoded[0]] = static_cast<std::uint16_t>((row + 0x20) << 8U | (cell + 0x20));
    }
  }
}

std::unique_ptr<const CodeTable> make_table() {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(
      ucnv_open(kWindows31j, &status), &ucnv_close);
  check(U_SUCCESS(status), "ICU has the windows-31j mapping");
  auto table = std::make_unique<CodeTable>();
  add_rows(*table, converter.get(), 1, 8);    // JIS X 0208: not kanji
  add_rows(*table, converter.get(), 16, 84);  // JIS X 0208: kanji
  add_rows(*table, converter.get(), 13, 13);  // NEC special characters
  add_rows(*table, converter.get(), 89, 92);  // NEC-selected IBM extensions
  for (const Equivalent& pair : kEquivalents) (*table)[pair.also] = (*table)[pair.windows];
  for (std::size_t i = 0; i < kFullWidth.size(); ++i) {
    (*table)[kHalfWidthFirst + i] = (*table)[kFullWidth[i]];
  }
  return table;
}

const CodeTable& code_table() {
  static const std::unique_ptr<const CodeTable> table = make_table();
  return *table;
}

// The code of a kana joined with a voiced or semi-voiced mark, or 0 if JIS X 0208 has none.
std::uint16_t join_mark(std::uint16_t kana, bool semi_voiced) {
  const unsigned row = kana >> 8U;
  const unsigned cell = kana & 0xFFU;
  if (!semi_voiced && (kana == 0x2133 || kana == 0x2135)) return kana + 1U;  // iteration marks
  if (row != 0x24 && row != 0x25) return 0;                                  // hiragana, katakana
  const bool ha_row = cell >= 0x4F && cell <= 0x5B && (cell - 0x4F) % 3 == 0;
  if (ha_row) return static_cast<std::uint16_t>(kana + (semi_voiced ? 2U : 1U));
  if (semi_voiced) return 0;
  if (kana == 0x2526) return 0x2574;  // vu, in katakana only
  const bool ka_to_chi = cell >= 0x2B && cell <= 0x41 && cell % 2 == 1;
  const bool tsu_te_to = cell == 0x44 || cell == 0x46 || cell == 0x48;
  return ka_to_chi || tsu_te_to ? static_cast<std::uint16_t>(kana + 1U) : 0;
}

bool is_half_width(char32_t value) {
  return value >= kHalfWidthFirst && value <= kHalfWidthLast;
}

// Whether `mark` is a mark that joins the kana before it: a half-width mark only a half-width kana.
bool joins(char32_t kana, char32_t mark) {
  if (mark == kCombiningVoiced || mark == kCombiningSemiVoiced) return true;
  return is_half_width(kana) && (mark == kHalfWidthVoiced || mark == kHalfWidthSemiVoiced);
}

// True if `rest` may begin with one of the four marks. Asked after every character, so it is one
// branch that nearly always goes the same way.
bool may_begin_with_mark(std::string_view rest) {
  if (rest.size() < 3) return false;
  const auto octet = [&](std::size_t i) {
    return std::uint32_t{static_cast<std::uint8_t>(rest[i])};
  };
  const std::uint32_t three = octet(0) << 16U | octet(1) << 8U | octet(2);
  const bool combining = (three | 3U) == 0xE3829B;   // U+3098 to U+309B
  const bool half_width = (three | 1U) == 0xEFBE9F;  // U+FF9E, U+FF9F
  return (static_cast<unsigned>(combining) | static_cast<unsigned>(half_width)) != 0;
}

JisUnit with_following_mark(char32_t value, JisUnit unit, std::string_view rest) {
  if (!may_begin_with_mark(rest)) return unit;
  const CodePoint mark = decode_utf8(rest);
  if (!joins(value, mark.value)) return unit;
  const bool semi_voiced = mark.value == kHalfWidthSemiVoiced || mark.value == kCombiningSemiVoiced;
  const std::uint16_t joined = join_mark(unit.code, semi_voiced);
  if (joined == 0) return unit;
  return {joined, static_cast<std::uint8_t>(unit.octets + mark.octets)};
}

// The code of a character of three octets from U+3000 to U+9FFF that no mark follows: nearly all
// Japanese. 0 for everything else. The octets E3 to E9 before two continuations are neither
// overlong nor a surrogate.
[[gnu::always_inline]] inline std::uint16_t common_code(const CodeTable& table,
                                                        std::string_view utf8) {
  if (utf8.size() < 3) return 0;
  const auto octet = [&](std::size_t i) {
    return std::uint32_t{static_cast<std::uint8_t>(utf8[i])};
  };
  const bool common = octet(0) - 0xE3U <= 6U && ((octet(1) ^ 0x80U) | (octet(2) ^ 0x80U)) <= 0x3FU;
  if (!common || may_begin_with_mark(utf8.substr(3))) return 0;
  return table[(octet(0) & 0x0FU) << 12U | (octet(1) & 0x3FU) << 6U | (octet(2) & 0x3FU)];
}

std::optional<JisUnit> next_unit(const CodeTable& table, std::string_view utf8) {
  const auto lead = static_cast<std::uint8_t>(utf8[0]);
  if (lead < 0x80) {
    if (lead == 0x7F || (lead < 0x20 && lead != '\t' && lead != '\r' && lead != '\n')) {
      return std::nullopt;
    }
    return JisUnit{lead, 1};
  }
  const CodePoint point = decode_utf8(utf8);
  if (point.octets == 0 || point.value >= kBasicPlane) return std::nullopt;
  const std::uint16_t code = table[point.value];
  if (code == 0) return std::nullopt;
  return with_following_mark(point.value, {code, point.octets}, utf8.substr(point.octets));
}

// Octets on their way to the string, in blocks.
class JisWriter {
 public:
  explicit JisWriter(std::string& out) : out_(out) {}

  void put_kanji(std::uint16_t code) {
    begin_unit(true);
    *end_++ = static_cast<char>(code >> 8U);
    *end_++ = static_cast<char>(code);
  }
  void put_ascii(char c) {
    begin_unit(false);
    *end_++ = c;
  }
  void finish() {
    begin_unit(false);
    out_.append(block_.data(), end_);
  }

 private:
  static constexpr std::size_t kUnitMax = 5;  // an escape sequence and two octets

  void begin_unit(bool kanji) {
    if (end_ > block_.data() + block_.size() - kUnitMax) {
      out_.append(block_.data(), end_);
      end_ = block_.data();
    }
    if (kanji == kanji_) return;
    kanji_ = kanji;
    end_ += (kanji ? kJisToKanji : kJisToAscii).copy(end_, kJisToKanji.size());
  }

  std::string& out_;
  bool kanji_ = false;
  std::array<char, 1024> block_;
  char* end_ = block_.data();
};

std::string name_of_first(std::string_view utf8) {
  const CodePoint point = decode_utf8(utf8);
  if (point.octets == 0) return "ill-formed UTF-8";
  return fmt::format("U+{:04X}", static_cast<std::uint32_t>(point.value));
}

}  // namespace

std::string_view charset_name(Encoding encoding) {
  switch (encoding) {
    case Encoding::utf_8:
      return "UTF-8";
    case Encoding::iso_2022_jp:
      return "ISO-2022-JP";
  }
  return "UTF-8";
}

std::optional<JisUnit> next_jis_unit(std::string_view utf8) {
  return next_unit(code_table(), utf8);
}

bool fits_iso_2022_jp(std::string_view utf8) {
  const CodeTable& table = code_table();
  while (!utf8.empty()) {
    const auto unit = next_unit(table, utf8);
    if (!unit) return false;
    utf8.remove_prefix(unit->octets);
  }
  return true;
}

Result<void> append_iso_2022_jp(std::string& out, std::string_view utf8) {
  const CodeTable& table = code_table();
  const std::size_t before = out.size();
  JisWriter writer(out);
  while (!utf8.empty()) {
    // Each branch advances by a constant, so that the processor need not wait for the table to know
    // where the next character begins.
    if (const std::uint16_t code = common_code(table, utf8); code != 0) {
      writer.put_kanji(code);
      utf8.remove_prefix(3);
    } else if (utf8.front() >= ' ' && utf8.front() <= '~') {
      writer.put_ascii(utf8.front());
      utf8.remove_prefix(1);
    } else if (const auto unit = next_unit(table, utf8); unit) {
      unit->is_ascii() ? writer.put_ascii(utf8.front()) : writer.put_kanji(unit->code);
      utf8.remove_prefix(unit->octets);
    } else {
      out.resize(before);
      return fail(ErrorKind::invalid_input,
                  name_of_first(utf8) + " has no place in ISO-2022-JP (code page 50220)");
    }
  }
  writer.finish();
  return {};
}

}  // namespace todoku::mime
