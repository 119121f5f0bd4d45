// SPDX-License-Identifier: Apache-2.0
// The talk with a filter, and what its changes make of a mail: without a network.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inbound/field_changes.h"
#include "inbound/milter_talk.h"

namespace todoku::inbound {
namespace {

using testing::ElementsAre;
using Verdict = MilterVerdict::Kind;
using namespace std::string_literals;

constexpr std::string_view kScanned =
    "From: a@example.net\r\nSubject:  two\r\n lines\r\nX-Old: 1\r\nx-old: "
    "2\r\n\r\nfirst\r\nlast\r\n";

MilterMail a_mail(std::string_view octets = kScanned) {
  return {.id = "42",
          .hostname = "mx.example.jp",
          .client = net::Endpoint::parse("192.0.2.7:1025").value(),
          .hello = "client.example",
          .sender = "a@example.net",
          .recipients = {"abuse@bounce.example.jp"},
          .octets = octets};
}

std::string number(std::uint32_t value) {
  std::string octets;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) octets += static_cast<char>(value >> shift);
  return octets;
}

std::string packet(char command, std::string_view data = {}) {
  return number(static_cast<std::uint32_t>(data.size() + 1)) + command + std::string(data);
}

std::string negotiated(std::uint32_t protocol, std::uint32_t actions = 0,
                       std::uint32_t version = 6) {
  return packet('O', number(version) + number(actions) + number(protocol));
}

// A filter that goes on until the end of the body, and notes what it is told.
class ScriptedFilter {
 public:
  explicit ScriptedFilter(std::uint32_t protocol = 0) : protocol_(protocol) {}
  std::string at_end = packet('c');
  // What it says to a step instead of going on.
  std::vector<std::pair<char, std::string>> answers;
  std::vector<std::pair<char, std::string>> told;

  MilterVerdict talk(const MilterMail& mail) {
    MilterTalk talk(mail);
    for (int turns = 0; turns < 1'000 && !talk.has_ended(); ++turns) {
      std::string out;
      for (std::string piece = talk.next_output(); !piece.empty(); piece = talk.next_output()) {
        out += piece;
      }
      const std::string answer = answer_to(out);
      // Cut anywhere.
      for (const char octet : answer) {
        const auto received = talk.receive(std::string_view(&octet, 1));
        EXPECT_TRUE(received) << received.error().detail;
      }
    }
    EXPECT_TRUE(talk.has_ended());
    EXPECT_EQ(talk.next_output(), packet('Q'));
    EXPECT_EQ(talk.next_output(), "");
    return talk.verdict();
  }
  [[nodiscard]] std::string told_of(char command) const {
    std::string all;
    for (const auto& [step, data] : told) {
      if (step == command) all += data;
    }
    return all;
  }
  [[nodiscard]] std::string steps() const {
    std::string all;
    for (const auto& [step, data] : told) {
      if (step != 'D') all += step;
    }
    return all;
  }

 private:
  std::string answer_to(std::string_view out) {
    std::string answer;
    while (!out.empty()) {
      std::uint32_t size = 0;
      for (const char c : out.substr(0, 4)) size = size << 8U | static_cast<std::uint8_t>(c);
      const char command = out[4];
      told.emplace_back(command, out.substr(5, size - 1));
      out.remove_prefix(4 + size);
      answer = command == 'O' ? negotiated(protocol_, 0x31) : packet('c');
      if (command == 'E') answer = at_end;
      for (const auto& [step, said] : answers) {
        if (step == command) answer = said;
      }
    }
    return answer;
  }

