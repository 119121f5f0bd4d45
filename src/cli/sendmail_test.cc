// SPDX-License-Identifier: Apache-2.0
// todoku sendmail against a relay that answers as it is told.
#include "cli/sendmail.h"

#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sysexits.h>

#include "async/runtime.h"
#include "cli/fake_host.h"
#include "cli/sendmail_options.h"

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kMessage =
    "From: news@example.jp\nTo: a@example.com\nBcc: b@example.com\nSubject: x\n\ntext\n";

Task<void> read_all(MessageSpool& message,  // NOLINT(*-reference-coroutine-parameters)
                    std::string& out) {     // NOLINT(*-reference-coroutine-parameters)
  message.begin();
  while (out.size() < message.octets()) {
    const auto slice = co_await message.next();
    if (!slice) co_return;
    for (const std::string_view piece : *slice) out += piece;
  }
}

std::string whole(MessageSpool& message) {
  std::string out;
  async::run_to_completion(read_all(message, out));
  return out;
}

class SendmailTest : public CommandLineTest {
 protected:
  struct Mail {
    std::string sender;
    std::vector<std::string> recipients;
    std::string text;
    bool eight_bit = false;
  };

  SendmailTest() { say({250, "2.0.0 Ok: kept as delivery 1"}); }

  // What everybody is answered.
  void say(Reply reply, Stage stage = Stage::data) {
    answer([reply, stage](const std::string&) {
      return smtp::RecipientResult{.stage = reply.positive() ? Stage::accepted : stage,
                                   .reply = reply};
    });
  }
  void answer(std::function<smtp::RecipientResult(const std::string&)> of) {
    host.submission_answer = [this, of = std::move(of)](const smtp::ClientEnvelope& envelope,
                                                        MessageSpool& message) {
      Mail mail{.sender = envelope.mail_from(),
                .recipients = {},
                .text = whole(message),
                .eight_bit = envelope.needs().eight_bit};
      SubmissionAnswer answer;
      for (const std::string& recipient : envelope.recipients()) {
        mail.recipients.push_back(recipient);
        answer.results.push_back(of(recipient));
      }
      mails.push_back(std::move(mail));
      return answer;
    };
  }
  void nobody_answers(ErrorKind kind) {
    host.submission_answer = [kind](const smtp::ClientEnvelope&, MessageSpool&) {
      return SubmissionAnswer{.no_connection = Error{kind, "connect: no"}, .results = {}};
    };
  }
  int send(std::vector<std::string> words, std::string_view text = kMessage) {
    host.its_input.clear();
    host.its_input.str(std::string(text));
    words.insert(words.begin(), "sendmail");
    return run(words);
  }

  std::vector<Mail> mails;
};

TEST_F(SendmailTest, SendsWhatStandsOnStandardInput) {
  EXPECT_EQ(send({"a@example.com", "b@example.com,c@example.com", "a@example.com"}), EX_OK);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].sender, "user") << "the relay knows whose address that is";
  EXPECT_THAT(mails[0].recipients, ElementsAre("a@example.com", "b@example.com", "c@example.com"));
  EXPECT_EQ(mails[0].text,
            "From: news@example.jp\r\nTo: a@example.com\r\nBcc: b@example.com\r\nSubject: x\r\n"
            "\r\ntext\r\n");
  EXPECT_FALSE(mails[0].eight_bit);
  EXPECT_EQ(err.str(), "");
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(host.its_socket, "/run/todoku/submission.sock");
}

TEST_F(SendmailTest, RecipientsOfTheHeaderAreAddedToThoseOfTheLine) {
  EXPECT_EQ(send({"-t", "c@example.com", "-f", "Shop <shop@example.jp>"}), EX_OK);
  EXPECT_THAT(mails[0].recipients, ElementsAre("c@example.com", "a@example.com", "b@example.com"));
  EXPECT_EQ(mails[0].sender, "shop@example.jp");
  EXPECT_EQ(send({"-t", "-f", "<>"}), EX_OK);
  EXPECT_EQ(mails[1].sender, "");
  EXPECT_EQ(send({"a@example.com"}, "\xE5\xB1\x8A\n"), EX_OK);
  EXPECT_TRUE(mails[2].eight_bit);
}

