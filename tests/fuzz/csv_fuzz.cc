// SPDX-License-Identifier: Apache-2.0
// CSV: however the octets are cut into slices, the same rows and the same error come out.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "intake/csv.h"

namespace {

std::string read(std::string_view text, std::size_t slice) {
  todoku::intake::CsvReader reader(512);
  std::string seen;
  const auto on_row = [&](todoku::intake::CsvRow& row) -> todoku::Result<void> {
    todoku::check(!row.fields.empty(), "a row has fields");
    seen += std::to_string(row.number);
    for (const std::string& field : row.fields) seen += "[" + field + "]";
    return {};
  };
  todoku::Result<void> result;
  while (result && !text.empty()) {
    const std::string_view part = text.substr(0, slice);
    result = reader.push(part, on_row);
    text.remove_prefix(part.size());
  }
  if (result) result = reader.finish(on_row);
  return result ? seen : seen + "!" + result.error().detail;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, size + 1);
  todoku::check(read(text, 1) == whole, "octet by octet");
  todoku::check(read(text, 3) == whole, "three at a time");
  return 0;
}
