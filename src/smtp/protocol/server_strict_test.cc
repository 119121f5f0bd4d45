// SPDX-License-Identifier: Apache-2.0
// What a strict session refuses: first of all what would let one message be read as two.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "smtp/protocol/server_session.h"

namespace todoku::smtp {
namespace {

// What came of what a client said.
struct Heard {
  std::string replies;  // whole lines of the session, without the greeting
  std::vector<std::string> messages;
  std::string content;  // of a message that is not finished
  std::vector<std::string> senders;
  bool tls = false;
  bool closed = false;
};

class Relay {
 public:
  explicit Relay(ServerOptions options) : options_(std::move(options)), session_(options_) {}

  // One read.
  void hear(std::string_view input) {
    while (!heard_.closed) {
      const ServerStep step = session_.next(input);
      if (step.event == ServerEvent::need_input) break;
      follow(step);
      if (step.event == ServerEvent::tls) break;
    }
    heard_.replies += session_.output();
    session_.clear_output();
  }
  // Everything, in reads of `cut` octets; 0: in one.
  Heard hear_all(std::string_view input, std::size_t cut = 0) {
    greet();
    while (!input.empty() && !heard_.closed) {
      const std::string read(input.substr(0, cut == 0 ? input.size() : cut));
      hear(read);
      input.remove_prefix(read.size());
    }
    return heard_;
  }
  void greet() {
    hear({});
    heard_.replies.clear();
  }
  [[nodiscard]] const Heard& heard() const { return heard_; }
  [[nodiscard]] ServerSession& session() { return session_; }

 private:
  void follow(const ServerStep& step) {
    switch (step.event) {
      case ServerEvent::content:
        heard_.content += step.text;
        return;
      case ServerEvent::discard:
        heard_.content.clear();
        return;
      case ServerEvent::close:
        heard_.closed = true;
        return;
      case ServerEvent::tls:
        heard_.tls = true;
        return session_.tls_started();
      case ServerEvent::auth:
        return session_.answer(step.text.ends_with(" eA==")
                                   ? Reply{235, "2.7.0 Authentication successful"}
                                   : Reply{334, ""});
      case ServerEvent::mail:
        heard_.senders.push_back(session_.mail().sender ? session_.mail().sender->to_string()
                                                        : "<>");
        break;
      case ServerEvent::message:
        heard_.messages.push_back(std::exchange(heard_.content, {}));
        break;
      default:
        break;
    }
    session_.accept();
  }