TEST_F(SendmailTest, ANameIsThatOfAMessageWithoutFrom) {
  EXPECT_EQ(send({"-F", "Cron, the \xE5\xB1\x8A", "root"}, "Subject: x\n\nt\n"), EX_OK);
  EXPECT_EQ(mails[0].text,
            "From: =?UTF-8?B?Q3JvbiwgdGhlIOWxig==?= <user>\r\nSubject: x\r\n\r\nt\r\n");
  EXPECT_EQ(send({"-FCronDaemon", "root"}, "From: root\n\nt\n"), EX_OK);
  EXPECT_EQ(mails[1].text, "From: root\r\n\r\nt\r\n");
}

TEST_F(SendmailTest, WrongWordsAreAnsweredAsOtherSendmailsDo) {
  EXPECT_EQ(send({"-Z"}), EX_USAGE);
  EXPECT_THAT(err.str(), HasSubstr("sendmail: there is no option -Z"));
  EXPECT_EQ(send({}), EX_USAGE);
  EXPECT_THAT(err.str(), HasSubstr("there are no recipients"));
  EXPECT_EQ(send({"-t"}, "Subject: x\n\nt\n"), EX_USAGE);
  EXPECT_EQ(send({"-t"}, "To: <a@example.com\n\nt\n"), EX_DATAERR);
  EXPECT_EQ(send({"a b@example.com"}), EX_NOUSER);
  EXPECT_EQ(send({"-f", "a@example.jp, b@example.jp", "c@example.com"}), EX_USAGE);
  EXPECT_EQ(send({"-V", "\xE5", "c@example.com"}), EX_USAGE);
  EXPECT_THAT(mails, IsEmpty());
}

TEST_F(SendmailTest, TheQueueIsTheEngines) {
  EXPECT_EQ(send({"-bp"}), EX_OK);
  EXPECT_EQ(out.str(), "Mail queue is empty\n");
  host.answer = [](const AdminRequest& request) {
    EXPECT_EQ(request.method + " " + request.target, "GET /status");
    return AdminAnswer{200, R"({"queues":[{"class":"transactional","waiting":1,"set_aside":0},)"
                            R"({"class":"bulk","waiting":7,"set_aside":2}]})"};
  };
  EXPECT_EQ(run({"mailq"}), EX_OK);
  EXPECT_EQ(out.str(),
            "transactional: 1 recipient\nbulk: 7 recipients, 2 of them set aside: todoku stuck\n"
            "Total requests: 8\n");
  host.answer = [](const AdminRequest&) { return AdminAnswer{503, "{}"}; };
  EXPECT_EQ(run({"mailq"}), EX_UNAVAILABLE);
  EXPECT_EQ(out.str(), "") << "never that it is empty";
  host.answer = [](const AdminRequest&) -> Result<AdminAnswer> {
    return fail(ErrorKind::closed, "the engine ended");
  };
  EXPECT_EQ(run({"mailq"}), EX_UNAVAILABLE);
  host.no_admin = true;
  EXPECT_EQ(run({"mailq"}), EX_OK);
  EXPECT_EQ(out.str(), "Mail queue is empty\n") << "of who may not look";
  EXPECT_THAT(err.str(), HasSubstr("todoku status"));
}

TEST_F(SendmailTest, ARefusalThatLastsSaysWhatKindItIs) {
  const auto status = [&](int code, std::string text, Stage stage = Stage::data) {
    say({code, std::move(text)}, stage);
    return send({"a@example.com"});
  };
  EXPECT_EQ(status(530, "5.7.0 No credential has uid 33: ...", Stage::mail_from), EX_NOPERM);
  EXPECT_EQ(err.str(), "sendmail: a@example.com: 530 5.7.0 No credential has uid 33: ...\n");
  EXPECT_EQ(status(553, "5.1.7 The sender has no domain", Stage::mail_from), EX_CONFIG);
  EXPECT_EQ(status(553, "5.1.3 The recipient has no domain", Stage::rcpt_to), EX_NOUSER);
  EXPECT_EQ(status(550, "5.6.0 a bare CR"), EX_DATAERR);
  EXPECT_EQ(status(552, "5.3.4 too large"), EX_DATAERR);
  EXPECT_EQ(status(554, "5.4.6 a loop"), EX_DATAERR);
  EXPECT_EQ(status(550, "5.7.1 not yours"), EX_NOPERM);
  EXPECT_EQ(status(554, "no words"), EX_UNAVAILABLE);
  EXPECT_THAT(host.waits, IsEmpty()) << "nothing of it passes";
}

