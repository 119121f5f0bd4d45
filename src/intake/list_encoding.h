// SPDX-License-Identifier: Apache-2.0
// Which encoding a list of recipients has, of those that offices export: UTF-8, Shift_JIS as
// Windows writes it, UTF-16. Pure, in constant memory: the first octet that is none of ASCII may be
// a million rows away, so the whole file is looked through before its first row is read.
//
// A byte order mark decides, and so does a NUL beside the first character (UTF-16 without one).
// Else the octets are read as UTF-8, Shift_JIS and EUC-JP at once and what they are as each is
// counted: UTF-8 where they have more of its characters than mistakes, for much UTF-8 is Shift_JIS
// by chance and hardly any Shift_JIS is UTF-8. EUC-JP is left to be told row by row as no UTF-8:
// most of it is Shift_JIS by chance, as half-width katakana, of which no octet is beyond 0xDF. So
// is text of Western Europe, whose letters stand alone among those of ASCII: Shift_JIS by chance,
// too, and nobody writes Japanese so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mime/text_decoder.h"

namespace todoku::intake {

// By what it was decided.
enum class EncodingBy : std::uint8_t {
  ascii,   // there is nothing else in it
  mark,    // a byte order mark
  octets,  // a guess
};
[[nodiscard]] std::string_view to_string(EncodingBy by);

struct ListEncoding {
  mime::TextEncoding encoding = mime::TextEncoding::utf_8;
  EncodingBy by = EncodingBy::ascii;
};

class ListEncodingGuess {
 public:
  // The next octets of the file, in any slices.
  void push(std::string_view octets);
  // Nothing that follows can change it.
  [[nodiscard]] bool decided() const { return decided_; }
  // After all of them.
  [[nodiscard]] ListEncoding finish();

 private:
  // Each takes one octet and counts characters of several octets, and what is none.
  struct Utf8 {
    std::uint8_t needs = 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
    void take(std::uint8_t octet);
    void begin(std::uint8_t octet);
  };
  struct ShiftJis {
    bool has_lead = false;
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
    std::uint64_t alone = 0;  // good ones, each between two of ASCII, of which one is a letter
    void take(std::uint8_t octet);
    // Several of ASCII, when no lead is there.
    void pass(std::string_view ascii);

   private:
    void end_character();
    void take_ascii(std::uint8_t octet);
    std::uint64_t run_ = 0;        // characters since the last of ASCII
    bool after_letter_ = false;    // they came after a letter
    bool last_is_letter_ = false;  // the last of ASCII
  };
  struct EucJp {
    std::uint8_t needs = 0;
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
    std::uint64_t high = 0;  // good ones that end beyond what half-width katakana have
    void take(std::uint8_t octet);
    void begin(std::uint8_t octet);
    [[nodiscard]] bool is_likely() const;
  };

  void look_at_beginning();
  [[nodiscard]] bool is_between() const {
    return utf8_.needs == 0 && !shift_jis_.has_lead && euc_jp_.needs == 0;
  }

  std::string beginning_;  // until there is enough of it
  bool begun_ = false;
  bool decided_ = false;
  ListEncoding found_;
  bool is_ascii_ = true;
  Utf8 utf8_;
  ShiftJis shift_jis_;
  EucJp euc_jp_;
};

}  // namespace todoku::intake
