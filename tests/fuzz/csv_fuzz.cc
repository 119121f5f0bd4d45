// SPDX-License-Identifier: Apache-2.0
// CSV: however the octets are cut into slices, the same rows, good and bad, come out. Any row may
// be a header: it is one, or what is said of it can be shown.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/printable.h"
#include "base/text_encoding.h"
#include "intake/csv.h"
#include "intake/list_header.h"

namespace {

void take_header(const std::vector<std::string>& fields) {
  const auto header = todoku::intake::read_list_header(fields, todoku::intake::Limits{});
  if (header) {
    todoku::check(header->front() == "email", "a list's header begins with email");
    return;
  }
  for (const std::string& text : {header.error().en, header.error().ja}) {
    todoku::check(!text.empty() && todoku::printable(text) == text, "what is said can be shown");
  }
}

std::string read(std::string_view text, std::size_t slice) {
  todoku::intake::CsvReader reader({.row_octets_max = 512, .row_lines_max = 5});
  std::string seen;
  std::uint64_t last = 0;
  const auto next = [&](std::uint64_t number) {
    todoku::check(number > last, "rows come in their order");
    last = number;
    seen += std::to_string(number);
  };
  const todoku::intake::CsvReader::Rows rows{
      .good = [&](todoku::intake::CsvRow& row) -> todoku::Result<void> {
        todoku::check(!row.fields.empty(), "a row has fields");
        next(row.number);
        take_header(row.fields);
        for (const std::string& field : row.fields) seen += "[" + field + "]";
        return {};
      },
      .bad = [&](const todoku::intake::CsvBadRow& row) -> todoku::Result<void> {
        next(row.number);
        seen +=
            "!" + std::to_string(row.column) + row.reason.en + "<" + std::string(row.octets) + ">";
        (void)todoku::guessed_encoding(row.octets);
        return {};
      }};
  todoku::Result<void> result;
  while (result && !text.empty()) {
    const std::string_view part = text.substr(0, slice);
    result = reader.push(part, rows);
    text.remove_prefix(part.size());
  }
  if (result) result = reader.finish(rows);
  todoku::check(result.has_value(), "only its rows end the reading");
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, size + 1);
  todoku::check(read(text, 1) == whole, "octet by octet");
  todoku::check(read(text, 3) == whole, "three at a time");
  return 0;
}