TEST_F(SendmailTest, TriesForHalfAMinuteWhereNobodyAnswers) {
  for (const ErrorKind kind : {ErrorKind::not_found, ErrorKind::closed, ErrorKind::timeout}) {
    nobody_answers(kind);
    host.waits.clear();
    EXPECT_EQ(send({"a@example.com"}), EX_TEMPFAIL);
    EXPECT_THAT(host.waits, SizeIs(30));
    EXPECT_THAT(err.str(), HasSubstr("todoku does not answer at /run/todoku/submission.sock"));
  }
  host.waits.clear();
  host.variables["TODOKU_SUBMISSION_SECONDS"] = "2";
  EXPECT_EQ(send({"a@example.com"}), EX_TEMPFAIL);
  EXPECT_THAT(host.waits, SizeIs(2));
}

TEST_F(SendmailTest, DoesNotWaitWhereWaitingDoesNotHelp) {
  nobody_answers(ErrorKind::unauthorized);
  EXPECT_EQ(send({"a@example.com"}), EX_NOPERM);
  nobody_answers(ErrorKind::invalid_input);
  EXPECT_EQ(send({"a@example.com"}), EX_CONFIG);
  EXPECT_THAT(host.waits, IsEmpty());
  nobody_answers(ErrorKind::closed);
  host.patience = 0;
  EXPECT_EQ(send({"a@example.com"}), EX_TEMPFAIL) << "the user wants an end";
  EXPECT_THAT(host.waits, SizeIs(1));
}

TEST_F(SendmailTest, WhatIsRefusedForNowIsTriedAgainAndAlone) {
  std::size_t asked = 0;
  answer([&](const std::string& recipient) -> smtp::RecipientResult {
    if (recipient == "b@example.com" && ++asked < 4) {
      return {.stage = Stage::rcpt_to, .reply = {451, "4.3.0 later"}};
    }
    return {.stage = Stage::accepted, .reply = {250, "2.0.0 Ok"}};
  });
  EXPECT_EQ(send({"a@example.com", "b@example.com"}), EX_OK);
  ASSERT_THAT(mails, SizeIs(4));
  EXPECT_THAT(mails[0].recipients, SizeIs(2));
  EXPECT_THAT(mails[1].recipients, ElementsAre("b@example.com"));
  EXPECT_EQ(mails[1].text, mails[0].text);
  EXPECT_THAT(host.waits, SizeIs(2)) << "at once where another was taken";
  say({421, "4.3.2 stopping"}, Stage::greeting);
  EXPECT_EQ(send({"a@example.com"}), EX_TEMPFAIL);
  EXPECT_EQ(err.str(), "sendmail: a@example.com: 421 4.3.2 stopping\n");
}

TEST_F(SendmailTest, WhoIsRefusedInPartHearsHowManyWereTaken) {
  answer([](const std::string& recipient) -> smtp::RecipientResult {
    if (recipient == "b@example.com") {
      return {.stage = Stage::rcpt_to, .reply = {550, "5.7.1 not you"}};
    }
    return {.stage = Stage::accepted, .reply = {250, "2.0.0 Ok"}};
  });
  EXPECT_EQ(send({"a@example.com", "b@example.com", "c@example.com"}), EX_NOPERM);
  EXPECT_EQ(err.str(),
            "sendmail: b@example.com: 550 5.7.1 not you\n"
            "sendmail: 2 of 3 recipients were taken and get it: send it to the others alone\n");
}

TEST_F(SendmailTest, WhatMayHaveArrivedIsNotSentTwice) {
  answer([](const std::string&) {
    return smtp::RecipientResult{
        .stage = Stage::data, .reply = {0, "the connection was lost"}, .in_doubt = true};
  });
  EXPECT_EQ(send({"a@example.com"}), EX_TEMPFAIL);
  EXPECT_THAT(mails, SizeIs(1));
  EXPECT_THAT(host.waits, IsEmpty());
}

