// SPDX-License-Identifier: Apache-2.0
// A streaming CSV reader (RFC 4180 with what real exports do: LF or CRLF, quoted or not, a UTF-8
// byte order mark, empty cells at the end of rows, a first line `sep=;`). Pure: octets are pushed
// in any slices, whole rows come out.
//
// Between fields stands what a first line `sep=;` says (`,`, `;`, a TAB or `|`), else whichever of
// comma, semicolon and TAB comes first in the first row outside of quotation marks.
//
// A row that is none is told, and reading goes on after its end. Where that is, its quotation marks
// say, be there a mistake among them or not: a line inside a quoted field is no row, whatever it
// looks like (an address in a note that somebody pasted), and nobody named in it asked for mail.
// So each further line of a refused row is told as a refused row, too. A stray quotation mark at
// the begin of a field thus costs the lines up to the next one, all of them named. After
// CsvLimits::row_lines_max lines it counts as stray, and what follows is read as rows again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"

namespace todoku::intake {

struct CsvRow {
  std::uint64_t number = 0;         // 1 is the first row of the file
  std::uint64_t line = 0;           // of the file, where it begins; rows may have several
  std::vector<std::string> fields;  // never empty
};

struct CsvBadRow {
  std::uint64_t number = 0;
  std::uint64_t line = 0;   // of the file, from 1; rows may have several
  std::size_t column = 0;   // of the mistake, from 1; 0: a further line of a row that was refused
  BilingualText reason;     // "has text after a closing quotation mark"
  std::string_view octets;  // the begin of the line; as long as the call
};

struct CsvLimits {
  std::size_t row_octets_max = 256 * 1024;  // what one row may hold in memory
  std::size_t row_lines_max = 200;          // lines that one row's quoted fields may span
};

class CsvReader {
 public:
  struct Rows {
    // An error of either ends the reading.
    std::function<Result<void>(CsvRow&)> good;
    std::function<Result<void>(const CsvBadRow&)> bad;
  };

  explicit CsvReader(const CsvLimits& limits) : limits_(limits) {}

  // Hands every complete row in `octets` to `rows`. Rows of empty cells alone are skipped; they
  // count. Errors: those of `rows`.
  [[nodiscard]] Result<void> push(std::string_view octets, const Rows& rows);
  // The end of the file: hands out what is left. Errors: those of `rows`.
  [[nodiscard]] Result<void> finish(const Rows& rows);
  // That have ended so far: those that were handed out and those that were skipped.
  [[nodiscard]] std::uint64_t rows_read() const { return row_number_ - 1; }
  // What stands between fields, as far as it is known: a comma before the first row.
  [[nodiscard]] char separator() const { return separator_; }

 private:
  enum class State : std::uint8_t { field_start, plain, quoted, quote_seen };

  [[nodiscard]] State after(char c) const;
  // Whether `c` is the first of those that may stand between fields.
  [[nodiscard]] bool decides(char c) const;
  [[nodiscard]] Result<void> feed(std::string_view octets, const Rows& rows);
  [[nodiscard]] std::size_t take_text(std::string_view octets);
  [[nodiscard]] Result<void> step(char c, const Rows& rows);
  [[nodiscard]] Result<void> take_character(char c, State before, const Rows& rows);
  [[nodiscard]] Result<void> end_row(const Rows& rows);
  [[nodiscard]] Result<void> refuse_row(BilingualText reason, const Rows& rows);
  [[nodiscard]] Result<void> pass_over(char c, bool ends_line, const Rows& rows);
  [[nodiscard]] Result<void> refuse_further_line(std::string_view line, const Rows& rows);
  void end_field();
  void begin_row();
  // After a row that was refused, whatever quotation marks of it are open.
  void begin_anew();
  [[nodiscard]] bool takes_separator();

  const CsvLimits limits_;
  char separator_ = ',';
  bool decided_ = false;  // what stands between fields
  State state_ = State::field_start;
  std::string mark_;  // octets at the start that may be a byte order mark
  bool started_ = false;
  bool after_return_ = false;  // the last octet was a carriage return
  std::uint64_t row_number_ = 1;
  std::uint64_t line_number_ = 1;
  std::string field_;
  CsvRow row_;
  std::string octets_;         // the row so far; of one that is refused, the begin of its line
  std::size_t line_ends_ = 0;  // within the row so far

  // The row at hand is refused, its line at hand is told; where it began.
  bool refused_ = false;
  bool told_ = false;
  std::uint64_t refused_row_ = 0;
  std::uint64_t refused_line_ = 0;
};

// One field as CSV writes it here: always quoted, always UTF-8 (contract section 2.13); what is not
// becomes U+FFFD. A field that a spreadsheet would take for a formula gets an apostrophe before it,
// which makes it text there: whoever fills a list chooses what its owner's computer would run. So
// does one that has such apostrophes already: reading takes one away.
void append_csv_field(std::string& out, std::string_view field);

// What was written so, when a file of ours comes back: without that apostrophe. Of a file that
// somebody else wrote this is what a spreadsheet would show.
[[nodiscard]] std::string_view read_back_csv_field(std::string_view field);

}  // namespace todoku::intake
