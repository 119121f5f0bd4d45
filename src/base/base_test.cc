// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bounded_queue.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/line_budget.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/random.h"
#include "base/result.h"
#include "base/utf8.h"

namespace todoku {
namespace {

TEST(LineBudget, LeavesOutWhatIsTooMuchAndSaysHowMuchThatWas) {
  LineBudget budget(2, std::chrono::minutes(1));
  const SteadyInstant begin{std::chrono::hours(1)};
  EXPECT_EQ(budget.take(begin), 0U);
  EXPECT_EQ(budget.take(begin), 0U);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(budget.take(begin + std::chrono::seconds(59)), std::nullopt);
  EXPECT_EQ(budget.take(begin + std::chrono::minutes(1)), 3U);
  EXPECT_EQ(budget.take(begin + std::chrono::minutes(1)), 0U);
}

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

TEST(Utf8, RunsAreWhatOneCharacterAtATimeSays) {
  SeededRandom random(7);
  const std::vector<std::string> pieces = {
      "a",           "~", " ",  "\x7F",     "\t",           "\xC3\xA9", "届",   "ん",
      "　",          "ｱ", "🙂", "\xE3\x81", "\xED\xA0\x80", "\x80",     "\xFF", "0123456789abcdef",
      "\xEC\xBF\xBF"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::uint64_t i = random.below(12); i > 0; --i)
      text += pieces[random.below(pieces.size())];
    bool well_formed = true;
    std::size_t printable = 0;
    std::size_t wide = 0;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = decode_utf8(std::string_view(text).substr(at));
      well_formed &= point.octets > 0;
      if (at == printable && point.value >= ' ' && point.value <= '~') ++printable;
      if (at == wide && point.value >= 0x3000 && point.value <= 0xCFFF) wide += 3;
      at += std::max<std::size_t>(point.octets, 1);
    }
    ASSERT_EQ(is_utf8(text), well_formed) << to_hex(text);
    ASSERT_EQ(printable_octets(text), printable) << to_hex(text);
    ASSERT_EQ(wide_octets(text), wide) << to_hex(text);
    ASSERT_EQ(is_ascii(text), std::ranges::all_of(text, [](char c) { return c >= 0; }));
  }
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

TEST(Printable, HoldsNothingThatSteersATerminalOrTurnsText) {
  EXPECT_EQ(printable("届く\tok é 😀"), "届く ok é 😀");
  EXPECT_EQ(printable("\x1B[31mred\r\n\x7F\u009B"), "?[31mred????");
  EXPECT_EQ(printable("a\u202Egpj.exe\u2066\u2069\u200E\u200F\u061C"), "a?gpj.exe?????");
  EXPECT_EQ(printable("a\u2028b\u2029c\u2800d\uFFFEe\U0010FFFF"), "a?b?c?d?e?");
  EXPECT_EQ(printable("x\xE5\x90y\xFF"), "x??y?");
}

TEST(Log, EscapesWhatWouldShowAsSomethingElse) {
  const auto line = [](log::Format format) {
    return log::render(format, 0, log::Level::info, "event",
                       {{"name", "a\u202Egpj\u2028\u0085\U0001FFFF\n\"届"}});
  };
  const std::string escaped = R"("a\u202egpj\u2028\u0085\ud83f\udfff\u000a\"届")";
  EXPECT_TRUE(line(log::Format::json).ends_with(R"("name":)" + escaped + "}"))
      << line(log::Format::json);
  EXPECT_TRUE(line(log::Format::human).ends_with("name=" + escaped)) << line(log::Format::human);
}

}  // namespace
}  // namespace todoku