TEST_F(SendmailTest, ManyRecipientsAreSeveralTransactions) {
  std::string to;
  for (int i = 0; i < 2'100; ++i) to += fmt::format("{}{}@example.com", i == 0 ? "" : ",\n ", i);
  EXPECT_EQ(send({"-t", "-v"}, "To: " + to + "\n\nt\n"), EX_OK);
  ASSERT_THAT(mails, SizeIs(3));
  EXPECT_THAT(mails[2].recipients, SizeIs(100));
  EXPECT_THAT(out.str(), HasSubstr("2099@example.com: 250 2.0.0 Ok: kept as delivery 1\n"));
  say({550, "5.7.1 not yours"});
  EXPECT_EQ(send({"-t"}, "To: " + to + "\n\nt\n"), EX_NOPERM);
  EXPECT_EQ(err.str(), "sendmail: 0@example.com (+2099): 550 5.7.1 not yours\n");
}

TEST_F(SendmailTest, LargeMessagesLieInAFile) {
  const std::string line = std::string(76, 'x') + "\n";
  std::string text = "From: a@example.jp\n\n";
  while (text.size() < 3 * MessageSpool::kMemoryOctetsMax) text += line;
  bool in_memory = true;
  const auto usual = host.submission_answer;
  host.submission_answer = [&](const smtp::ClientEnvelope& envelope, MessageSpool& message) {
    in_memory = message.is_in_memory();
    return usual(envelope, message);
  };
  host.variables["TMPDIR"] = "/nonexistent";
  EXPECT_EQ(send({"-F", "N", "a@example.com"}, text), EX_OK);
  EXPECT_FALSE(in_memory);
  std::string wanted;
  for (const char c : text) wanted += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(mails[0].text, wanted);
}

TEST_F(SendmailTest, TheEnvironmentAndAFileSayWhereTheSocketIs) {
  EXPECT_EQ(send({"-C", "/srv/todoku.toml", "a@example.com"}), EX_OK);
  EXPECT_EQ(host.its_socket, "/srv/todoku.toml");
  host.variables["TODOKU_SUBMISSION_SOCKET"] = "/run/other.sock";
  EXPECT_EQ(send({"a@example.com"}), EX_OK);
  EXPECT_EQ(host.its_socket, "/run/other.sock");
}

TEST_F(SendmailTest, AFileThatWasNamedAndCannotBeReadIsToldAndNotPassedOver) {
  EXPECT_EQ(send({"-C", "/nonexistent", "a@example.com"}), EX_CONFIG);
  EXPECT_THAT(err.str(), HasSubstr("/nonexistent"));
  EXPECT_THAT(mails, IsEmpty());
  EXPECT_EQ(send({"-C", "/nonexistent", "-bs"}), EX_CONFIG);
}

TEST_F(SendmailTest, WhoSpeaksSmtpIsAnsweredInIt) {
  EXPECT_EQ(send({"-bs"}), EX_OK);
  EXPECT_EQ(out.str(), "");
  host.spoken = [] { return fail(ErrorKind::closed, "connect: no"); };
  EXPECT_EQ(send({"-bs"}), EX_TEMPFAIL);
  EXPECT_THAT(out.str(), HasSubstr("421 4.3.2"));
  EXPECT_THAT(host.waits, SizeIs(30));
  host.spoken = [] { return fail(ErrorKind::io, "write: no"); };
  EXPECT_EQ(send({"-bs"}), EX_IOERR);
}

TEST_F(SendmailTest, ThePageAndTheCompletionKnowItsOptions) {
  EXPECT_EQ(run({"man", "sendmail"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("\\fB\\-f\\fR \\fIADDRESS\\fR"));
  EXPECT_EQ(run({"sendmail", "--help"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("-t"));
  EXPECT_EQ(run({"completion", "bash"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("sendmail"));
  EXPECT_EQ(run({"--lang", "en", "sendmail", "-t"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("sendmail comes first"));
}

}  // namespace
}  // namespace todoku::cli
