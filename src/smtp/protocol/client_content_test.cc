// SPDX-License-Identifier: Apache-2.0
// When content goes out, and what is known of it when something else ends the mail.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "smtp/protocol/client_fake_server.h"
#include "smtp/protocol/client_session.h"

namespace todoku::smtp {
namespace {

const std::vector<std::string> kOneFlight = {"PIPELINING", "CHUNKING"};
const std::vector<std::string_view> kContentPieces = {"Subject: hi\r\n\r\n", "bye\r\n"};

// One mail to one recipient, until nothing moves any more.
struct OneMail {
  OneMail(Script script, bool after_recipients)
      : server(std::move(script)), line(session, server, {}) {
    line.drive();
    MessageView message = view_of(kContentPieces);
    message.after_recipients = after_recipients;
    session.send(to, message);
    line.drive();
  }
  [[nodiscard]] const RecipientResult& result() { return session.results().front(); }

  const ClientEnvelope to = ClientEnvelope::make("from@example.com", {"a@example.jp"}).value();
  ClientSession session{{.hello_name = "sender.example.com"}};
  FakeServer server;
  FakeLine line;
};

TEST(ClientContent, WaitsForTheRecipientsWhereItIsToldTo) {
  OneMail mail({.offers = kOneFlight}, true);
  EXPECT_TRUE(mail.result().accepted());
  const std::vector<std::string> expected = {
      "MAIL FROM:<from@example.com>\r\nRCPT TO:<a@example.jp>\r\n",
      "BDAT 20 LAST\r\nSubject: hi\r\n\r\nbye\r\n"};
  EXPECT_EQ(std::vector(mail.line.writes().begin() + 1, mail.line.writes().end()), expected);
}

TEST(ClientContent, ThatWaitsIsNotInDoubtWhereTheReceiverIsSilentBefore) {
  for (const std::string command : {"MAIL", "RCPT a@example.jp"}) {
    for (const bool waits : {false, true}) {
      // From that command on.
      const std::map<std::string, std::string> silence = {
          {command, ""}, {"RCPT a@example.jp", ""}, {"BDAT", ""}};
      OneMail mail({.offers = kOneFlight, .answers = silence}, waits);
      EXPECT_EQ(mail.result().reply.code, 0) << command;
      EXPECT_EQ(mail.result().in_doubt, !waits) << command;
    }
  }
}

TEST(ClientContent, ThatWasOutBesideAnotherAnswerIsToldWithIt) {
  for (const std::string command : {"MAIL", "RCPT a@example.jp", "BDAT"}) {
    for (const bool waits : {false, true}) {
      OneMail mail({.offers = kOneFlight, .answers = {{command, "421 4.3.2 bye"}}}, waits);
      EXPECT_EQ(mail.result().reply.code, 421);
      EXPECT_FALSE(mail.result().in_doubt);
      EXPECT_EQ(mail.result().after_content, !waits && command != "BDAT") << command;
    }
  }
}

}  // namespace
}  // namespace todoku::smtp
