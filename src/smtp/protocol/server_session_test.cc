// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_session.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace todoku::smtp {
namespace {

// What a session did with its input: the replies, and what the owner was told or asked.
struct Transcript {
  std::string output;
  std::string owner;  // one line per event; content that was not discarded, joined, in brackets
  int discards = 0;
  bool closed = false;
};

// nullopt: accept() in the session's words.
using Policy = std::function<std::optional<Reply>(const ServerSession&, const ServerStep&)>;

std::optional<Reply> accept_all(const ServerSession&, const ServerStep&) {
  return std::nullopt;
}

class Owner {
 public:
  Owner(ServerSession& session, Policy policy) : session_(session), policy_(std::move(policy)) {}

  // Gives one read. False: the session ended.
  bool receive(std::string_view input) {
    for (;;) {
      const ServerStep step = session_.next(input);
      switch (step.event) {
        case ServerEvent::need_input:
          EXPECT_TRUE(input.empty());
          flush_output();
          return true;
        case ServerEvent::close:
          flush_output();
          transcript_.closed = true;
          return false;
        case ServerEvent::tls:
          flush_output();
          note("tls");
          session_.tls_started();
          return true;
        case ServerEvent::content:
          content_ += step.text;
          break;
        case ServerEvent::discard:
          content_.clear();
          ++transcript_.discards;
          break;
        default:
          flush_content();
          decide(step);
      }
    }
  }

  [[nodiscard]] Transcript take() {
    flush_content();
    return std::move(transcript_);
  }

 private:
  void decide(const ServerStep& step) {
    switch (step.event) {
      case ServerEvent::hello:
        note("hello " + std::string(step.text));
        break;
      case ServerEvent::auth:
      case ServerEvent::auth_response:
        note("auth " + std::string(step.text));
        break;
      case ServerEvent::mail:
        note("mail " + (session_.mail().sender ? session_.mail().sender->to_string() : "<>"));
        break;
      case ServerEvent::recipient:
        note("rcpt " + session_.recipient().to_string());
        break;
      case ServerEvent::message:
        note("message " + std::to_string(session_.content_octets()));
        break;
      default:
        break;
    }
    if (const auto reply = policy_(session_, step)) {
      session_.answer(*reply);
    } else {
      session_.accept();
    }
  }
  void note(const std::string& line) { transcript_.owner += line + "\n"; }
  void flush_content() {
    if (!content_.empty()) note("[" + content_ + "]");
    content_.clear();
  }
  void flush_output() {
    transcript_.output += session_.output();
    session_.clear_output();
  }

  ServerSession& session_;
  Policy policy_;
  Transcript transcript_;
  std::string content_;
};

Transcript run(const ServerOptions& options, std::string_view input, const Policy& policy,
               Random* cuts = nullptr) {
  ServerSession session(options);
  Owner owner(session, policy);
  bool open = owner.receive({});
  while (open && !input.empty()) {
    const std::size_t size = cuts == nullptr ? input.size() : 1 + cuts->below(input.size());
    // A copy of its own, so that a view kept beyond its read is seen by the sanitizer.
    const std::string read(input.substr(0, size));
    open = owner.receive(read);
    input.remove_prefix(size);
  }
  return owner.take();
}

// The replies without the greeting and without texts: "250 250 354 250".
std::string codes(const Transcript& transcript) {
  std::string out;
  std::string_view rest = transcript.output;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    if (rest[3] == ' ' && !first)
      out += std::string(out.empty() ? "" : " ") + std::string(rest.substr(0, 3));
    first = false;
    rest.remove_prefix(end + 2);
  }
  return out;
}

std::string codes(std::string_view input, const Policy& policy = accept_all,
                  const ServerOptions& options = {}) {
  return codes(run(options, input, policy));
}

Policy refuse(ServerEvent event, Reply reply) {
  return [=](const ServerSession&, const ServerStep& step) -> std::optional<Reply> {
    if (step.event == event) return reply;
    return std::nullopt;
  };
}

constexpr std::string_view kHello = "EHLO client.example.com\r\n";
constexpr std::string_view kEnvelope = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\n";

