// SPDX-License-Identifier: Apache-2.0
// A streaming CSV reader (RFC 4180 with what real exports do: LF or CRLF, quoted or not, a UTF-8
// byte order mark, empty cells at the end of rows, a first line `sep=;`). Pure: octets are pushed
// in any slices, whole rows come out.
//
// A row that is none is told and costs nobody else: reading goes on after its first line. So a
// stray quotation mark, which makes a field of all that follows up to the next one, takes one row
// along: as soon as the field turns out to be none (its end is missing, or text follows it, or it
// is longer than a field may be), the lines that it swallowed are read again as rows of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::intake {

struct CsvRow {
  std::uint64_t number = 0;         // 1 is the first row of the file
  std::vector<std::string> fields;  // never empty
};

struct CsvBadRow {
  std::uint64_t number = 0;
  std::size_t column = 0;   // of the mistake, from 1
  std::string reason;       // "has text after a closing quotation mark"
  std::string_view octets;  // the begin of the row's first line; as long as the call
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

 private:
  enum class State : std::uint8_t {
    field_start,
    plain,
    quoted,
    quote_seen,
    skipping,         // the rest of a bad row's line
    carriage_return,  // a row ended; a line feed may follow
  };

  [[nodiscard]] Result<void> feed(std::string_view octets, const Rows& rows);
  [[nodiscard]] Result<void> step(char c, const Rows& rows);
  [[nodiscard]] Result<void> end_row(const Rows& rows);
  [[nodiscard]] Result<void> refuse_row(std::string reason, const Rows& rows);
  void end_field();
  void begin_row();
  [[nodiscard]] bool takes_separator();

  const CsvLimits limits_;
  char separator_ = ',';
  State state_ = State::field_start;
  std::string mark_;  // octets at the start that may be a byte order mark
  bool started_ = false;
  std::uint64_t row_number_ = 1;
  std::string field_;
  CsvRow row_;
  std::string octets_;              // the row so far
  std::size_t first_line_end_ = 0;  // in octets_; 0: it is still in its first line
  std::size_t lines_ = 1;
  std::string again_;  // lines to be read as rows of their own, from again_at_ on
  std::size_t again_at_ = 0;
};

// One field as CSV writes it here: always quoted, always UTF-8 (contract section 2.13); what is not
// becomes U+FFFD. A field that a spreadsheet would take for a formula gets an apostrophe before it,
// which makes it text there: whoever fills a list chooses what its owner's computer would run.
void append_csv_field(std::string& out, std::string_view field);

// What a file that is no UTF-8 CSV may be instead, with what to do about it, of its first octets or
// of a row's; empty if there is no telling.
[[nodiscard]] std::string_view guessed_encoding(std::string_view octets);

}  // namespace todoku::intake
