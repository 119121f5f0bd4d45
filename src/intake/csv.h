// SPDX-License-Identifier: Apache-2.0
// A streaming CSV reader (RFC 4180 with what real exports do: LF or CRLF, quoted or not, a UTF-8
// byte order mark). Pure: octets are pushed in any slices, whole rows come out.
#pragma once

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

class CsvReader {
 public:
  using OnRow = std::function<Result<void>(CsvRow&)>;

  // `row_octets_max` bounds what one row may hold in memory.
  explicit CsvReader(std::size_t row_octets_max) : row_octets_max_(row_octets_max) {}

  // Hands every complete row in `octets` to `on_row`, whose error ends the reading. Empty lines are
  // skipped. Errors: invalid_input naming the row (over-long row, text after a closing quotation
  // mark, a NUL octet), or that of `on_row`.
  [[nodiscard]] Result<void> push(std::string_view octets, const OnRow& on_row);
  // The end of the file: hands out a last row without line end. Errors: invalid_input for an open
  // quotation mark.
  [[nodiscard]] Result<void> finish(const OnRow& on_row);

 private:
  enum class State : std::uint8_t { field_start, plain, quoted, quote_seen, carriage_return };

  [[nodiscard]] Result<void> step(char c, const OnRow& on_row);
  [[nodiscard]] Result<void> end_row(const OnRow& on_row);
  void end_field();
  [[nodiscard]] Error bad_row(std::string_view what) const;

  const std::size_t row_octets_max_;
  State state_ = State::field_start;
  std::string mark_;  // octets at the start that may be a byte order mark
  bool started_ = false;
  std::uint64_t row_number_ = 1;
  std::size_t row_octets_ = 0;
  std::string field_;
  CsvRow row_;
};

// One field as CSV writes it here: always quoted, always UTF-8 (contract section 2.13); what is not
// becomes U+FFFD.
void append_csv_field(std::string& out, std::string_view field);

}  // namespace todoku::intake
