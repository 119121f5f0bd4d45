// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/canonical.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/random.h"

namespace todoku::mailauth::dkim {
namespace {

class Collector final : public OctetSink {
 public:
  void write(std::string_view octets) override { text += octets; }
  std::string text;
};

std::string canonical(std::span<const std::string_view> pieces, Canonicalization form) {
  BodyCanonicalizer canonicalizer(form);
  Collector collector;
  for (const std::string_view piece : pieces) canonicalizer.update(piece, collector);
  canonicalizer.finish(collector);
  return collector.text;
}

std::string canonical(std::string_view body, Canonicalization form) {
  return canonical(std::span(&body, 1), form);
}

std::string relaxed_field(std::string_view field) {
  std::string out;
  append_relaxed_field(out, field);
  return out;
}

// RFC 6376 sections 3.4.3 and 3.4.4 as they are worded, line by line, without regard to speed.
std::string by_the_book(std::string_view body, Canonicalization form) {
  std::vector<std::string> lines;
  while (!body.empty()) {
    const std::size_t end = body.find("\r\n");
    std::string line(body.substr(0, end));
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 2);
    if (form == Canonicalization::relaxed) {
      std::string reduced;
      for (const char c : line) {
        const bool white = c == ' ' || c == '\t';
        if (white && reduced.ends_with(' ')) continue;
        reduced += white ? ' ' : c;
      }
      while (reduced.ends_with(' ')) reduced.pop_back();
      line = reduced;
    }
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string out;
  for (const std::string& line : lines) out += line + "\r\n";
  if (out.empty() && form == Canonicalization::simple) out = "\r\n";
  return out;
}

std::string random_body(Random& random) {
  // Whole words and long runs beside the octets that matter, so that both the fast scan and the
  // octet-by-octet machine meet every border.
  static const std::vector<std::string> kParts = {" ",
                                                  "\t",
                                                  "\r",
                                                  "\n",
                                                  "\r\n",
                                                  "\r\n\r\n",
                                                  " \r\n",
                                                  "a",
                                                  "bc ",
                                                  "\xE5\xB1\x8A",
                                                  std::string(63, 'x'),
                                                  std::string(64, 'y'),
                                                  std::string(700, 'z') + " w",
                                                  "  "};
  std::string body;
  for (std::uint64_t left = random.below(40); left > 0; --left) {
    body += kParts[random.below(kParts.size())];
  }
  return body;
}

std::vector<std::string_view> cut(std::string_view body, Random& random) {
  std::vector<std::string_view> pieces;
  while (!body.empty()) {
    const std::uint64_t longest = random.below(4) == 0 ? body.size() : 9;
    pieces.push_back(body.substr(0, random.below(longest + 1)));  // empty pieces too
    body.remove_prefix(pieces.back().size());
  }
  return pieces;
}

TEST(Canonical, TheExamplesOfRfc6376Section345) {
  EXPECT_EQ(relaxed_field("A: X\r\n"), "a:X\r\n");
  EXPECT_EQ(relaxed_field("B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
  const std::string_view body = " C \r\nD \t E\r\n\r\n\r\n";
  EXPECT_EQ(canonical(body, Canonicalization::relaxed), " C\r\nD E\r\n");
  EXPECT_EQ(canonical(body, Canonicalization::simple), " C \r\nD \t E\r\n");
}

TEST(Canonical, HeaderFieldsKeepTheirValueAndLoseTheirLayout) {
  EXPECT_EQ(relaxed_field("SUBJect :  a  \t b\r\n \r\n\tc\t\r\n"), "subject:a b c\r\n");
  EXPECT_EQ(relaxed_field("X-Empty:\r\n"), "x-empty:\r\n");
  EXPECT_EQ(relaxed_field("X-Blank: \t \r\n"), "x-blank:\r\n");
  EXPECT_EQ(relaxed_field("X: a:b;c\r\n"), "x:a:b;c\r\n");
  EXPECT_EQ(relaxed_field("X: no line end"), "x:no line end\r\n");
  EXPECT_EQ(relaxed_field("X: \xE5\xB1\x8A\r\n"), "x:\xE5\xB1\x8A\r\n");
}

TEST(Canonical, TheHashesOfEmptyBodiesAreThoseOfRfc6376Section34) {
  const auto hash_of_nothing = [](Canonicalization form) {
    return to_base64(as_text(BodyHasher(form).finish()));
  };
  EXPECT_EQ(hash_of_nothing(Canonicalization::simple),
            "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  EXPECT_EQ(hash_of_nothing(Canonicalization::relaxed),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(Canonical, BodyOddities) {
  const auto relaxed = [](std::string_view body) {
    return canonical(body, Canonicalization::relaxed);
  };
  EXPECT_EQ(relaxed(" \t\r\n\r\n \r\n"), "");
  EXPECT_EQ(relaxed("   "), "");
  EXPECT_EQ(relaxed("a"), "a\r\n");
  EXPECT_EQ(relaxed("a \t"), "a\r\n");
  EXPECT_EQ(relaxed("\r\n\r\na\r\n\r\n\r\nb\r\n\r\n"), "\r\n\r\na\r\n\r\n\r\nb\r\n");
  EXPECT_EQ(relaxed("a\rb\nc \r"), "a\rb\nc \r\r\n");
  EXPECT_EQ(canonical("a \r\n", Canonicalization::simple), "a \r\n");
  EXPECT_EQ(canonical("a\r\n\r", Canonicalization::simple), "a\r\n\r\r\n");
}

TEST(Canonical, AnySplittingOfAnyBodyGivesWhatTheRfcSays) {
  constexpr std::uint64_t kSeed = 20260101;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  SeededRandom random(kSeed);
  for (int round = 0; round < 20'000; ++round) {
    const std::string body = random_body(random);
    for (const auto form : {Canonicalization::relaxed, Canonicalization::simple}) {
      const std::string expected = by_the_book(body, form);
      ASSERT_EQ(canonical(body, form), expected) << "round " << round;
      ASSERT_EQ(canonical(cut(body, random), form), expected) << "round " << round;
    }
  }
}

TEST(Canonical, CanonicalTextIsAFixedPoint) {
  SeededRandom random(3);
  for (int round = 0; round < 2'000; ++round) {
    const std::string once = canonical(random_body(random), Canonicalization::relaxed);
    ASSERT_EQ(canonical(once, Canonicalization::relaxed), once) << "round " << round;
  }
}

TEST(BodyHasher, HashesTheCanonicalFormAndStartsAfreshAfterEachBody) {
  SeededRandom random(4);
  BodyHasher hasher;
  for (int round = 0; round < 500; ++round) {
    const std::string body = random_body(random);
    const Sha256 expected = sha256(by_the_book(body, Canonicalization::relaxed));
    ASSERT_EQ(hasher.hash(cut(body, random)), expected) << "round " << round;
  }
}

TEST(BodyHasher, StopsAtTheGivenLengthAndCountsTheRest) {
  BodyHasher hasher(Canonicalization::relaxed, 5);
  hasher.update("abc");
  hasher.update("defgh\r\n");
  EXPECT_EQ(hasher.finish(), sha256("abcde"));
  EXPECT_EQ(hasher.canonical_octets(), 10U);
}

}  // namespace
}  // namespace todoku::mailauth::dkim
