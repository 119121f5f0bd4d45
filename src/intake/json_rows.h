// SPDX-License-Identifier: Apache-2.0
// A list as NDJSON: a recipient a line, as an element of `to` of an update (contract section 2.7):
//
//   {"email": "a@example.jp", "insert_code": [{"key": "__name__", "value": "山田"}]}
//
// Pure. Lines end with LF or CRLF; empty ones are passed over and count. A byte order mark before
// the first is passed over, too. In memory is one line, as far as it is cut by slices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "intake/problem.h"
#include "intake/request.h"

namespace todoku::intake {

struct JsonLine {
  std::uint64_t number = 0;  // of the file, from 1
  std::string_view text;     // without its end; of one that is too long, its begin
  bool too_long = false;
};

class JsonLines {
 public:
  // An error ends the reading.
  using Take = std::function<Result<void>(const JsonLine& line)>;

  explicit JsonLines(std::size_t line_octets_max) : octets_max_(line_octets_max) {}

  // Hands every line that ends in `octets` to `take`. Errors: those of `take`.
  [[nodiscard]] Result<void> push(std::string_view octets, const Take& take);
  // The end of the file: a last line may lack its end.
  [[nodiscard]] Result<void> finish(const Take& take);

 private:
  void keep(std::string_view text);
  [[nodiscard]] Result<void> end_line(std::string_view text, const Take& take);

  const std::size_t octets_max_;
  std::uint64_t number_ = 1;
  std::string begun_;  // of a line that a slice has cut
};

struct JsonRow {
  RecipientRequest request;
  Problems problems;  // members of a wrong type, missing, unknown
};

// Why a line is no such row as a whole.
struct JsonRowFault {
  std::size_t column = 0;  // in octets, from 1; 0: the whole of it
  Text why;                // a clause
};

// `codes_max`: of more insert codes so many and one are read, to be seen. A value may be a number
// or a boolean, kept as it is written. Unknown members are problems: nothing is lost in silence.
[[nodiscard]] std::expected<JsonRow, JsonRowFault> read_json_row(std::string_view line,
                                                                 std::size_t codes_max);

}  // namespace todoku::intake
