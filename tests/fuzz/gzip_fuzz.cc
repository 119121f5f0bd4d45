// SPDX-License-Identifier: Apache-2.0
// Compressed bodies: pieces are bounded, and the same text or the same failure comes out however
// the octets are cut.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/gzip_reader.h"

namespace {

constexpr std::size_t kExpandedMax = std::size_t{4} << 20U;

std::string read(std::string_view octets, std::size_t slice) {
  todoku::http::GzipReader reader;
  std::string out;
  for (; !octets.empty(); octets.remove_prefix(std::min(slice, octets.size()))) {
    reader.push(octets.substr(0, slice));
    while (true) {
      const auto piece = reader.next();
      if (!piece) return "!";
      if (piece->empty()) break;
      todoku::check(piece->size() <= todoku::http::GzipReader::kPieceOctets, "a piece is bounded");
      out += *piece;
      if (out.size() > kExpandedMax) return "large";
    }
  }
  return reader.finish() ? out : "!";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(octets, size + 1);
  todoku::check(read(octets, 1) == whole, "octet by octet");
  todoku::check(read(octets, 5) == whole, "five at a time");
  return 0;
}