std::string after_hello(std::string_view rest) {
  return std::string(kHello) + std::string(rest);
}
std::string in_transaction(std::string_view rest) {
  return after_hello(std::string(kEnvelope) + std::string(rest));
}

TEST(ServerSession, DeliversOneMail) {
  const Transcript done =
      run({.hostname = "mx.example.jp"},
          in_transaction("DATA\r\nSubject: x\r\n\r\n..y\r\n.\r\nQUIT\r\n"), accept_all);
  EXPECT_EQ(done.output,
            "220 mx.example.jp ESMTP\r\n"
            "250-mx.example.jp\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-ENHANCEDSTATUSCODES\r\n"
            "250-8BITMIME\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250 HELP\r\n"
            "250 2.1.0 Sender accepted\r\n250 2.1.5 Recipient accepted\r\n"
            "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
  EXPECT_EQ(done.owner,
            "hello client.example.com\nmail a@example.com\nrcpt b@example.jp\n"
            "[Subject: x\r\n\r\n.y\r\n]\nmessage 18\n");
  EXPECT_TRUE(done.closed);
}

TEST(ServerSession, AnnouncesOnlyWhatIsOn) {
  ServerOptions options{.hostname = "mx",
                        .pipelining = false,
                        .chunking = false,
                        .eight_bit_mime = false,
                        .smtputf8 = false,
                        .enhanced_status_codes = false,
                        .starttls = true,
                        .size = false,
                        .auth_mechanisms = "PLAIN LOGIN"};
  EXPECT_EQ(run(options, after_hello("MAIL FROM:<>\r\n"), accept_all).output,
            "220 mx ESMTP\r\n250-mx\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n"
            "250 Sender accepted\r\n");
  options.ehlo = false;
  EXPECT_EQ(codes("EHLO x\r\nHELO x\r\n", accept_all, options), "502 250");
}

TEST(ServerSession, AnswersAPipelineInOneBatch) {
  const ServerOptions options;
  ServerSession pipelined(options);
  std::string_view input;
  EXPECT_EQ(pipelined.next(input).event, ServerEvent::connect);
  pipelined.accept();
  EXPECT_EQ(pipelined.next(input).event, ServerEvent::need_input);
  pipelined.clear_output();
  const std::string whole = in_transaction("DATA\r\n");
  input = whole;
  for (ServerStep step = pipelined.next(input); step.event != ServerEvent::need_input;
       step = pipelined.next(input)) {
    pipelined.accept();
  }
  EXPECT_TRUE(pipelined.output().ends_with("354 End data with <CR><LF>.<CR><LF>\r\n"));
}

TEST(ServerSession, CommandsOutOfSequenceMeet503) {
  EXPECT_EQ(codes("MAIL FROM:<>\r\n"), "503");
  EXPECT_EQ(codes(after_hello("RCPT TO:<b@example.jp>\r\nDATA\r\n")), "250 503 503");
  EXPECT_EQ(codes(after_hello("MAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\n")), "250 250 503 503");
  EXPECT_EQ(codes(in_transaction("RSET\r\nRCPT TO:<b@example.jp>\r\n")), "250 250 250 250 503");
  EXPECT_EQ(codes(in_transaction("EHLO again\r\nDATA\r\n")), "250 250 250 250 503");
}

TEST(ServerSession, TellsBadSyntaxFromUnknownCommands) {
  EXPECT_EQ(codes("EHLO\r\nEHLO a b\r\nFOO\r\n\r\nRSET x\r\nDATA x\r\nEXPN x\r\nVRFY\r\nVRFY x\r\n"
                  "NOOP x\r\nHELP\r\n"),
            "501 501 500 500 501 501 502 501 252 250 214");
  EXPECT_EQ(codes(after_hello("MAIL FROM:<a@example.com> FOO=1\r\n")), "250 555");
  EXPECT_EQ(codes("HELO x\r\nMAIL FROM:<a@example.com> SIZE=1\r\n"), "250 555");
  EXPECT_EQ(codes(std::string("NO\0OP\r\nNO\rOP\r\n", 14)), "500 500");
}

TEST(ServerSession, ALineEndedByBareLfIsNeverACommand) {
  const Transcript done = run({}, "EHLO x\nMAIL FROM:<>\nNOOP\r\n", accept_all);
  EXPECT_EQ(codes(done), "500 500 250");
  EXPECT_EQ(done.owner, "");
}

TEST(ServerSession, OverlongLinesAreRefusedOnceAndForgotten) {
  const std::string just_fits = "NOOP " + std::string(2048 - 7, 'x') + "\r\n";
  EXPECT_EQ(codes(just_fits + "NOOP " + std::string(2048 - 6, 'x') + "\r\nNOOP\r\n"),
            "250 500 250");
  EXPECT_EQ(codes(std::string(100'000, 'x') + "\r\nNOOP\r\n"), "500 250");
}

TEST(ServerSession, SmuggledCommandsStayContent) {
  for (const std::string_view end :
       {"\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r"}) {
    const std::string inner = "x" + std::string(end) + "MAIL FROM:<evil@example.com>\r\n";
    const Transcript done = run({}, in_transaction("DATA\r\n" + inner + ".\r\n"), accept_all);
    EXPECT_EQ(codes(done), "250 250 250 354 250");
    EXPECT_FALSE(done.owner.contains("mail evil@example.com\n")) << done.owner;
  }
}

TEST(ServerSession, TheOwnersWordsAreTheAnswer) {
  EXPECT_TRUE(run({}, in_transaction(""), refuse(ServerEvent::recipient, {550, "5.1.1 No\nSuch"}))
                  .output.ends_with("250 2.1.0 Sender accepted\r\n550-5.1.1 No\r\n550 Such\r\n"));
  EXPECT_TRUE(run({}, in_transaction(""), refuse(ServerEvent::recipient, {550, "a\rb\tc"}))
                  .output.ends_with("550 a?b?c\r\n"));
  EXPECT_TRUE(run({}, kHello, refuse(ServerEvent::hello, {250, "mx greets you"}))
                  .output.contains("250-mx greets you\r\n250-PIPELINING"));
}

TEST(ServerSession, ARefusedStepChangesNothing) {
  EXPECT_EQ(codes(in_transaction("DATA\r\nRSET\r\n"), refuse(ServerEvent::mail, {450, "4.7.1 x"})),
            "250 450 503 503 250");
  EXPECT_EQ(codes(in_transaction("DATA\r\n"), refuse(ServerEvent::recipient, {550, "5.1.1 x"})),
            "250 250 550 554");
  EXPECT_EQ(codes(in_transaction("DATA\r\nNOOP\r\n"), refuse(ServerEvent::data, {451, "4.3.0 x"})),
            "250 250 250 451 250");
  EXPECT_EQ(codes(after_hello("MAIL FROM:<>\r\n"), refuse(ServerEvent::hello, {550, "5.7.1 x"})),
            "550 503");
}

TEST(ServerSession, AfterTheMessageANewOneMayBegin) {
  const std::string two =
      in_transaction("DATA\r\nx\r\n.\r\n") + std::string(kEnvelope) + "DATA\r\n.\r\n";
  EXPECT_EQ(codes(two), "250 250 250 354 250 250 250 354 250");
  EXPECT_EQ(codes(two, refuse(ServerEvent::message, {554, "5.7.1 x"})),
            "250 250 250 354 554 250 250 354 554");
}

TEST(ServerSession, ARefusedConnectionMayOnlyQuit) {
  const Transcript done =
      run({}, after_hello("NOOP\r\nQUIT\r\n"), refuse(ServerEvent::connect, {554, "5.7.1 No"}));
  EXPECT_EQ(done.output,
            "554 5.7.1 No\r\n503 5.5.1 Service refused\r\n503 5.5.1 Service refused\r\n"
            "221 2.0.0 Bye\r\n");
  EXPECT_TRUE(done.closed);
}

TEST(ServerSession, TheCode421EndsTheSessionAnywhere) {
  for (const ServerEvent event :
       {ServerEvent::connect, ServerEvent::hello, ServerEvent::mail, ServerEvent::recipient,
        ServerEvent::data, ServerEvent::message, ServerEvent::reset}) {
    const Transcript done = run({}, in_transaction("DATA\r\nx\r\n.\r\nRSET\r\nNOOP\r\n"),
                                refuse(event, {421, "4.3.2 Going down"}));
    EXPECT_TRUE(done.closed);
    EXPECT_TRUE(done.output.ends_with("421 4.3.2 Going down\r\n")) << done.output;
  }
}

TEST(ServerSession, TooManyMistakesEndTheSession) {
  const Transcript done = run({.errors_max = 2}, "A\r\nB\r\nC\r\nNOOP\r\n", accept_all);
  EXPECT_EQ(codes(done), "500 500 421");
  EXPECT_TRUE(done.closed);
}

TEST(ServerSession, ABrowserIsShownTheDoor) {
  const Transcript done = run({}, "POST / HTTP/1.1\r\nHost: x\r\nEHLO x\r\n", accept_all);
  EXPECT_EQ(codes(done), "421");
  EXPECT_TRUE(done.closed);
}

TEST(ServerSession, TooManyRecipientsAreDeferredOneByOne) {
  EXPECT_EQ(codes(in_transaction("RCPT TO:<c@example.jp>\r\nRCPT TO:<d@example.jp>\r\nDATA\r\n"),
                  accept_all, {.recipients_max = 2}),
            "250 250 250 250 452 354");
}

TEST(ServerSession, SizeIsCheckedWhenAnnouncedAndWhenItComes) {
  const ServerOptions options{.size_max = 10};
  EXPECT_EQ(
      codes(after_hello("MAIL FROM:<> SIZE=11\r\nMAIL FROM:<> SIZE=10\r\n"), accept_all, options),
      "250 552 250");
  const Transcript fits = run(options, in_transaction("DATA\r\n12345678\r\n.\r\n"), accept_all);
  EXPECT_EQ(codes(fits), "250 250 250 354 250");
  SeededRandom cuts(7);
  const Transcript too_large =
      run(options, in_transaction("DATA\r\n123\r\n..456789\r\n.\r\nNOOP\r\n"), accept_all, &cuts);
  EXPECT_EQ(codes(too_large), "250 250 250 354 552 250");
  EXPECT_FALSE(too_large.owner.contains("message"));
}

TEST(ServerSession, TheOwnerHearsThatATooLargeMessageIsVoid) {
  const ServerOptions options{.size_max = 10};
  ServerSession session(options);
  Owner owner(session, accept_all);
  owner.receive({});
  owner.receive(in_transaction("DATA\r\n"));
  owner.receive("123456");
  owner.receive("789012");
  owner.receive("345678\r\n.\r\n");
  const Transcript done = owner.take();
  EXPECT_EQ(done.discards, 1);
  EXPECT_FALSE(done.owner.contains("1")) << done.owner;
  EXPECT_TRUE(done.output.ends_with("552 5.3.4 Message too large\r\n"));
}

TEST(ServerSession, TheOwnerHearsOfEveryTransactionThatIsOver) {
  EXPECT_EQ(run({.strict = true}, in_transaction("DATA\r\n\n.\r\n.\r\n"), accept_all).discards, 1);
  const ServerOptions small{.size_max = 3};
  for (const char* refused : {"DATA\r\nabcdefgh\r\n.\r\n", "BDAT 4 LAST\r\nabcd",
                              "BDAT 2\r\nabBDAT 2 LAST\r\ncd", "BDAT 0\r\nBDAT 4\r\nabcd"}) {
    EXPECT_EQ(run(small, in_transaction(refused), accept_all).discards, 1) << refused;
  }
  const auto busy = refuse(ServerEvent::chunk, {452, "4.3.1 x"});
  EXPECT_EQ(run({}, in_transaction("BDAT 2\r\nab"), busy).discards, 1);
  EXPECT_EQ(run({}, after_hello("BDAT 2\r\nab"), accept_all).discards, 0) << "none had begun";
}

TEST(ServerSession, BdatTakesItsOctetsAsTheyAre) {
  const Transcript done = run(
      {}, in_transaction("BDAT 10\r\n.\r\nBDAT\r\n.BDAT 5 LAST\r\n..\r\n.QUIT\r\n"), accept_all);
  EXPECT_EQ(codes(done), "250 250 250 250 250 221");
  EXPECT_TRUE(done.output.contains("250 2.0.0 10 octets\r\n250 2.0.0 Ok\r\n"));
  EXPECT_TRUE(done.owner.ends_with("[.\r\nBDAT\r\n.]\n[..\r\n.]\nmessage 15\n")) << done.owner;
}

TEST(ServerSession, AnEmptyLastChunkEndsTheMessage) {
  EXPECT_EQ(codes(in_transaction("BDAT 3\r\nabcBDAT 0 LAST\r\nNOOP\r\n")),
            "250 250 250 250 250 250");
  EXPECT_EQ(codes(in_transaction("BDAT 0 LAST\r\nNOOP\r\n")), "250 250 250 250 250");
}

TEST(ServerSession, ARefusedChunkIsSkippedNotExecuted) {
  EXPECT_EQ(codes(after_hello("BDAT 6 LAST\r\nRSET\r\nNOOP\r\n")), "250 503 250");
  EXPECT_EQ(codes(after_hello("MAIL FROM:<>\r\nRCPT TO:<b@example.jp>\r\nBDAT 6 LAST\r\nRSET\r\n"
                              "MAIL FROM:<>\r\n"),
                  refuse(ServerEvent::recipient, {550, "5.1.1 x"})),
            "250 250 550 554 250");
  EXPECT_EQ(codes(in_transaction("BDAT 6\r\nRSET\r\nBDAT 6 LAST\r\nRSET\r\nNOOP\r\n"),
                  refuse(ServerEvent::chunk, {452, "4.3.1 x"})),
            "250 250 250 452 503 250");
  EXPECT_EQ(
      codes(in_transaction("BDAT 6 LAST\r\nRSET\r\nNOOP\r\n"), accept_all, {.chunking = false}),
      "250 250 250 502 250");
  EXPECT_EQ(
      codes(in_transaction("BDAT 0\r\nNOOP\r\n"), refuse(ServerEvent::chunk, {452, "4.3.1 x"})),
      "250 250 250 452 250");
}

TEST(ServerSession, ATooLargeChunkVoidsTheMessage) {
  const Transcript done =
      run({.size_max = 5}, in_transaction("BDAT 4\r\nabcdBDAT 4 LAST\r\nefghNOOP\r\n"), accept_all);
  EXPECT_EQ(codes(done), "250 250 250 250 552 250");
  EXPECT_EQ(done.discards, 1);
  EXPECT_FALSE(done.owner.contains("abcd")) << done.owner;
}

TEST(ServerSession, AMalformedBdatEndsTheSession) {
  const Transcript done = run({}, in_transaction("BDAT many LAST\r\nNOOP\r\n"), accept_all);
  EXPECT_EQ(codes(done), "250 250 250 501");
  EXPECT_TRUE(done.closed);
}

TEST(ServerSession, DataAndBdatDoNotMix) {
  EXPECT_EQ(
      codes(in_transaction("BDAT 1\r\nxDATA\r\nRCPT TO:<c@example.jp>\r\nMAIL FROM:<>\r\nRSET\r\n"
                           "MAIL FROM:<>\r\n")),
      "250 250 250 250 503 503 503 250 250");
}

TEST(ServerSession, StartTlsForgetsWhatWasSaidInClearText) {
  const ServerOptions options{.starttls = true};
  ServerSession session(options);
  Owner owner(session, accept_all);
  owner.receive({});
  // The MAIL behind STARTTLS was injected by somebody in between (CVE-2011-0411).
  EXPECT_TRUE(owner.receive("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@example.com>\r\n"));
  EXPECT_TRUE(session.is_tls());
  owner.receive("MAIL FROM:<>\r\nEHLO x\r\nSTARTTLS\r\nMAIL FROM:<>\r\n");
  const Transcript done = owner.take();
  EXPECT_EQ(codes(done), "250 220 503 250 503 250");
  EXPECT_EQ(done.owner, "hello x\ntls\nhello x\nmail <>\n");
  EXPECT_EQ(done.output.find("STARTTLS", done.output.find("220 2.0.0")), std::string::npos);
}

TEST(ServerSession, StartTlsMayBeRefused) {
  EXPECT_EQ(codes(after_hello("STARTTLS\r\n")), "250 502");
  EXPECT_EQ(codes(after_hello("STARTTLS x\r\nSTARTTLS\r\nNOOP\r\n"),
                  refuse(ServerEvent::start_tls, {454, "4.7.0 x"}), {.starttls = true}),
            "250 501 454 250");
}

TEST(ServerSession, MayBeEndedFromOutsideAtAnyPoint) {
  const ServerOptions options{.auth_mechanisms = "LOGIN"};
  const auto challenge = refuse(ServerEvent::auth, {334, "VXNlcm5hbWU6"});
  for (const std::string& said :
       {std::string(), std::string("EHL"), std::string("AUTH LOGIN\r\n"),
        std::string("MAIL FROM:<>\r\nRCPT TO:<b@example.jp>\r\nDATA\r\nhalf"),
        std::string("MAIL FROM:<>\r\nRCPT TO:<b@example.jp>\r\nBDAT 9\r\nhalf")}) {
    ServerSession session(options);
    Owner owner(session, challenge);
    owner.receive("EHLO x\r\n" + said);
    session.end("4.3.2 Stopping");
    session.end("4.3.2 Once");
    EXPECT_FALSE(owner.receive("MAIL FROM:<>\r\n")) << said;
    const Transcript done = owner.take();
    EXPECT_TRUE(done.output.ends_with("\r\n421 4.3.2 Stopping\r\n")) << done.output;
    EXPECT_TRUE(done.closed);
  }
}

TEST(ServerSession, AStepThatWaitsIsNotAnsweredAfterTheEnd) {
  const ServerOptions options;
  ServerSession session(options);
  std::string_view input;
  EXPECT_EQ(session.next(input).event, ServerEvent::connect);
  session.end("4.3.2 Stopping");
  EXPECT_EQ(session.next(input).event, ServerEvent::close);
  EXPECT_EQ(session.output(), "421 4.3.2 Stopping\r\n");
}

TEST(ServerSession, TellsContentFromCommands) {
  const ServerOptions options;
  ServerSession session(options);
  Owner owner(session, accept_all);
  owner.receive("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.jp>\r\n");
  EXPECT_FALSE(session.is_in_content());
  owner.receive("BDAT 3\r\nab");
  EXPECT_TRUE(session.is_in_content());
  owner.receive("cDATA\r\n");
  EXPECT_FALSE(session.is_in_content());
  owner.receive("RSET\r\nBDAT 3\r\nab");
  EXPECT_TRUE(session.is_in_content()) << "of a chunk that is refused";
  owner.receive("cMAIL FROM:<>\r\nRCPT TO:<b@example.jp>\r\nDATA\r\n");
  EXPECT_TRUE(session.is_in_content());
  owner.receive(".\r\n");
  EXPECT_FALSE(session.is_in_content());
}

TEST(ServerSession, AuthenticationIsAnExchange) {
  const ServerOptions options{.auth_mechanisms = "PLAIN LOGIN"};
  const auto policy = [](const ServerSession&, const ServerStep& step) -> std::optional<Reply> {
    if (step.event == ServerEvent::auth && step.text == "LOGIN") return Reply{334, "VXNlcm5hbWU6"};
    if (step.event == ServerEvent::auth_response && step.text == "dXNlcg==") {
      return Reply{334, "UGFzc3dvcmQ6"};
    }
    if (step.event == ServerEvent::auth_response && step.text == "d3Jvbmc=") {
      return Reply{535, "5.7.8 No"};
    }
    return std::nullopt;
  };
  EXPECT_EQ(
      codes(after_hello("AUTH CRAM-MD5\r\nAUTH LOGIN\r\n*\r\nAUTH LOGIN\r\ndXNlcg==\r\nd3Jvbmc=\r\n"
                        "AUTH LOGIN\r\ndXNlcg==\r\ncmlnaHQ=\r\nAUTH PLAIN x\r\n"),
            policy, options),
      "250 504 334 501 334 334 535 334 334 235 503");
  EXPECT_EQ(codes(after_hello("AUTH PLAIN x\r\n"), policy, {}), "250 502");
}

// Everything that the state machine can meet, so that random scripts reach all of it.
constexpr std::string_view kPieces[] = {"EHLO x\r\n",
                                        "HELO x\r\n",
                                        "MAIL FROM:<a@example.com>\r\n",
                                        "MAIL FROM:<> SIZE=5\r\n",
                                        "RCPT TO:<b@example.jp>\r\n",
                                        "RCPT TO:<no@example.jp>\r\n",
                                        "RCPT TO:<c>\r\n",
                                        "DATA\r\n",
                                        "one\r\n",
                                        "..two\r\n",
                                        ".\r\n",
                                        ".\r\n",
                                        "\n.\r\n",
                                        "BDAT 5\r\n",
                                        "BDAT 7 LAST\r\n",
                                        "BDAT 0 LAST\r\n",
                                        "RSET\r\n",
                                        "NOOP\r\n",
                                        "STARTTLS\r\n",
                                        "AUTH LOGIN\r\n",
                                        "*\r\n",
                                        "FOO\r\n",
                                        "\r",
                                        "\n",
                                        "\r\n",
                                        "AUTH PLAIN x\r\n"};

// What receivers of the sink do with commands that come together.
std::string codes_of_a_group(Pipelined pipelined, std::string_view group, bool& closed) {
  const ServerOptions options{.pipelined = pipelined};
  ServerSession session(options);
  Owner owner(session, accept_all);
  bool open = owner.receive({});
  for (const std::string_view read : {std::string_view("EHLO a\r\n"), group}) {
    if (open) open = owner.receive(read);
  }
  if (open) open = owner.receive("NOOP\r\n");
  const Transcript transcript = owner.take();
  closed = transcript.closed;
  return codes(transcript);
}

TEST(ServerSession, PlaysServersThatDoNotBearGroups) {
  const std::string_view data = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\nDATA\r\n";
  const std::string_view chunk =
      "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.jp>\r\nBDAT 3 LAST\r\nabc";
  bool closed = false;
  EXPECT_EQ(codes_of_a_group(Pipelined::answered, chunk, closed), "250 250 250 250 250");
  EXPECT_EQ(codes_of_a_group(Pipelined::lost, data, closed), "250 250 250");
  EXPECT_EQ(codes_of_a_group(Pipelined::lost, chunk, closed), "250 250 250");
  EXPECT_EQ(codes_of_a_group(Pipelined::refused, data, closed), "250 250 503 503 250");
  EXPECT_EQ(codes_of_a_group(Pipelined::refused, chunk, closed), "250 250 503 503 250");
  EXPECT_FALSE(closed);
  EXPECT_EQ(codes_of_a_group(Pipelined::closed, data, closed), "250 250");
  EXPECT_TRUE(closed);
}

TEST(ServerSession, HowInputIsCutIntoReadsChangesNothing) {
  const std::uint64_t seed = 5'321;
  RecordProperty("seed", std::to_string(seed));
  SeededRandom random(seed);
  const ServerOptions options{.size_max = 40,
                              .auth_mechanisms = "PLAIN LOGIN",
                              .recipients_max = 2,
                              .command_octets_max = 64,
                              .errors_max = 8};
  const auto policy = [](const ServerSession& session,
                         const ServerStep& step) -> std::optional<Reply> {
    if (step.event == ServerEvent::recipient && session.recipient().local == "no") {
      return Reply{550, "5.1.1 No"};
    }
    if (step.event == ServerEvent::auth && step.text == "LOGIN") return Reply{334, "eA=="};
    return std::nullopt;
  };
  for (int round = 0; round < 3'000; ++round) {
    std::string input = random.below(4) == 0 ? "" : after_hello("");
    for (std::uint64_t i = random.below(25); i > 0; --i) {
      input += kPieces[random.below(std::size(kPieces))];
      if (random.below(40) == 0) input += std::string(70, 'x');
    }
    const Transcript whole = run(options, input, policy);
    for (int cut = 0; cut < 4; ++cut) {
      const Transcript parts = run(options, input, policy, &random);
      ASSERT_EQ(parts.output, whole.output) << testing::PrintToString(input);
      ASSERT_EQ(parts.owner, whole.owner) << testing::PrintToString(input);
      ASSERT_EQ(parts.closed, whole.closed);
    }
  }
}

}  // namespace
}  // namespace todoku::smtp
