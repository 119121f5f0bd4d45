// SPDX-License-Identifier: Apache-2.0
// NDJSON: however the octets are cut into slices, the same lines come out, none longer than
// allowed; any line is a row or has a fault that can be told.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "intake/json_rows.h"

namespace {

using todoku::intake::JsonLine;

constexpr std::size_t kLineOctetsMax = 300;
constexpr std::size_t kCodesMax = 4;

std::string row(std::string_view line) {
  const auto read = todoku::intake::read_json_row(line, kCodesMax);
  if (!read) {
    todoku::check(!read.error().why.en.empty(), "a fault says why");
    todoku::check(read.error().column <= line.size() + 1, "and where");
    return "!";
  }
  todoku::check(read->request.insert_codes.size() <= kCodesMax + 1, "codes are bounded");
  todoku::check(todoku::is_utf8(read->request.email), "an address is UTF-8");
  std::string out = read->request.email;
  for (const auto& code : read->request.insert_codes) out += "|" + code.key + "=" + code.value;
  return out + "#" + std::to_string(read->problems.list().size());
}

std::string read(std::string_view text, std::size_t slice) {
  std::string seen;
  std::uint64_t last = 0;
  const todoku::intake::JsonLines::Take take = [&](const JsonLine& line) -> todoku::Result<void> {
    todoku::check(line.number > last, "lines come in their order");
    last = line.number;
    todoku::check(line.text.size() <= kLineOctetsMax, "a line is bounded");
    seen += std::to_string(line.number) + (line.too_long ? "!" : ":") + row(line.text) + "\n";
    return {};
  };
  todoku::intake::JsonLines reader(kLineOctetsMax);
  todoku::Result<void> result;
  while (result && !text.empty()) {
    const std::string_view part = text.substr(0, slice);
    result = reader.push(part, take);
    text.remove_prefix(part.size());
  }
  if (result) result = reader.finish(take);
  todoku::check(result.has_value(), "only its taker ends the reading");
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, size + 1);
  todoku::check(read(text, 1) == whole, "octet by octet");
  todoku::check(read(text, 7) == whole, "seven at a time");
  return 0;
}
