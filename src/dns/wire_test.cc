// SPDX-License-Identifier: Apache-2.0
#include "dns/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "dns/server_answer.h"

namespace todoku::dns {
namespace {

using mailauth::DnsQuestion;
using mailauth::FactType;
using mailauth::ServerAnswer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string number_16(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)};
}
std::string number_32(std::uint32_t value) {
  return number_16(value >> 16U) + number_16(value & 0xFFFFU);
}

const std::string kName("\7example\2jp\0", 12);
const std::string kPointer("\xC0\x0C", 2);  // to the question's name

// A message with a question for `type` of example.jp, as its server answers.
struct Made {
  unsigned flags = 0x8400;  // QR, AA
  unsigned type = 16;
  std::vector<std::string> answers;
  std::vector<std::string> authorities;

  [[nodiscard]] std::string octets() const {
    std::string text = number_16(7) + number_16(flags) + number_16(1) +
                       number_16(static_cast<unsigned>(answers.size())) +
                       number_16(static_cast<unsigned>(authorities.size())) + number_16(0) + kName +
                       number_16(type) + number_16(1);
    for (const auto* part : {&answers, &authorities}) {
      for (const std::string& record : *part) text += record;
    }
    return text;
  }
  [[nodiscard]] Result<WireMessage> parsed() const { return parse_message(as_octets(octets())); }
  [[nodiscard]] ServerAnswer told(FactType as) const {
    const auto message = parsed();
    EXPECT_TRUE(message) << message.error().detail;
    return server_answer(*message, {.type = as, .name = "example.jp"});
  }
};

std::string record(unsigned type, const std::string& rdata, std::uint32_t ttl = 60,
                   const std::string& owner = kPointer) {
  return owner + number_16(type) + number_16(1) + number_32(ttl) +
         number_16(static_cast<unsigned>(rdata.size())) + rdata;
}

std::string soa(std::uint32_t serial, std::uint32_t ttl, std::uint32_t minimum) {
  return record(6,
                std::string("\2ns", 3) + kPointer + std::string("\4root", 5) + kPointer +
                    number_32(serial) + number_32(1) + number_32(2) + number_32(3) +
                    number_32(minimum),
                ttl);
}

TEST(Wire, AQueryReadsAsWhatItAsks) {
  const auto query = make_query(0x1234, "Mail.Example.JP.", 15, false);
  ASSERT_TRUE(query);
  const auto read = parse_message(as_octets(*query));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->id, 0x1234);
  EXPECT_FALSE(read->is_answer);
  EXPECT_EQ(read->name, "mail.example.jp");
  EXPECT_EQ(read->type, 15);
  EXPECT_EQ((*query)[2] & 1, 0) << "no recursion is asked of an authoritative server";
  EXPECT_EQ(((*make_query(1, "a.jp", 1, true))[2] & 1), 1);
}

TEST(Wire, ANameThatFitsNoMessageIsRefused) {
  EXPECT_FALSE(make_query(1, std::string(64, 'a') + ".jp", 1, false));
  EXPECT_FALSE(make_query(1, "a..jp", 1, false));
  std::string name = "jp";
  while (name.size() < 260) name.insert(0, "a.");
  EXPECT_FALSE(make_query(1, name, 1, false));
}

TEST(Wire, TextsAreToldWholeAndInTheirPieces) {
  const ServerAnswer answer =
      Made{.answers = {record(16, std::string("\5hello\1!", 8)), record(16, "\1x", 30)}}.told(
          FactType::txt);
  EXPECT_TRUE(answer.is_found());
  EXPECT_THAT(answer.values, ElementsAre("hello!", "x"));
  EXPECT_THAT(answer.strings.front(), ElementsAre("hello", "!"));
}