  std::uint32_t protocol_;
};

TEST(MilterTalk, TellsAMailStepByStep) {
  ScriptedFilter filter;
  EXPECT_EQ(filter.talk(a_mail()).kind, Verdict::accepted);
  EXPECT_EQ(filter.steps(), "OCHMRTLLLLNBE");
  EXPECT_EQ(filter.told_of('C'), "[192.0.2.7]\0004\x04\x01"s + "192.0.2.7\0"s);
  EXPECT_EQ(filter.told_of('H'), "client.example\0"s);
  EXPECT_EQ(filter.told_of('M'), "<a@example.net>\0"s);
  EXPECT_EQ(filter.told_of('R'), "<abuse@bounce.example.jp>\0"s);
  EXPECT_EQ(filter.told_of('L'),
            "From\0a@example.net\0Subject\0 two\n lines\0X-Old\0001\0x-old\0002\0"s)
      << "one blank behind the colon is the field's, not the value's";
  EXPECT_EQ(filter.told_of('B'), "first\r\nlast\r\n");
  EXPECT_NE(filter.told_of('D').find("Mi\00042\0"s), std::string::npos);
}

TEST(MilterTalk, SaysOnlyWhatTheFilterWants) {
  // Connect, hello, mail and data are not wanted; recipients and fields are not answered; values
  // with their blanks.
  ScriptedFilter filter(0x01 | 0x02 | 0x04 | 0x200 | 0x8000 | 0x80 | 0x100000);
  EXPECT_EQ(filter.talk(a_mail()).kind, Verdict::accepted);
  EXPECT_EQ(filter.steps(), "ORLLLLNBE");
  EXPECT_TRUE(filter.told_of('L').starts_with("From\0 a@example.net\0Subject\0  two\n lines\0"s));
}

TEST(MilterTalk, ALargeBodyGoesInChunksAndMayBeSkipped) {
  const std::string octets = "From: a@example.net\r\n\r\n" + std::string(150'000, 'x');
  ScriptedFilter filter;
  (void)filter.talk(a_mail(octets));
  EXPECT_EQ(filter.steps(), "OCHMRTLNBBBE");
  EXPECT_EQ(filter.told_of('B').size(), 150'000U);
  ScriptedFilter skips;
  skips.answers = {{'B', packet('s')}};
  (void)skips.talk(a_mail(octets));
  EXPECT_EQ(skips.steps(), "OCHMRTLNBE");
  // Unanswered, it does not come in one piece all the same.
  const MilterMail mail = a_mail(octets);
  MilterTalk talk(mail);
  (void)talk.next_output();
  ASSERT_TRUE(talk.receive(negotiated(0x1FF000 | 0x80)));
  std::size_t octets_out = 0;
  for (std::string piece = talk.next_output(); !piece.empty(); piece = talk.next_output()) {
    EXPECT_LE(piece.size(), 2 * MilterTalk::kChunkOctets + 1'000);
    octets_out += piece.size();
  }
  EXPECT_GT(octets_out, 150'000U);
}

TEST(MilterTalk, ItsWordEndsItAtAnyStep) {
  const auto verdict = [](char step, const std::string& said) {
    ScriptedFilter filter;
    filter.answers = {{step, said}};
    return filter.talk(a_mail());
  };
  EXPECT_EQ(verdict('C', packet('a')).kind, Verdict::accepted);
  EXPECT_EQ(verdict('M', packet('d')).kind, Verdict::discarded);
  for (const char step : {'C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E'}) {
    const MilterVerdict refused = verdict(step, packet('r'));
    EXPECT_EQ(refused.kind, Verdict::refused) << step;
    EXPECT_EQ(refused.reply.code, 550) << step;
    EXPECT_EQ(verdict(step, packet('t')).reply.code, 451) << step;
  }
  const MilterVerdict said = verdict('E', packet('y', "554 5.7.1 Virus\r\nfound\0"s));
  EXPECT_EQ(said.kind, Verdict::refused);
  EXPECT_EQ(said.reply, (Reply{554, "5.7.1 Virus"}));
  EXPECT_EQ(verdict('E', packet('y', "421 4.7.0 later\0"s)).reply.code, 451)
      << "it does not end our dialogue";
  EXPECT_EQ(verdict('E', packet('p') + packet('p') + packet('c')).kind, Verdict::accepted);
}

TEST(MilterTalk, ChangesComeBeforeTheLastWord) {
  ScriptedFilter filter;
  filter.at_end = packet('h', "X-Scanned\0yes\0"s) + packet('i', number(0) + "A-R\0pass\0"s) +
                  packet('m', number(2) + "X-Old\0\0"s) + packet('m', number(1) + "X-Old\0new\0"s) +
                  packet('q', "looks\r\nodd\0"s) + packet('c');
  const MilterVerdict verdict = filter.talk(a_mail());
  using Change = FieldChange::Kind;
  EXPECT_EQ(verdict.kind, Verdict::quarantined);
  EXPECT_EQ(verdict.reason.find('\n'), std::string::npos);
  EXPECT_THAT(verdict.changes, ElementsAre(FieldChange{Change::add, 0, "X-Scanned", "yes"},
                                           FieldChange{Change::insert, 0, "A-R", "pass"},
                                           FieldChange{Change::remove, 2, "X-Old", ""},
                                           FieldChange{Change::change, 1, "X-Old", "new"}));
  EXPECT_EQ(with_changes(kScanned, verdict.changes),
            "A-R: pass\r\nFrom: a@example.net\r\nSubject:  two\r\n lines\r\nX-Old: new\r\n"
            "X-Scanned: yes\r\n\r\nfirst\r\nlast\r\n");
}

TEST(MilterTalk, WhatIsNoFilterIsToldSo) {
  const auto error_of = [](const std::string& first, const std::string& then = {}) {
    const MilterMail mail = a_mail();
    MilterTalk talk(mail);
    (void)talk.next_output();
    auto received = talk.receive(first);
    if (received) {
      (void)talk.next_output();
      received = talk.receive(then);
    }
    return received ? std::string() : received.error().detail;
  };
  EXPECT_EQ(error_of(negotiated(0)), "");
  EXPECT_NE(error_of("HTTP/1.1 400 Bad Request\r\n\r\n"), "");
  EXPECT_NE(error_of(number(0)), "") << "an empty packet";
  EXPECT_NE(error_of(number(1U << 20U)), "") << "a huge packet";
  EXPECT_NE(error_of(packet('c')), "") << "no negotiation";
  EXPECT_NE(error_of(negotiated(0, 0, 1)), "") << "too old";
  EXPECT_NE(error_of(negotiated(0x800)), "") << "wants refused recipients, too";
  EXPECT_NE(error_of(negotiated(0), packet('h', "A\0b\0"s)), "") << "a change before the end";
  EXPECT_NE(error_of(negotiated(0), packet('y', "250 fine\0"s)), "") << "a refusal that is none";
  EXPECT_NE(error_of(negotiated(0), packet('?')), "");
}

// It answers with all changes that it knows, and with all steps that it does not answer.
TEST(MilterTalk, AFilterThatNamesMoreChangesThanWereOfferedIsAskedLikeRspamd) {
  const MilterMail mail = a_mail();
  const auto at_end = [&mail](const std::string& said) -> std::string {
    MilterTalk talk(mail);
    (void)talk.next_output();
    const auto negotiates = talk.receive(negotiated(0xFF080, 0x3D));
    EXPECT_TRUE(negotiates) << negotiates.error().detail;
    while (!talk.next_output().empty()) {
    }
    const auto received = talk.receive(said);
    if (!received) return received.error().detail;
    EXPECT_TRUE(talk.has_ended());
    return talk.verdict().changes.empty() ? "unchanged" : talk.verdict().changes.front().name;
  };
  EXPECT_EQ(at_end(packet('c')), "unchanged");
  EXPECT_EQ(at_end(packet('h', "X-Spam\0Yes\0"s) + packet('c')), "X-Spam");
  EXPECT_EQ(at_end(packet('+', "<b@example.net>\0"s) + packet('c')),
            "a filter adds a recipient, which was not offered to it");
  EXPECT_EQ(at_end(packet('-', "<b@example.net>\0"s) + packet('c')),
            "a filter removes a recipient, which was not offered to it");
  EXPECT_EQ(at_end(packet('b', "new") + packet('c')),
            "a filter replaces the body, which was not offered to it");
}

TEST(FieldChanges, AFieldEndsNoLineEarlyAndNoSectionEither) {
  EXPECT_EQ(field_text("X-A", "b"), "X-A: b\r\n");
  EXPECT_EQ(field_text("X-A", "b\nc\n\td\n\ne\r\n"), "X-A: b\r\n\tc\r\n\td\r\n\te\r\n");
  EXPECT_EQ(field_text("X-A", "b\0\rc"s), "X-A: bc\r\n");
  EXPECT_EQ(field_text("X A", "b"), "");
  EXPECT_EQ(field_text("X:A", "b"), "");
  EXPECT_EQ(field_text("", "b"), "");
}

TEST(FieldChanges, WhatIsThereStandsAsItStood) {
  const std::string_view odd = "A :b\r\nC:  d\r\n\t\r\n e\r\n\r\nbody: x\r\n";
  const std::vector<FieldChange> changes{{FieldChange::Kind::insert, 9, "X", "y"}};
  EXPECT_EQ(with_changes(odd, changes), "A :b\r\nC:  d\r\n\t\r\n e\r\nX: y\r\n\r\nbody: x\r\n");
  EXPECT_EQ(with_changes("no field\r\n", changes), "X: y\r\n\r\nno field\r\n");
  EXPECT_EQ(with_changes("", changes), "X: y\r\n\r\n");
}

}  // namespace
}  // namespace todoku::inbound
