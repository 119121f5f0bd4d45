// SPDX-License-Identifier: Apache-2.0
// What a receiver is told of the reports that a sender wants (RFC 3461), and that nothing that goes
// out can be read as the end of a mail before it is.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "smtp/protocol/client_fake_server.h"
#include "smtp/protocol/client_session.h"

namespace todoku::smtp {
namespace {

using Words = std::vector<std::string>;

EnvelopeReports wanted() {
  return {.returned = DsnReturn::hdrs,
          .envelope_id = "id+1 =",
          .recipients = {
              {.notify = {DsnNotify::kSuccess | DsnNotify::kFailure},
               .original = OriginalRecipient{.type = "rfc822", .address = "first+a@example.com"}},
              {.notify = {}, .original = {}}}};
}

struct TwoRecipients {
  explicit TwoRecipients(Words offers) : server({.offers = std::move(offers)}) {
    line.drive();
    session.send(to, view_of(pieces));
    line.drive();
  }
  const std::vector<std::string_view> pieces = {"Subject: hi\r\n\r\nbye\r\n"};
  const ClientEnvelope to =
      ClientEnvelope::make("from@example.com", {"a@example.jp", "b@example.jp"}, {}, wanted())
          .value();
  ClientSession session{{.hello_name = "sender.example.com"}};
  FakeServer server;
  FakeLine line{session, server};
};

TEST(ClientReports, AreAskedOfWhoOffersThem) {
  TwoRecipients mail({"PIPELINING", "DSN"});
  EXPECT_EQ(mail.server.commands()[1], "MAIL FROM:<from@example.com> RET=HDRS ENVID=id+2B1+20+3D");
  EXPECT_EQ(mail.server.commands()[2],
            "RCPT TO:<a@example.jp> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2Ba@example.com");
  EXPECT_EQ(mail.server.commands()[3], "RCPT TO:<b@example.jp>") << "nothing is made up";
  EXPECT_TRUE(mail.session.results()[0].receiver_reports);
  EXPECT_FALSE(mail.session.results()[1].receiver_reports);
}

TEST(ClientReports, AreNotSpokenOfToOthers) {
  TwoRecipients mail({"PIPELINING"});
  EXPECT_EQ(mail.server.commands()[1], "MAIL FROM:<from@example.com>");
  EXPECT_EQ(mail.server.commands()[2], "RCPT TO:<a@example.jp>");
  EXPECT_TRUE(mail.session.results()[0].accepted());
  EXPECT_FALSE(mail.session.results()[0].receiver_reports);
}

// RFC 6533 section 3.
TEST(ClientReports, NameARecipientBeyondAsciiAsTheMailAllows) {
  const auto told = [](std::string address, EnvelopeNeeds needs) {
    const EnvelopeReports reports{
        .recipients = {{.notify = {}, .original = OriginalRecipient{"utf-8", std::move(address)}}}};
    const std::vector<std::string_view> pieces = {"Subject: hi\r\n\r\nbye\r\n"};
    ClientSession session{{.hello_name = "sender.example.com"}};
    FakeServer server({.offers = {"DSN", "SMTPUTF8"}});
    FakeLine line{session, server};
    line.drive();
    const auto to = ClientEnvelope::make("from@example.com", {"a@example.jp"}, needs, reports);
    session.send(to.value(), view_of(pieces));
    line.drive();
    return server.commands()[2];
  };
  EXPECT_EQ(told("é+@example.jp", {}),
            R"(RCPT TO:<a@example.jp> ORCPT=utf-8;\x{E9}\x{2B}@example.jp)");
  EXPECT_EQ(told("é+@example.jp", {.smtputf8 = true}),
            R"(RCPT TO:<a@example.jp> ORCPT=utf-8;é\x{2B}@example.jp)");
  std::string longest;
  for (int i = 0; i < 100; ++i) longest += "é";
  EXPECT_EQ(told(longest, {}), "RCPT TO:<a@example.jp>") << "over 500 octets";
  EXPECT_EQ(told(longest, {.smtputf8 = true}), "RCPT TO:<a@example.jp> ORCPT=utf-8;" + longest);
}

TEST(ClientReports, CannotBreakOutOfTheirCommands) {
  const auto made = [](EnvelopeReports reports) {
    return ClientEnvelope::make("", {"a@example.jp"}, {}, std::move(reports)).has_value();
  };
  const auto original = [](std::string type, std::string address) {
    return EnvelopeReports{
        .recipients = {
            {.notify = {}, .original = OriginalRecipient{std::move(type), std::move(address)}}}};
  };
  EXPECT_TRUE(made({}));
  EXPECT_TRUE(made(original("rfc822", "a b@example.jp")));
  EXPECT_TRUE(made(original("utf-8", "é b@example.jp")));
  EXPECT_FALSE(made(original("utf-8", "a@example.jp\r\nDATA")));
  EXPECT_FALSE(made(original("utf-8", "a\xFF@example.jp")));
  EXPECT_FALSE(made(original("rfc822 NOTIFY=NEVER", "a@example.jp")));
  EXPECT_FALSE(made(original("rfc822", "a@example.jp\r\nDATA")));
  EXPECT_FALSE(made(original("rfc822", "")));
  EXPECT_FALSE(made(original("rfc822", std::string(500, 'a'))));
  EXPECT_FALSE(made({.envelope_id = "a\nb"}));
  EXPECT_FALSE(made({.envelope_id = std::string(101, 'a')}));
  EXPECT_FALSE(made({.recipients = {{}, {}}})) << "of one recipient";
  EXPECT_FALSE(
      made({.recipients = {{.notify = {DsnNotify::kNever | DsnNotify::kDelay}, .original = {}}}}));
}

// Where a server that takes any line end for one sees the end of a mail; npos: nowhere.
std::size_t lax_end(std::string_view wire) {
  const auto ends_line = [](char c) { return c == '\r' || c == '\n'; };
  for (std::size_t i = 0; i + 1 < wire.size(); ++i) {
    const bool begins = i == 0 || ends_line(wire[i - 1]);
    if (begins && wire[i] == '.' && ends_line(wire[i + 1])) return i;
  }
  return std::string_view::npos;
}

// CVE-2023-51764, -51765, -51766 and relatives.
constexpr std::array<std::string_view, 12> kSmuggling = {
    "\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n",     "\r\n.\r",     "\r.\r",
    "\n.\r", "\r.\n",   "\n\n.\n", "\r\r\n.\r\n", "\r\n.\r\r\n", "\n.\r\r\n"};

TEST(ClientSmuggling, NoContentEndsBeforeItsEnd) {
  for (const std::string_view sequence : kSmuggling) {
    const std::string content = "Subject: a\r\n\r\nb" + std::string(sequence) +
                                "MAIL FROM:<x@example.com>\r\nRCPT TO:<y@example.com>\r\nDATA\r\n";
    for (std::size_t cut = 0; cut <= content.size(); ++cut) {
      const std::string_view whole = content;
      const std::array<std::string_view, 2> pieces = {whole.substr(0, cut), whole.substr(cut)};
      std::vector<std::string_view> out;
      append_stuffed(out, pieces, true);
      std::string wire;
      for (const std::string_view piece : out) wire += piece;
      ASSERT_TRUE(wire.ends_with("\r\n.\r\n"));
      ASSERT_EQ(lax_end(wire), wire.size() - 3) << testing::PrintToString(sequence) << " " << cut;
    }
  }
}

TEST(ClientSmuggling, EveryLineThatIsWrittenEndsWithCrLf) {
  for (const Words& offers : {Words{}, Words{"PIPELINING", "DSN"}, Words{"CHUNKING", "SIZE"}}) {
    TwoRecipients mail(offers);
    mail.session.quit();
    mail.line.drive();
    std::string wire;
    for (const std::string& write : mail.line.writes()) {
      EXPECT_TRUE(write.ends_with("\r\n"));
      wire += write;
    }
    for (std::size_t at = wire.find_first_of("\r\n"); at != std::string::npos;
         at = wire.find_first_of("\r\n", at + 2)) {
      ASSERT_EQ(wire.substr(at, 2), "\r\n");
    }
    EXPECT_TRUE(wire.ends_with("QUIT\r\n"));
  }
}

}  // namespace
}  // namespace todoku::smtp