TEST(Wire, CompressedNamesAreUndone) {
  const ServerAnswer answer =
      Made{.type = 15,
           .answers = {record(15, number_16(20) + std::string("\3mx2", 4) + kPointer),
                       record(15, number_16(10) + std::string("\3MX1", 4) + kPointer)}}
          .told(FactType::mx);
  EXPECT_THAT(answer.values, ElementsAre("mx1.example.jp", "mx2.example.jp"));
}

TEST(Wire, AnAliasIsNotFollowed) {
  const ServerAnswer answer =
      Made{.answers = {record(5, std::string("\5there", 6) + kPointer),
                       record(16, "\1x", 60, std::string("\5there", 6) + kPointer)}}
          .told(FactType::txt);
  EXPECT_EQ(answer.status, ServerAnswer::Status::alias);
  EXPECT_EQ(answer.alias, "there.example.jp");
  EXPECT_THAT(answer.values, IsEmpty());
}

TEST(Wire, WhatIsNotThereIsToldWithHowLongThatIsRemembered) {
  Made made{.authorities = {soa(2026112901, 3600, 300)}};
  EXPECT_EQ(made.told(FactType::txt).status, ServerAnswer::Status::empty);
  made.flags |= 3U;
  const ServerAnswer absent = made.told(FactType::txt);
  EXPECT_EQ(absent.status, ServerAnswer::Status::absent);
  EXPECT_EQ(absent.negative_ttl, 300U);
  EXPECT_EQ(absent.serial, 2026112901U);
  EXPECT_EQ(Made{.authorities = {soa(1, 60, 300)}}.told(FactType::txt).negative_ttl, 60U);
}

TEST(Wire, AServerWithoutAuthorityIsLame) {
  EXPECT_EQ((Made{.flags = 0x8000, .answers = {record(16, "\1x")}}).told(FactType::txt).status,
            ServerAnswer::Status::lame);
  EXPECT_EQ((Made{.flags = 0x8405}).told(FactType::txt).status, ServerAnswer::Status::lame);
  EXPECT_EQ((Made{.flags = 0x8402}).told(FactType::txt).status, ServerAnswer::Status::failed);
  for (const unsigned flags : {0x8000U, 0x8405U, 0x8402U, 0x8401U}) {
    const ServerAnswer said =
        (Made{.flags = flags, .answers = {record(16, "\1x")}}).told(FactType::txt);
    EXPECT_NE(said.reason, "") << flags;
    EXPECT_NE(said.reason_ja, "") << flags;
    EXPECT_NE(said.reason_ja, said.reason) << flags;
  }
  EXPECT_EQ((Made{.answers = {record(16, "\5x")}}).told(FactType::txt).status,
            ServerAnswer::Status::failed)
      << "a record that cannot be read";
}

TEST(Wire, PointersLeadBackOnly) {
  for (const std::string& name :
       {std::string("\xC0\x1C", 2), std::string("\1a\xC0\x1C", 4), std::string("\xC0\xFF", 2),
        std::string("\xC0", 1), std::string("\x80", 1), std::string("\7exam", 5)}) {
    Made made;
    made.answers = {name};  // a record that begins with it
    const auto parsed = made.parsed();
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::corrupt);
  }
}

TEST(Wire, EveryCutIsCorrupt) {
  const std::string whole = Made{
      .answers = {record(16, "\1x"), record(15, number_16(1) + kPointer)},
      .authorities = {
          soa(1, 2, 3)}}.octets();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_message(as_octets(std::string_view(whole).substr(0, size)))) << size;
  }
  EXPECT_TRUE(parse_message(as_octets(whole)));
}

TEST(Wire, OfATruncatedMessageWhatIsThereCounts) {
  Made made{.flags = 0x8600, .answers = {record(16, "\1x")}};
  std::string octets = made.octets();
  octets[7] = 9;  // more were announced
  const auto parsed = parse_message(as_octets(octets));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->truncated);
  EXPECT_EQ(parsed->answer.size(), 1U);
}

}  // namespace
}  // namespace todoku::dns
