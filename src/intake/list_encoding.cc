// SPDX-License-Identifier: Apache-2.0
#include "intake/list_encoding.h"

#include <cstring>
#include <utility>

namespace todoku::intake {
namespace {

using mime::TextEncoding;

constexpr std::size_t kMarkOctets = 3;

bool between(std::uint8_t value, std::uint8_t low, std::uint8_t high) {
  return value >= low && value <= high;
}

bool is_printable_ascii(char c) {
  return c >= ' ' && c <= '~';
}

// How many of the first octets are ASCII, in steps of eight.
std::size_t ascii_run(std::string_view octets) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t run = 0;
  std::uint64_t eight = 0;
  for (; run + sizeof(eight) <= octets.size(); run += sizeof(eight)) {
    std::memcpy(&eight, octets.data() + run, sizeof(eight));
    if ((eight & kHighBits) != 0) break;
  }
  return run;
}

}  // namespace

std::string_view to_string(EncodingBy by) {
  switch (by) {
    case EncodingBy::mark:
      return "mark";
    case EncodingBy::octets:
      return "octets";
    case EncodingBy::ascii:
      break;
  }
  return "ascii";
}

// RFC 3629 section 4.
void ListEncodingGuess::Utf8::begin(std::uint8_t octet) {
  low = octet == 0xE0 ? 0xA0 : (octet == 0xF0 ? 0x90 : 0x80);
  high = octet == 0xED ? 0x9F : (octet == 0xF4 ? 0x8F : 0xBF);
  if (octet < 0x80) return;
  if (between(octet, 0xC2, 0xDF)) {
    needs = 1;
  } else if (between(octet, 0xE0, 0xEF)) {
    needs = 2;
  } else if (between(octet, 0xF0, 0xF4)) {
    needs = 3;
  } else {
    ++bad;
  }
}

void ListEncodingGuess::Utf8::take(std::uint8_t octet) {
  if (needs == 0) {
    begin(octet);
    return;
  }
  if (between(octet, low, high)) {
    low = 0x80;
    high = 0xBF;
    if (--needs == 0) ++good;
    return;
  }
  ++bad;
  needs = 0;
  begin(octet);
}

// JIS X 0208 with Microsoft's rows; half-width katakana are single octets.
void ListEncodingGuess::ShiftJis::take(std::uint8_t octet) {
  if (std::exchange(has_lead, false)) {
    if (between(octet, 0x40, 0x7E) || between(octet, 0x80, 0xFC)) {
      end_character();
      return;
    }
    ++bad;
  }
  if (octet < 0x80) {
    take_ascii(octet);
  } else if (between(octet, 0xA1, 0xDF)) {
    end_character();
  } else if (between(octet, 0x81, 0x9F) || between(octet, 0xE0, 0xFC)) {
    has_lead = true;
  } else {
    ++bad;
  }
}

void ListEncodingGuess::ShiftJis::end_character() {
  ++good;
  if (run_++ == 0) after_letter_ = last_is_letter_;
}

void ListEncodingGuess::ShiftJis::take_ascii(std::uint8_t octet) {
  const std::uint8_t small = octet | 0x20U;
  last_is_letter_ = between(small, 'a', 'z');
  if (std::exchange(run_, 0) == 1 && (after_letter_ || last_is_letter_)) ++alone;
}

void ListEncodingGuess::ShiftJis::pass(std::string_view ascii) {
  if (ascii.empty()) return;
  take_ascii(static_cast<std::uint8_t>(ascii.front()));
  take_ascii(static_cast<std::uint8_t>(ascii.back()));
}

void ListEncodingGuess::EucJp::begin(std::uint8_t octet) {
  if (octet < 0x80) return;
  if (octet == 0x8E || octet == 0x8F || between(octet, 0xA1, 0xFE)) {
    needs = octet == 0x8F ? 2 : 1;
  } else {
    ++bad;
  }
}

void ListEncodingGuess::EucJp::take(std::uint8_t octet) {
  if (needs == 0) {
    begin(octet);
    return;
  }
  if (!between(octet, 0xA1, 0xFE)) {
    ++bad;
    needs = 0;
    begin(octet);
  } else if (--needs == 0) {
    ++good;
    if (octet >= 0xE0) ++high;
  }
}

// Where not all of it is: a cut row does not make the others something else. A third of its
// characters end high; in a list of half-width katakana none does, and each second word is cut.
bool ListEncodingGuess::EucJp::is_likely() const {
  constexpr std::uint64_t kGoodOfBad = 3;
  constexpr std::uint64_t kGoodOfHigh = 10;
  return bad == 0 || (good > kGoodOfBad * bad && kGoodOfHigh * high >= good);
}

void ListEncodingGuess::look_at_beginning() {
  begun_ = true;
  const std::string_view text = beginning_;
  const auto is = [&](TextEncoding encoding, EncodingBy by) {
    found_ = {.encoding = encoding, .by = by};
    decided_ = true;
  };
  if (text.starts_with("\xEF\xBB\xBF")) {
    is(TextEncoding::utf_8, EncodingBy::mark);
  } else if (text.starts_with("\xFF\xFE")) {
    is(TextEncoding::utf_16le, EncodingBy::mark);
  } else if (text.starts_with("\xFE\xFF")) {
    is(TextEncoding::utf_16be, EncodingBy::mark);
  } else if (text.size() >= 2 && is_printable_ascii(text[0]) && text[1] == '\0') {
    is(TextEncoding::utf_16le, EncodingBy::octets);
  } else if (text.size() >= 2 && text[0] == '\0' && is_printable_ascii(text[1])) {
    is(TextEncoding::utf_16be, EncodingBy::octets);
  }
}

void ListEncodingGuess::push(std::string_view octets) {
  if (!begun_) {
    beginning_ += octets.substr(0, kMarkOctets - beginning_.size());
    if (beginning_.size() == kMarkOctets) look_at_beginning();
  }
  while (!decided_ && !octets.empty()) {
    if (is_between()) {
      const std::size_t run = ascii_run(octets);
      shift_jis_.pass(octets.substr(0, run));
      octets.remove_prefix(run);
    }
    if (octets.empty()) return;
    const auto octet = static_cast<std::uint8_t>(octets.front());
    octets.remove_prefix(1);
    is_ascii_ &= octet < 0x80;
    utf8_.take(octet);
    shift_jis_.take(octet);
    euc_jp_.take(octet);
  }
}

ListEncoding ListEncodingGuess::finish() {
  if (!begun_) look_at_beginning();
  if (std::exchange(decided_, true) || is_ascii_) return found_;
  found_.by = EncodingBy::octets;
  if (utf8_.needs > 0) ++utf8_.bad;
  if (shift_jis_.has_lead) ++shift_jis_.bad;
  if (euc_jp_.needs > 0) ++euc_jp_.bad;
  const bool is_utf8 = utf8_.bad == 0 || utf8_.good > utf8_.bad;
  if (is_utf8 || euc_jp_.is_likely()) return found_;
  const bool is_western = 2 * shift_jis_.alone > shift_jis_.good;
  if (shift_jis_.good > shift_jis_.bad && !is_western) found_.encoding = TextEncoding::shift_jis;
  return found_;
}

}  // namespace todoku::intake