  const ServerOptions options_;
  ServerSession session_;
  Heard heard_;
};

constexpr std::string_view kOpening =
    "EHLO client.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\n";

ServerOptions strict() {
  return {.hostname = "mx.example.jp", .strict = true};
}

// The last reply to content, said by DATA in reads of every size.
std::string answer_to_data(std::string_view content, const ServerOptions& options) {
  std::string first;
  for (const std::size_t cut : {0U, 1U, 2U, 3U, 7U}) {
    Relay relay(options);
    const Heard heard = relay.hear_all(
        std::string(kOpening) + "DATA\r\n" + std::string(content) + "\r\n.\r\nNOOP\r\n", cut);
    EXPECT_EQ(heard.senders.size(), 1U) << "nothing in the content is a command";
    EXPECT_TRUE(heard.content.empty()) << "what is refused is discarded";
    const std::size_t begin = heard.replies.find("354");
    const std::size_t answer = heard.replies.find("\r\n", begin) + 2;
    const std::string got =
        heard.replies.substr(answer, heard.replies.find("\r\n", answer) - answer);
    EXPECT_EQ(heard.messages.size(), got.starts_with("250") ? 1U : 0U);
    EXPECT_TRUE(heard.replies.ends_with("\r\n250 2.0.0 Ok\r\n")) << "to NOOP";
    if (cut == 0) first = got;
    EXPECT_EQ(got, first) << "cut " << cut;
  }
  return first;
}

std::string answer_to_chunks(const std::vector<std::string>& chunks, const ServerOptions& options,
                             std::size_t cut = 0) {
  std::string wire(kOpening);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    wire += "BDAT " + std::to_string(chunks[i].size());
    wire += i + 1 == chunks.size() ? " LAST\r\n" : "\r\n";
    wire += chunks[i];
  }
  Relay relay(options);
  const Heard heard = relay.hear_all(wire, cut);
  EXPECT_TRUE(heard.content.empty());
  EXPECT_EQ(heard.senders.size(), 1U);
  return heard.replies.substr(heard.replies.find("2.1.5 Recipient accepted\r\n") + 26);
}

constexpr std::string_view kBareLf = "550 5.6.0 The message has a bare LF: lines end with CR LF";
constexpr std::string_view kBareCr = "550 5.6.0 The message has a bare CR: lines end with CR LF";
constexpr std::string_view kNul = "550 5.6.0 The message has a NUL octet";
constexpr std::string_view kLongLine = "550 5.6.0 The message has a line of over 8 octets";

TEST(StrictSession, RefusesEveryKnownWayToSmuggle) {
  const std::string evil = "MAIL FROM:<evil@example.com>\r\nRCPT TO:<c@example.jp>\r\nDATA\r\nx";
  for (const std::string_view end : {"\n.\n", "\n.\r\n", "\r\n.\n", "\n\r\n.\n"}) {
    EXPECT_EQ(answer_to_data("x" + std::string(end) + evil, strict()), kBareLf);
  }
  for (const std::string_view end : {"\r.\r\n", "\r.\r", "\r\n.\r", "\n.\r", "\r.\n", "\r\n.\rx"}) {
    const std::string answer = answer_to_data("x" + std::string(end) + evil, strict());
    EXPECT_TRUE(answer == kBareCr || answer == kBareLf) << answer;
  }
  EXPECT_EQ(answer_to_data("x\r\n" + std::string("\0.\r\n", 4) + evil, strict()), kNul);
}

TEST(StrictSession, RefusesBareLineEndsAndNulAnywhere) {
  EXPECT_EQ(answer_to_data("\nx", strict()), kBareLf);
  EXPECT_EQ(answer_to_data(".\nx", strict()), kBareLf) << "the dot is stuffing";
  EXPECT_EQ(answer_to_data("x\n", strict()), kBareLf);
  EXPECT_EQ(answer_to_data("x\n\r", strict()), kBareLf);
  EXPECT_EQ(answer_to_data("x\r\r", strict()), kBareCr);
  EXPECT_EQ(answer_to_data("\rx", strict()), kBareCr);
  EXPECT_EQ(answer_to_data(std::string("x\0y", 3), strict()), kNul);
  EXPECT_EQ(answer_to_data(std::string("x\r\0\n", 4), strict()), kBareCr);
}

TEST(StrictSession, TakesWhatIsInOrderAsItCame) {
  const std::string content = "Subject: x\r\n\r\n..y\r\n\r\n\x80\xFF\x01\t...";
  EXPECT_EQ(answer_to_data(content, strict()), "250 2.0.0 Ok");
  Relay relay(strict());
  const Heard heard = relay.hear_all(std::string(kOpening) + "DATA\r\n" + content + "\r\n.\r\n", 1);
  ASSERT_EQ(heard.messages.size(), 1U);
  EXPECT_EQ(heard.messages[0], "Subject: x\r\n\r\n.y\r\n\r\n\x80\xFF\x01\t...\r\n");
}

TEST(StrictSession, LooksAtChunksAsWell) {
  for (const std::size_t cut : {0U, 1U, 2U, 5U}) {
    EXPECT_EQ(answer_to_chunks({"x\r", "\ny\r\n"}, strict(), cut),
              "250 2.0.0 2 octets\r\n250 2.0.0 Ok\r\n")
        << "a line end may lie in two chunks";
    EXPECT_EQ(answer_to_chunks({"x\n.\n", "y\r\n"}, strict(), cut),
              std::string(kBareLf) + "\r\n503 5.5.1 Send MAIL first\r\n")
        << "which ends it";
    EXPECT_EQ(answer_to_chunks({"x\r", "y\r\n"}, strict(), cut),
              "250 2.0.0 2 octets\r\n" + std::string(kBareCr) + "\r\n");
    EXPECT_EQ(answer_to_chunks({"x\r\ny\r"}, strict(), cut), std::string(kBareCr) + "\r\n");
    EXPECT_EQ(answer_to_chunks({"x\r", ""}, strict(), cut),
              "250 2.0.0 2 octets\r\n" + std::string(kBareCr) + "\r\n");
    EXPECT_EQ(answer_to_chunks({std::string("\0", 1)}, strict(), cut), std::string(kNul) + "\r\n");
  }
}

TEST(StrictSession, AChunkWithoutEndEndsTheSession) {
  ServerOptions options = strict();
  options.size_max = 100;
  const std::string endless = "BDAT 18446744073709551615\r\nMAIL FROM:<evil@example.com>\r\n";
  Relay stranger(options);
  const Heard outside = stranger.hear_all("EHLO x\r\n" + endless);
  EXPECT_TRUE(outside.closed);
  EXPECT_TRUE(outside.replies.ends_with("HELP\r\n503 5.5.1 Send MAIL first\r\n"));
  Relay sender(options);
  const Heard within = sender.hear_all(std::string(kOpening) + endless);
  EXPECT_TRUE(within.closed);
  EXPECT_TRUE(within.replies.ends_with("\r\n552 5.3.4 Message too large\r\n"));
  EXPECT_EQ(within.senders.size(), 1U);
}

TEST(StrictSession, DataWithoutEndEndsTheSession) {
  ServerOptions options = strict();
  options.size_max = 3 << 20;
  const std::string opening = std::string(kOpening) + "DATA\r\n";
  const auto data = [](std::size_t octets) {
    std::string lines;
    while (lines.size() < octets) lines += std::string(998, 'x') + "\r\n";
    return lines;
  };
  Relay patient(options);
  const Heard said_all = patient.hear_all(opening + data(5 << 20) + ".\r\nNOOP\r\n");
  EXPECT_FALSE(said_all.closed);
  EXPECT_TRUE(said_all.replies.ends_with("552 5.3.4 Message too large\r\n250 2.0.0 Ok\r\n"));
  for (const std::string& first : {std::string(), std::string("bare\n\r\n")}) {
    Relay relay(options);
    const Heard heard = relay.hear_all(opening + first + data((6 << 20) + 2000) + ".\r\nNOOP\r\n");
    EXPECT_TRUE(heard.closed);
    const std::string why = first.empty() ? "552 5.3.4 Message too large" : std::string(kBareLf);
    EXPECT_TRUE(heard.replies.ends_with("\r\n" + why + "\r\n")) << heard.replies;
  }
}

// RFC 3030 section 4.2: it follows in the pipeline, and its octets are no commands.
TEST(StrictSession, AChunkAfterRefusedRecipientsIsTakenAndRefused) {
  Relay relay(strict());
  const Heard heard = relay.hear_all(
      "EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<>\r\nBDAT 6 LAST\r\nNOOP\r\n"
      "NOOP\r\n");
  EXPECT_FALSE(heard.closed);
  EXPECT_TRUE(heard.replies.ends_with("554 5.5.1 No valid recipients\r\n250 2.0.0 Ok\r\n"))
      << heard.replies;
}

TEST(StrictSession, WhatFollowsARefusedMessageIsJudgedAnew) {
  Relay relay(strict());
  const std::string mail = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\nDATA\r\n";
  const Heard heard =
      relay.hear_all("EHLO x\r\n" + mail + "bad\n\r\n.\r\n" + mail + "good\r\n.\r\n");
  ASSERT_EQ(heard.messages.size(), 1U);
  EXPECT_EQ(heard.messages[0], "good\r\n");
}

TEST(StrictSession, LongLinesAreTakenUpToTheLimit) {
  ServerOptions options = strict();
  options.text_line_octets_max = 8;
  EXPECT_EQ(answer_to_data("12345678\r\n12345678", options), "250 2.0.0 Ok");
  EXPECT_EQ(answer_to_data("1234567\r\n123456789", options), kLongLine);
  EXPECT_EQ(answer_to_data("..2345678", options), "250 2.0.0 Ok") << "stuffing does not count";
  EXPECT_EQ(answer_to_chunks({"1234", "5678\r", "\n"}, options),
            "250 2.0.0 4 octets\r\n250 2.0.0 5 octets\r\n250 2.0.0 Ok\r\n");
  EXPECT_EQ(answer_to_chunks({"12345678", "9\r\n"}, options),
            "250 2.0.0 8 octets\r\n" + std::string(kLongLine) + "\r\n");
  options.strict = false;
  EXPECT_EQ(answer_to_data("12345678\r9", options), kLongLine);
  EXPECT_EQ(answer_to_data("1234\n12345678\n12\r4", options), "250 2.0.0 Ok");
}

TEST(StrictSession, TheFirstFaultIsTold) {
  ServerOptions options = strict();
  options.size_max = 12;
  EXPECT_EQ(answer_to_data("12345678901\n", options), kBareLf);
  EXPECT_EQ(answer_to_data("123456789012\n", options), "552 5.3.4 Message too large");
  options = strict();
  options.text_line_octets_max = 4;
  EXPECT_EQ(answer_to_data("12345\n", options),
            "550 5.6.0 The message has a line of over 4 octets");
  EXPECT_EQ(answer_to_data(std::string("123\0"
                                       "567\n",
                                       8),
                           options),
            kNul);
  EXPECT_EQ(answer_to_data("123\r5\n", options), kBareCr);
}

TEST(StrictSession, NothingAfterABareLfIsACommand) {
  for (const std::size_t cut : {0U, 1U, 3U}) {
    Relay relay(strict());
    const Heard heard =
        relay.hear_all("EHLO x\r\nNOOP <a\nMAIL FROM:<evil@example.com>\r\nNOOP\r\n", cut);
    EXPECT_TRUE(heard.senders.empty());
    EXPECT_TRUE(heard.closed);
    EXPECT_TRUE(heard.replies.ends_with("HELP\r\n554 5.5.2 Lines end with CR LF\r\n"));
    Relay long_line(strict());
    const Heard of_long = long_line.hear_all(
        "EHLO x\r\n" + std::string(5000, 'x') + "\nMAIL FROM:<evil@example.com>\r\n", cut);
    EXPECT_TRUE(of_long.senders.empty());
    EXPECT_TRUE(of_long.closed);
  }
}

TEST(StrictSession, ABareCrOrNulIsNoPartOfACommand) {
  Relay relay(strict());
  const Heard heard =
      relay.hear_all("EHLO x\r\nMAIL FROM:<a@example.com>\rRCPT TO:<b@example.jp>\r\n" +
                     std::string("MAIL FROM:<a\0@example.com>\r\n", 28));
  EXPECT_TRUE(heard.senders.empty());
  EXPECT_TRUE(
      heard.replies.ends_with("HELP\r\n500 5.5.2 Control character in command\r\n"
                              "500 5.5.2 Control character in command\r\n"));
}

TEST(StrictSession, NothingIsCarriedOverIntoTls) {
  ServerOptions options = strict();
  options.starttls = true;
  for (const std::string_view behind : {"MAIL FROM:<evil@example.com>\r\n", "EHLO y\r\n", "x"}) {
    Relay relay(options);
    relay.greet();
    relay.hear("EHLO x\r\nSTARTTLS\r\n" + std::string(behind));
    EXPECT_FALSE(relay.heard().tls);
    EXPECT_TRUE(relay.heard().closed);
    EXPECT_TRUE(
        relay.heard().replies.ends_with("\r\n554 5.5.0 Nothing may follow STARTTLS before TLS\r\n"))
        << relay.heard().replies;
  }
  Relay relay(options);
  relay.greet();
  relay.hear("EHLO x\r\nMAIL FROM:<clear@example.com>\r\nSTARTTLS\r\n");
  EXPECT_TRUE(relay.heard().tls);
  relay.hear("RCPT TO:<b@example.jp>\r\nMAIL FROM:<a@example.com>\r\n");
  EXPECT_TRUE(relay.heard().replies.ends_with(
      "503 5.5.1 Send MAIL first\r\n503 5.5.1 Send EHLO first\r\n"));
}

TEST(StrictSession, WhoSpeaksBeforeTheGreetingIsNotGreeted) {
  Relay relay(strict());
  relay.hear("EHLO x\r\nMAIL FROM:<a@example.com>\r\n");
  EXPECT_TRUE(relay.heard().closed);
  EXPECT_EQ(relay.heard().replies, "554 5.5.0 The greeting comes first\r\n");

  const ServerOptions lax;
  Relay patient(lax);
  patient.hear("EHLO x\r\n");
  EXPECT_TRUE(patient.heard().replies.contains("\r\n250 HELP\r\n"));
  EXPECT_FALSE(patient.session().spoke_early());
}

TEST(StrictSession, TheOwnerMayLearnOfEarlyTalkWhileItDecides) {
  const ServerOptions options = strict();
  ServerSession session(options);
  std::string_view input;
  EXPECT_EQ(session.next(input).event, ServerEvent::connect);
  EXPECT_TRUE(session.spoke_early());
  EXPECT_EQ(session.next(input).event, ServerEvent::close);
  EXPECT_EQ(session.output(), "554 5.5.0 The greeting comes first\r\n");
}

ServerOptions submission() {
  ServerOptions options = strict();
  options.starttls = true;
  options.auth_mechanisms = "PLAIN";
  options.auth_required = true;
  options.tls_required = true;
  return options;
}

TEST(Submission, FailedAuthIsAMistake) {
  ServerOptions options = submission();
  options.errors_max = 2;
  ServerSession session(options);
  session.begin_in_tls();
  std::string_view input;
  ASSERT_EQ(session.next(input).event, ServerEvent::connect);
  session.accept();
  input = "EHLO x\r\nAUTH PLAIN a\r\nAUTH PLAIN b\r\nAUTH PLAIN c\r\n";
  int asked = 0;
  for (ServerStep step = session.next(input); step.event != ServerEvent::close;
       step = session.next(input)) {
    ASSERT_NE(step.event, ServerEvent::need_input) << session.output();
    if (step.event != ServerEvent::auth) {
      session.accept();
      continue;
    }
    session.answer({++asked == 2 ? 454 : 535, "5.7.8 No"});
  }
  EXPECT_EQ(asked, 3);
  EXPECT_TRUE(session.output().ends_with(
      "\r\n535 5.7.8 No\r\n454 5.7.8 No\r\n421 4.7.0 Too many errors\r\n"));
}

TEST(Submission, ClientsThatBeginWithTlsAreTold) {
  const ServerOptions options = submission();
  Relay relay(options);
  const Heard heard = relay.hear_all(std::string_view("\x16\x03\x01\x00\x05\n\x00", 7));
  EXPECT_EQ(heard.replies,
            "554 5.7.0 This is TLS from the first octet, and here STARTTLS begins it\r\n");
  EXPECT_TRUE(heard.closed);
}

TEST(Submission, NothingIsTakenBeforeTlsAndAuthentication) {
  const ServerOptions options = submission();
  Relay relay(options);
  relay.greet();
  relay.hear("EHLO x\r\nAUTH PLAIN eA==\r\nMAIL FROM:<a@example.com>\r\nSTARTTLS\r\n");
  EXPECT_FALSE(relay.heard().replies.contains("AUTH PLAIN"));
  constexpr std::string_view tls_first = "530 5.7.0 Must issue a STARTTLS command first\r\n";
  EXPECT_TRUE(relay.heard().replies.ends_with(std::string(tls_first) + std::string(tls_first) +
                                              "220 2.0.0 Ready to start TLS\r\n"));
  relay.hear("EHLO x\r\nMAIL FROM:<a@example.com>\r\n");
  EXPECT_TRUE(relay.heard().replies.contains("250-AUTH PLAIN\r\n"));
  EXPECT_TRUE(relay.heard().replies.ends_with("530 5.7.0 Authentication required\r\n"));
  EXPECT_TRUE(relay.heard().senders.empty());
  relay.hear("AUTH PLAIN eA==\r\nMAIL FROM:<a@example.com>\r\n");
  EXPECT_EQ(relay.heard().senders.size(), 1U);
  const std::size_t before = relay.heard().replies.size();
  relay.hear("EHLO x\r\n");
  EXPECT_FALSE(relay.heard().replies.substr(before).contains("AUTH")) << "it is done";
}

TEST(Submission, AuthInClearIsTakenOnlyWhereItIsAllowed) {
  ServerOptions options = submission();
  options.tls_required = false;
  options.auth_in_clear = false;
  Relay relay(options);
  const Heard heard = relay.hear_all("EHLO x\r\nAUTH PLAIN eA==\r\n");
  EXPECT_FALSE(heard.replies.contains("AUTH PLAIN"));
  EXPECT_TRUE(heard.replies.ends_with("538 5.7.11 Encryption is required\r\n"));
  options.auth_in_clear = true;
  Relay allowed(options);
  EXPECT_TRUE(allowed.hear_all("EHLO x\r\nAUTH PLAIN eA==\r\n")
                  .replies.ends_with("235 2.7.0 Authentication successful\r\n"));
}

TEST(Submission, TlsMayBeThereFromTheBeginning) {
  const ServerOptions options = submission();
  Relay relay(options);
  relay.session().begin_in_tls();
  const Heard heard =
      relay.hear_all("EHLO x\r\nSTARTTLS\r\nAUTH PLAIN eA==\r\nMAIL FROM:<a@example.com>\r\n");
  EXPECT_FALSE(heard.replies.contains("250-STARTTLS"));
  EXPECT_TRUE(heard.replies.contains("503 5.5.1 TLS is already active\r\n235"));
  EXPECT_EQ(heard.senders.size(), 1U);
}

TEST(Submission, ALineThatIsNoneLeavesTheExchange) {
  ServerOptions options = submission();
  options.tls_required = false;
  for (const std::size_t cut : {0U, 1000U}) {
    Relay relay(options);
    const Heard heard =
        relay.hear_all("EHLO x\r\nAUTH PLAIN\r\n" + std::string(20'000, 'x') + "\r\nNOOP\r\n", cut);
    EXPECT_TRUE(heard.replies.ends_with(
        "334 \r\n500 5.5.6 Authentication line too long\r\n250 2.0.0 Ok\r\n"))
        << heard.replies;
  }
  options.strict = false;
  Relay lax(options);
  EXPECT_TRUE(lax.hear_all("EHLO x\r\nAUTH PLAIN\r\neA==\nNOOP\r\n")
                  .replies.ends_with("500 5.5.2 Lines end with CR LF\r\n250 2.0.0 Ok\r\n"));
}

TEST(Submission, WhatASenderWantsToBeToldIsReadWithTheEnvelope) {
  ServerOptions options = strict();
  options.dsn = true;
  Relay relay(options);
  relay.greet();
  relay.hear("EHLO x\r\nMAIL FROM:<a@example.com> RET=hdrs ENVID=QQ+2B314\r\n");
  EXPECT_TRUE(relay.heard().replies.contains("250-DSN\r\n"));
  EXPECT_EQ(relay.session().mail().ret, DsnReturn::hdrs);
  EXPECT_EQ(relay.session().mail().envid, "QQ+314");
  relay.hear("RCPT TO:<b@example.jp> NOTIFY=SUCCESS,delay ORCPT=rfc822;c+40example.jp\r\n");
  EXPECT_EQ(relay.session().recipient_options().notify.to_string(), "SUCCESS,DELAY");
  EXPECT_EQ(relay.session().recipient_options().original->address, "c@example.jp");
  relay.hear("RCPT TO:<d@example.jp>\r\n");
  EXPECT_FALSE(relay.session().recipient_options().notify.is_specified());
  EXPECT_FALSE(relay.session().recipient_options().original);
  EXPECT_TRUE(relay.heard().replies.ends_with("Recipient accepted\r\n"));
  relay.hear("RSET\r\nHELO x\r\nMAIL FROM:<a@example.com> RET=HDRS\r\n");
  EXPECT_TRUE(relay.heard().replies.ends_with("555 5.5.4 Unknown parameter RET\r\n"));
}

}  // namespace
}  // namespace todoku::smtp
