// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "base/bounded_queue.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"

namespace todoku {
namespace {

TEST(Bytes, Base64MatchesTheVectorsOfRfc4648Section10) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm9v\r\nYmE="), "fooba");
  EXPECT_EQ(from_base64("Zm9"), std::nullopt);
  EXPECT_EQ(from_base64("Zm=9"), std::nullopt);
  EXPECT_EQ(from_base64("===="), std::nullopt);
}

TEST(Bytes, Base64LinesAre76CharactersLong) {
  std::string out;
  append_base64_lines(out, std::string(58, 'x'));
  EXPECT_EQ(out.find("\r\n"), 76U);
  EXPECT_EQ(out.size(), 76U + 2 + 4 + 2);
  std::string decoded = from_base64(out).value_or("");
  EXPECT_EQ(decoded, std::string(58, 'x'));
}

TEST(Bytes, Base64LinesOfEveryLengthAreThePlainEncodingInLines) {
  std::string octets;
  for (int i = 0; i < 400; ++i) {
    std::string lines = "kept";
    append_base64_lines(lines, octets);
    std::string expected = "kept";
    for (std::string_view rest = octets; !rest.empty();) {
      const std::string_view line = rest.substr(0, 57);
      expected += to_base64(line) + "\r\n";
      rest.remove_prefix(line.size());
    }
    ASSERT_EQ(lines, expected) << octets.size() << " octets";
    octets += static_cast<char>(i * 151 + 7);
  }
}

TEST(Bytes, EveryOctetSurvivesHexAndBase64) {
  SeededRandom random(7);
  for (std::size_t size = 0; size < 70; ++size) {
    std::string octets(size, '\0');
    for (char& c : octets) c = static_cast<char>(random.below(256));
    EXPECT_EQ(from_hex(to_hex(octets)), octets);
    EXPECT_EQ(from_base64(to_base64(octets)), octets);
    EXPECT_EQ(from_base64url(to_base64url(octets)), octets);
  }
}

TEST(Bytes, Utf8RefusesSurrogatesAndOverlongForms) {
  EXPECT_TRUE(is_utf8("届く 🙂"));
  EXPECT_EQ(utf8_length("届く 🙂"), 4U);
  EXPECT_FALSE(is_utf8("\xC0\xAF"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xE5\xB1"));
}

TEST(Digest, SipHashMatchesTheReferenceVector) {
  // Appendix A of "SipHash: a fast short-input PRF": key 00..0f, input 00..0e.
  std::string input;
  for (char c = 0; c < 15; ++c) input += c;
  EXPECT_EQ(siphash64(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL, input), 0xa129ca6149be45e5ULL);
}

TEST(Digest, Sha256OfAbc) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Log, AValueCannotForgeALine) {
  const std::string line =
      log::render(log::Format::human, 0, log::Level::info, "mail", {{"reply", "a\r\nb=\"c"}});
  EXPECT_EQ(line, R"(1970-01-01T00:00:00.000Z info    mail reply="a\u000d\u000ab=\"c")");
}

TEST(Log, JsonLinesStayUtf8) {
  const std::string line = log::render(log::Format::json, 1500, log::Level::error, "x",
                                       {{"a", "\xFF"}, {"n", 5}, {"b", true}});
  EXPECT_EQ(line, R"({"time":"1970-01-01T00:00:01.500Z","level":"error","event":"x",)"
                  R"("a":"hex:ff","n":5,"b":true})");
}

TEST(BoundedQueue, RefusesWhenFullAndDrainsWhenClosed) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  queue.close();
  EXPECT_FALSE(queue.try_push(4));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock;
  const Instant start = clock.now();
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(clock.now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace todoku
