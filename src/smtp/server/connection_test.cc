// SPDX-License-Identifier: Apache-2.0
// Whole connections over a socket pair, in simulated time: the test is the client.
#include "smtp/server/connection.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "async/no_kernel_timers.h"
#include "net/failing_calls.h"
#include "net/self_signed.h"
#include "smtp/server/dialogue.h"

namespace todoku::smtp {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const std::string kHello = "EHLO client.example.com\r\n";
const std::string kEnvelope = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\n";
const std::string kMail = kEnvelope + "DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n";
const std::string kContent = "Subject: x\r\n\r\n.dot\r\n";

class ServerConnectionTest : public testing::Test {
 protected:
  Dialogue dialogue_;
  ScriptedOwner& owner_ = dialogue_.owner;
};

TEST_F(ServerConnectionTest, CarriesMailsAndSaysGoodbye) {
  dialogue_.begin();
  EXPECT_TRUE(dialogue_.heard().starts_with("220 "));
  EXPECT_TRUE(dialogue_.say(kHello).starts_with("250-"));
  EXPECT_EQ(dialogue_.say(kMail + kMail + "QUIT\r\n"),
            "250 2.1.0 Sender accepted\r\n250 2.1.5 Recipient accepted\r\n"
            "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok\r\n"
            "250 2.1.0 Sender accepted\r\n250 2.1.5 Recipient accepted\r\n"
            "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
  EXPECT_EQ(dialogue_.end(), ServerEnd::quit);
  EXPECT_TRUE(dialogue_.closed());
  EXPECT_EQ(owner_.messages, (std::vector{kContent, kContent}));
}

TEST_F(ServerConnectionTest, GivesTheOwnersAnswers) {
  owner_.answers[ServerEvent::recipient] = {.reply = Reply{550, "5.1.1 Unknown user"}};
  dialogue_.begin();
  EXPECT_TRUE(dialogue_.say(kHello + kEnvelope).ends_with("550 5.1.1 Unknown user\r\n"));
  owner_.answers[ServerEvent::mail] = {.reply = Reply{421, "4.7.0 Enough"}};
  EXPECT_EQ(dialogue_.say("RSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.jp>\r\n"),
            "250 2.0.0 Ok\r\n421 4.7.0 Enough\r\n");
  EXPECT_EQ(dialogue_.end(), std::nullopt) << "the client has not read it yet";
  dialogue_.hang_up();
  EXPECT_EQ(dialogue_.end(), ServerEnd::ended);
}

TEST_F(ServerConnectionTest, HangsUpWithoutAWordWhereTheOwnerWishes) {
  owner_.answers[ServerEvent::data] = {.hang_up = true};
  dialogue_.begin();
  dialogue_.say(kHello);
  EXPECT_EQ(dialogue_.say(kEnvelope + "DATA\r\n"), "");
  EXPECT_EQ(dialogue_.end(), ServerEnd::hung_up);
}

TEST_F(ServerConnectionTest, StrictlyNobodySpeaksBeforeTheGreeting) {
  dialogue_.protocol.strict = true;
  owner_.slow = ServerEvent::connect;
  owner_.takes = seconds(1);
  dialogue_.begin();
  EXPECT_EQ(dialogue_.say(kHello + kMail), "");
  EXPECT_EQ(dialogue_.pass(seconds(1)), "554 5.5.0 The greeting comes first\r\n");
  dialogue_.hang_up();
  EXPECT_EQ(dialogue_.end(), ServerEnd::ended);
  EXPECT_TRUE(owner_.messages.empty());
}

TEST_F(ServerConnectionTest, StrictlyWhoWaitsIsGreeted) {
  dialogue_.protocol.strict = true;
  owner_.slow = ServerEvent::connect;
  owner_.takes = seconds(1);
  dialogue_.begin();
  EXPECT_TRUE(dialogue_.pass(seconds(1)).starts_with("220 "));
  EXPECT_TRUE(dialogue_.say(kHello).starts_with("250-"));
  EXPECT_TRUE(dialogue_.say(kMail).ends_with("250 2.0.0 Ok\r\n"));
}

// What arrives while the owner decides waits, and the answers so far can be sent before.
TEST_F(ServerConnectionTest, WaitsForTheOwner) {
  owner_.slow = ServerEvent::mail;
  owner_.takes = minutes(7);
  dialogue_.begin();
  dialogue_.say(kHello);
  EXPECT_EQ(dialogue_.say("NOOP\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\n"),
            "250 2.0.0 Ok\r\n");
  EXPECT_EQ(dialogue_.pass(minutes(7)),
            "250 2.1.0 Sender accepted\r\n250 2.1.5 Recipient accepted\r\n");
  EXPECT_EQ(dialogue_.end(), std::nullopt) << "the wait was not the client's";
}

TEST_F(ServerConnectionTest, ContentWaitsForTheOwnerWithoutBlame) {
  dialogue_.patience = {.command = minutes(5), .content = minutes(3)};
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "DATA\r\n");
  owner_.slow = ServerEvent::content;
  owner_.takes = minutes(10);
  dialogue_.say("Subject: x\r\n");
  EXPECT_EQ(dialogue_.pass(minutes(10)), "");
  EXPECT_EQ(dialogue_.pass(minutes(2)), "") << "of three";
  owner_.slow.reset();
  EXPECT_EQ(dialogue_.say("\r\nx\r\n.\r\n"), "250 2.0.0 Ok\r\n");
}

TEST_F(ServerConnectionTest, AMessageIsNeverWholeInMemory) {
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "BDAT 5000000 LAST\r\n");
  const std::string block(50'000, 'x');
  std::string answer;
  for (int i = 0; i < 100; ++i) answer += dialogue_.say(block);
  EXPECT_EQ(answer, "250 2.0.0 Ok\r\n");
  EXPECT_GE(owner_.pieces, 70U);
  EXPECT_LE(owner_.largest_piece, 64U << 10U);
  ASSERT_EQ(owner_.messages.size(), 1U);
  EXPECT_EQ(owner_.messages[0].size(), 5'000'000U);
}

TEST_F(ServerConnectionTest, WhatAMessageNeededIsGivenBackWithIt) {
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "BDAT 200000 LAST\r\n");
  for (int i = 0; i < 4; ++i) dialogue_.say(std::string(50'000, 'x'));
  EXPECT_GT(owner_.largest_piece, 16U << 10U);
  owner_.largest_piece = 0;
  // It comes in one go, and yet is read by a small buffer first.
  dialogue_.say(kEnvelope + "BDAT 10000 LAST\r\n" + std::string(10'000, 'x'));
  EXPECT_EQ(owner_.messages.size(), 2U);
  EXPECT_LT(owner_.largest_piece, 7'000U);
}

TEST_F(ServerConnectionTest, TooMuchContentIsDiscarded) {
  dialogue_.protocol.size_max = 100;
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "DATA\r\n");
  dialogue_.say(std::string(60, 'x'));
  EXPECT_EQ(dialogue_.say(std::string(60, 'x') + "\r\n.\r\n"), "552 5.3.4 Message too large\r\n");
  EXPECT_EQ(owner_.discards, 1);
  EXPECT_EQ(dialogue_.say(kMail).substr(0, 4), "250 ");
  EXPECT_EQ(owner_.messages, std::vector{kContent});
}

TEST_F(ServerConnectionTest, TheOwnerHearsOfEveryRefusal) {
  dialogue_.protocol.size_max = 100;
  owner_.answers[ServerEvent::recipient] = {.reply = Reply{550, "5.1.1 Unknown user"}};
  dialogue_.begin();
  dialogue_.say(kHello + "MAIL FROM:<a@example.com> SIZE=101\r\nNONE\r\n" + kEnvelope);
  dialogue_.say("GET / HTTP/1.1\r\n");
  EXPECT_EQ(owner_.refusals, (std::vector<std::string>{
                                 "552 5.3.4 Message too large", "500 5.5.2 Unknown command",
                                 "550 5.1.1 Unknown user", "421 4.7.0 This is SMTP, not HTTP"}));
}

// ---- deadlines ---------------------------------------------------------------------------------

TEST_F(ServerConnectionTest, ASilentClientHears421) {
  dialogue_.begin();
  dialogue_.say(kHello);
  EXPECT_EQ(dialogue_.pass(seconds(299)), "");
  EXPECT_TRUE(dialogue_.pass(seconds(1)).starts_with("421 4.4.2 "));
  dialogue_.pass(seconds(2));
  EXPECT_EQ(dialogue_.end(), ServerEnd::timed_out);
  EXPECT_TRUE(dialogue_.closed());
}

TEST_F(ServerConnectionTest, EveryLineBeginsAnew) {
  dialogue_.begin();
  dialogue_.say(kHello);
  for (int i = 0; i < 10; ++i) {
    dialogue_.pass(seconds(290));
    EXPECT_EQ(dialogue_.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }
}

TEST_F(ServerConnectionTest, WhoDoesNotLogInHasNoTimeForEver) {
  dialogue_.protocol.auth_mechanisms = "PLAIN";
  dialogue_.protocol.auth_required = true;
  dialogue_.begin();
  dialogue_.say(kHello);
  dialogue_.pass(minutes(4));
  EXPECT_EQ(dialogue_.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  EXPECT_TRUE(dialogue_.pass(minutes(1)).starts_with("421 4.7.0 Nobody has logged in"));
  dialogue_.pass(seconds(2));
  EXPECT_EQ(dialogue_.end(), ServerEnd::timed_out);
}

TEST_F(ServerConnectionTest, WhoHasLoggedInMayStay) {
  dialogue_.protocol.auth_mechanisms = "PLAIN";
  dialogue_.protocol.auth_required = true;
  dialogue_.begin();
  dialogue_.say(kHello + "AUTH PLAIN eA==\r\n");
  for (int i = 0; i < 3; ++i) {
    dialogue_.pass(minutes(4));
    EXPECT_EQ(dialogue_.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }
}

// Says an octet a second until the connection ends; returns how many seconds that took.
int drip(Dialogue& dialogue, std::string_view octets) {
  int passed = 0;
  while (!dialogue.end() && passed < 5'000) {
    if (!dialogue.closed())
      dialogue.say(octets.substr(static_cast<std::size_t>(passed) % octets.size(), 1));
    dialogue.pass(seconds(1));
    ++passed;
  }
  return passed;
}

TEST_F(ServerConnectionTest, ALineOctetByOctetMovesNoDeadline) {
  dialogue_.begin();
  dialogue_.say(kHello);
  EXPECT_LE(drip(dialogue_, "x"), 303);
  EXPECT_EQ(dialogue_.end(), ServerEnd::timed_out);
}

TEST(ServerConnections, ContentOctetByOctetMovesNoDeadline) {
  for (const std::string& begin : {std::string("DATA\r\n"), std::string("BDAT 5000000 LAST\r\n")}) {
    Dialogue dialogue;
    dialogue.begin();
    dialogue.say(kHello + kEnvelope + begin);
    EXPECT_LE(drip(dialogue, "text\r\n"), 303);
    EXPECT_EQ(dialogue.end(), ServerEnd::timed_out);
    EXPECT_TRUE(dialogue.owner.messages.empty());
  }
}

TEST_F(ServerConnectionTest, RefusedContentOctetByOctetMovesNoDeadline) {
  owner_.answers[ServerEvent::chunk] = {.reply = Reply{452, "4.3.1 Not now"}};
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "BDAT 5000000 LAST\r\n");
  EXPECT_LE(drip(dialogue_, "x"), 303);
}

TEST_F(ServerConnectionTest, ASlowButHonestSenderIsHeardOut) {
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "BDAT 600000 LAST\r\n");
  std::string answer;
  for (int i = 0; i < 1'200; ++i) {
    answer += dialogue_.say(std::string(500, 'x'));
    answer += dialogue_.pass(seconds(2));
  }
  EXPECT_EQ(answer, "250 2.0.0 Ok\r\n");
}

TEST_F(ServerConnectionTest, WhatItsOwnerHasHadEnoughOfIsOver) {
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope + "BDAT 5000000 LAST\r\n");
  owner_.until = dialogue_.now() + minutes(10);
  std::string answer;
  for (int i = 0; i < 9; ++i) {
    answer += dialogue_.say(std::string(200'000, 'x'));
    answer += dialogue_.pass(minutes(1));
  }
  EXPECT_EQ(answer, "");
  dialogue_.say(std::string(200'000, 'x'));
  EXPECT_TRUE(dialogue_.pass(minutes(1)).starts_with("421 4.4.2 What was begun"));
  dialogue_.pass(seconds(2));
  EXPECT_EQ(dialogue_.end(), ServerEnd::timed_out);
}

TEST_F(ServerConnectionTest, AClientThatReadsNothingIsLeft) {
  dialogue_.begin();
  dialogue_.stop_hearing();
  std::string many;
  for (int i = 0; i < 2'000; ++i) many += "HELP\r\n";
  for (int i = 0; i < 100; ++i) dialogue_.say(many);
  EXPECT_EQ(dialogue_.end(), std::nullopt);
  dialogue_.pass(minutes(5));
  EXPECT_EQ(dialogue_.end(), ServerEnd::timed_out);
}

// ---- ends --------------------------------------------------------------------------------------

TEST(ServerConnections, StoppingSays421WhateverIsUnderWay) {
  const std::string rest[] = {"", kEnvelope, kEnvelope + "DATA\r\nhalf", "MAIL FR"};
  for (const std::string& said : rest) {
    Dialogue dialogue;
    dialogue.begin();
    dialogue.say(kHello + said);
    EXPECT_TRUE(dialogue.stop().starts_with("421 4.3.2 ")) << said;
    EXPECT_EQ(dialogue.end(), ServerEnd::stopped);
    EXPECT_TRUE(dialogue.closed());
    EXPECT_TRUE(dialogue.owner.messages.empty());
  }
}

TEST(ServerConnections, StoppingEndsAnOwnersWait) {
  for (const ServerEvent slow : {ServerEvent::mail, ServerEvent::content, ServerEvent::message}) {
    Dialogue dialogue;
    dialogue.owner.slow = slow;
    dialogue.owner.takes = std::chrono::hours(1);
    dialogue.begin();
    dialogue.say(kHello + kMail);
    EXPECT_TRUE(dialogue.stop().contains("421 4.3.2 "));
    EXPECT_EQ(dialogue.end(), ServerEnd::stopped);
    EXPECT_TRUE(dialogue.owner.messages.empty());
  }
}

TEST(ServerConnections, AClientThatHangsUpLosesOnlyItself) {
  for (const std::string& said : {std::string(), kHello, kHello + kEnvelope + "DATA\r\nhalf"}) {
    Dialogue dialogue;
    dialogue.begin();
    dialogue.say(said);
    dialogue.hang_up();
    EXPECT_EQ(dialogue.end(), ServerEnd::lost);
    EXPECT_TRUE(dialogue.owner.messages.empty());
  }
}

TEST_F(ServerConnectionTest, TlsThatTheOwnerCannotDoEndsIt) {
  dialogue_.protocol.starttls = true;
  dialogue_.begin();
  dialogue_.say(kHello);
  EXPECT_EQ(dialogue_.say("STARTTLS\r\n"), "220 2.0.0 Ready to start TLS\r\n");
  EXPECT_EQ(dialogue_.end(), ServerEnd::tls_failed);
}

// What was taken is said to be taken, although the service stops.
TEST(ServerConnections, StoppingKeepsAnAnswerThatWasGiven) {
  Dialogue dialogue;
  dialogue.owner.slow = ServerEvent::message;
  dialogue.owner.heeds_stop = false;
  dialogue.owner.takes = seconds(1);
  dialogue.begin();
  dialogue.say(kHello + kMail + kMail);
  EXPECT_TRUE(dialogue.stop().starts_with("250 2.0.0 Ok\r\n421 4.3.2 "));
  EXPECT_EQ(dialogue.owner.messages, std::vector{kContent}) << "the second one is not begun";
}

Task<void> shake_hands(net::Stream& stream, std::shared_ptr<net::TlsClientContext> context,
                       Result<net::TlsInfo>& info) {
  info =
      co_await stream.start_tls_client(std::move(context), "mx.example.jp", SteadyInstant::max());
}

Task<void> converse(net::Stream& stream, std::string said, std::string& heard) {
  const auto written = co_await stream.write(said, SteadyInstant::max());
  EXPECT_TRUE(written);
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = co_await stream.read_some(buffer, SteadyInstant::max());
    if (!got || *got == 0) co_return;
    heard.append(buffer.data(), *got);
  }
}

// RFC 3207 section 4.2: everything begins anew, and what came in clear text is forgotten.
TEST_F(ServerConnectionTest, GoesOverToTls) {
  const net::TlsIdentity identity = net::make_self_signed({"mx.example.jp"}, SystemClock().now());
  owner_.tls = net::TlsServerContext::create(identity).value();
  dialogue_.protocol.starttls = true;
  dialogue_.begin();
  dialogue_.say(kHello + kEnvelope);
  EXPECT_EQ(dialogue_.say("STARTTLS\r\n" + kMail), "220 2.0.0 Ready to start TLS\r\n");
  net::Stream client = dialogue_.take_client();
  Result<net::TlsInfo> info;
  std::string heard;
  async::TaskGroup group(dialogue_.executor());
  group.spawn(
      "handshake",
      shake_hands(client, net::TlsClientContext::create({.ca_pem = identity.chain}).value(), info));
  dialogue_.poll();
  ASSERT_TRUE(info) << info.error().detail;
  group.spawn("client", converse(client, kMail + kHello + kMail + "QUIT\r\n", heard));
  dialogue_.poll();
  EXPECT_TRUE(heard.starts_with("503 ")) << heard;
  EXPECT_TRUE(heard.ends_with("250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n")) << heard;
  EXPECT_EQ(dialogue_.end(), ServerEnd::quit);
  EXPECT_EQ(owner_.messages, std::vector{kContent});
}

TEST_F(ServerConnectionTest, AHandshakeEndsInTime) {
  owner_.tls =
      net::TlsServerContext::create(net::make_self_signed({"mx.example.jp"}, SystemClock().now()))
          .value();
  dialogue_.protocol.starttls = true;
  dialogue_.begin();
  dialogue_.say(kHello + "STARTTLS\r\n");
  dialogue_.pass(seconds(29));
  EXPECT_EQ(dialogue_.end(), std::nullopt);
  dialogue_.pass(seconds(1));
  EXPECT_EQ(dialogue_.end(), ServerEnd::tls_failed);
}

TEST(ServerConnections, StoppingInAHandshakeIsNoFailureOfTls) {
  Dialogue dialogue;
  dialogue.owner.tls =
      net::TlsServerContext::create(net::make_self_signed({"mx.example.jp"}, SystemClock().now()))
          .value();
  dialogue.protocol.starttls = true;
  dialogue.begin();
  dialogue.say(kHello + "STARTTLS\r\n");
  EXPECT_EQ(dialogue.stop(), "") << "no words in clear text where TLS was to begin";
  EXPECT_EQ(dialogue.end(), ServerEnd::stopped);
  EXPECT_TRUE(dialogue.closed());
}

// ---- every call --------------------------------------------------------------------------------

TEST(ServerConnections, EndWithoutALeakWhicheverCallFails) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  for (const net::Manner manner : {net::Manner::error, net::Manner::end}) {
    for (const std::size_t write_max : {0U, 7U}) {
      int n = 1;
      for (bool failed = true; failed && n < 1'000; ++n) {
        SCOPED_TRACE(n);
        const std::size_t files = net::open_files();
        net::Fault fault{.at = n, .manner = manner, .write_max = write_max};
        {
          Dialogue dialogue;
          net::the_fault = &fault;
          dialogue.begin();
          fault.socket = dialogue.server_socket();
          std::string heard = dialogue.say(kHello);
          heard += dialogue.say(kMail + kEnvelope + "DATA\r\nSubject: x\r\n\r\n");
          heard += dialogue.say("..dot\r\n.\r\nQUIT\r\n");
          heard += dialogue.pass(minutes(10));
          failed = fault.done;
          ASSERT_TRUE(dialogue.end().has_value());
          EXPECT_TRUE(dialogue.closed());
          if (!failed) EXPECT_EQ(dialogue.end(), ServerEnd::quit);
          if (!failed) EXPECT_EQ(dialogue.owner.messages.size(), 2U);
          for (const std::string& message : dialogue.owner.messages) EXPECT_EQ(message, kContent);
          net::the_fault = nullptr;
        }
        EXPECT_EQ(net::open_files(), files);
        EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
        if (testing::Test::HasFailure()) return;
      }
      EXPECT_GT(n, 5);
    }
  }
}

}  // namespace
}  // namespace todoku::smtp
