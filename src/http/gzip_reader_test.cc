// SPDX-License-Identifier: Apache-2.0
#include "http/gzip_reader.h"

#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace todoku::http {
namespace {

std::string gzipped(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// The text, or the error.
std::string expanded(std::string_view octets, std::size_t slice, std::size_t* most = nullptr) {
  GzipReader reader;
  std::string out;
  for (; !octets.empty(); octets.remove_prefix(std::min(slice, octets.size()))) {
    reader.push(octets.substr(0, slice));
    for (;;) {
      const auto piece = reader.next();
      if (!piece) return "! " + piece.error().detail;
      if (piece->empty()) break;
      if (most != nullptr) *most = std::max(*most, piece->size());
      out += *piece;
    }
  }
  const auto finished = reader.finish();
  return finished ? out : "! " + finished.error().detail;
}

TEST(GzipReader, ExpandsHoweverItIsCut) {
  const std::string text = "email,__a__\na@example.jp,x\n";
  for (const std::size_t slice : {1UL, 2UL, 7UL, 10'000UL}) {
    EXPECT_EQ(expanded(gzipped(text), slice), text);
    EXPECT_EQ(expanded(gzipped(text) + gzipped("more"), slice), text + "more");
    EXPECT_EQ(expanded(gzipped(""), slice), "");
  }
}

TEST(GzipReader, NoPieceIsLargerThanPromised) {
  const std::string zeros(50'000'000, '0');
  const std::string small = gzipped(zeros);
  ASSERT_LT(small.size(), 100'000U);
  std::size_t most = 0;
  EXPECT_EQ(expanded(small, small.size(), &most).size(), zeros.size());
  EXPECT_EQ(most, GzipReader::kPieceOctets);
}

TEST(GzipReader, TellsWhatIsCutBrokenOrSomethingElse) {
  const std::string whole = gzipped("email\na@example.jp\n");
  for (std::size_t octets = 0; octets < whole.size(); ++octets) {
    EXPECT_EQ(expanded(whole.substr(0, octets), 3), "! the gzip is cut") << octets;
  }
  EXPECT_EQ(expanded("email\na@example.jp\n", 100), "! the gzip is broken");
  EXPECT_EQ(expanded(whole + "x", 100), "! the gzip is cut");
  EXPECT_EQ(expanded(whole + "xyz", 100), "! the gzip is broken");
  std::string flipped = whole;
  flipped[whole.size() - 6] ^= 1;  // its checksum
  EXPECT_EQ(expanded(flipped, 100), "! the gzip is broken");
}

}  // namespace
}  // namespace todoku::http
