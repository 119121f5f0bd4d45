// SPDX-License-Identifier: Apache-2.0
#include "intake/submission/reader.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::intake::submission {
namespace {

constexpr std::string_view kReceived = "Received: from a by mx.example.jp with ESMTPSA; now\r\n";
constexpr std::string_view kDate = "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n";
constexpr std::string_view kId = "Message-ID: <made@example.jp>\r\n";

SubmissionRules rules() {
  return {.received = std::string(kReceived),
          .now = from_epoch_ms(1'767'225'600'000),
          .message_id = "made@example.jp",
          .own_names = {"mx.example.jp"}};
}

SubmissionRules with_from(std::string address) {
  SubmissionRules made = rules();
  made.from_address = std::move(address);
  return made;
}

struct Read {
  std::string out;
  Submitted facts;
  std::string refusal;
  ErrorKind kind = ErrorKind::io;
};

Read read(std::string_view message, const SubmissionRules& by = rules(),
          std::size_t at_once = std::string::npos) {
  Read made;
  SubmissionReader reader(by);
  const auto refused = [&](const Error& error) {
    made.refusal = error.detail;
    made.kind = error.kind;
    return made;
  };
  while (!message.empty()) {
    const auto taken = reader.take(message.substr(0, at_once), made.out);
    if (!taken) return refused(taken.error());
    message.remove_prefix(std::min(at_once, message.size()));
  }
  auto done = reader.finish(made.out);
  if (!done) return refused(done.error());
  made.facts = std::move(*done);
  return made;
}

std::string operator+(std::string_view a, const std::string& b) {
  return std::string(a) + b;
}

TEST(SubmissionReader, LeavesAWholeMessageAsItIs) {
  // Signed by others, folded in odd ways, with fields of every kind.
  const std::string message =
      "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x;\r\n\th=from:subject; bh=AA==;\r\n"
      " b=AAAA\r\nSUBJECT : odd  case\t\r\n \r\n folded\r\nfrom: a@example.jp\r\nDate: then\r\n"
      "Message-Id: <1@example.jp>\r\nX-Empty:\r\nContent-Type: multipart/signed;\r\n"
      " boundary=x\r\n\r\n--x\r\n\r\n.\xE5\xB1\x8A\r\nBcc: not a field\r\n--x--\r\n";
  const Read made = read(message);
  EXPECT_EQ(made.refusal, "");
  EXPECT_EQ(made.out, kReceived + message);
  EXPECT_EQ(made.facts.from.address, "a@example.jp");
  EXPECT_EQ(made.facts.subject, "odd  case   folded");
  EXPECT_EQ(made.facts.octets, made.out.size());
  EXPECT_EQ(made.facts.head_octets, made.out.find("\r\n\r\n") + 4);
  EXPECT_TRUE(made.facts.is_eight_bit);
  EXPECT_TRUE(made.facts.has_leading_dot);
  EXPECT_FALSE(made.facts.has_long_line);
}

TEST(SubmissionReader, AddsWhatIsMissing) {
  const std::string_view message = "Subject: x\r\n\r\nbody\r\n";
  EXPECT_EQ(read(message, with_from("post@example.jp")).out,
            kReceived + std::string(kDate) + std::string(kId) + "From: post@example.jp\r\n" +
                std::string(message));
  EXPECT_EQ(read(message).refusal,
            "the message has no From field (RFC 5322 section 3.6), and the credential none for it: "
            "todoku smtp-credential change --from ADDRESS");
}

TEST(SubmissionReader, TakesOutWhatIsForNobodyElse) {
  const Read made = read(
      "Bcc: secret@example.com\r\nX-TODOKU-Tag: x\r\nFrom: a@example.jp\r\nbCC :\r\n"
      " other@example.com,\r\n\tthird@example.com\r\nResent-Bcc: a@example.com\r\nDate: then\r\n"
      "X-Todoku-Whatever: y\r\nMessage-ID: <1@example.jp>\r\nX-Todokus: stays\r\n\r\n");
  EXPECT_EQ(made.out, kReceived + std::string("From: a@example.jp\r\nDate: then\r\n"
                                              "Message-ID: <1@example.jp>\r\n"
                                              "X-Todokus: stays\r\n\r\n"));
}

TEST(SubmissionReader, TellsTheMessageIdThatGoesOn) {
  const auto id_in = [](std::string_view fields) {
    return read("From: a@example.jp\r\n" + std::string(fields) + "\r\n").facts.message_id;
  };
  EXPECT_EQ(id_in(""), "made@example.jp") << "of a message that has none";
  EXPECT_EQ(id_in("Message-ID: <1@example.jp>\r\n"), "1@example.jp");
  EXPECT_EQ(id_in("message-id:\r\n\t<1@example.jp> (made by hand)\r\n"), "1@example.jp");
  EXPECT_EQ(id_in("Message-ID: 1@example.jp\r\n"), "1@example.jp");
  EXPECT_EQ(id_in("Message-ID: <1@example.jp\r\n"), "1@example.jp");
  EXPECT_EQ(id_in("Message-ID:\r\n"), "");
  EXPECT_EQ(id_in("Message-ID: <" + std::string(250, 'x') + ">\r\n").size(), 250U);
  EXPECT_EQ(id_in("Message-ID: <" + std::string(251, 'x') + ">\r\n"), "");
}

TEST(SubmissionReader, TakesMessagesOfEveryShape) {
  const SubmissionRules by = with_from("post@example.jp");
  const std::string added =
      kReceived + std::string(kDate) + std::string(kId) + "From: post@example.jp\r\n";
  EXPECT_EQ(read("", by).out, added + "\r\n");
  EXPECT_EQ(read("\r\n", by).out, added + "\r\n");
  EXPECT_EQ(read("\r\nbody\r\n", by).out, added + "\r\nbody\r\n");
  EXPECT_EQ(read("X-A: 1", by).out, added + "X-A: 1\r\n\r\n");
  EXPECT_EQ(read("X-A: 1\r\n b", by).out, added + "X-A: 1\r\n b\r\n\r\n");
  EXPECT_EQ(read("X-A: 1\r\n\r\nno end", by).out, added + "X-A: 1\r\n\r\nno end\r\n");
  EXPECT_TRUE(read("X-A: 1\r\n\r\n" + std::string(64'000, 'x') + "\r\n", by).facts.has_long_line);
}

// Where the header section is said to end, what follows is told to everybody.
TEST(SubmissionReader, RefusesALineThatIsNoField) {
  const auto refusal = [](std::string_view message) {
    return read(message, with_from("post@example.jp")).refusal;
  };
  const auto at = [](int line) {
    return "line " + std::to_string(line) +
           " of the message is no header field, and no blank line is before it "
           "(RFC 5322 section 2.2)";
  };
  EXPECT_EQ(refusal("From: a@example.jp\r\nno field\r\nBcc: secret@example.com\r\n\r\nx\r\n"),
            at(2));
  EXPECT_EQ(refusal("From a@example.jp Thu Jan  1 00:00:00 2026\r\nBcc: b@example.com\r\n\r\n"),
            at(1));
  EXPECT_EQ(refusal("X-A: 1\r\n folded\r\n: nameless\r\n\r\n"), at(3));
  EXPECT_EQ(refusal("X-A: 1\r\nno field, no end"), at(2));
  EXPECT_EQ(refusal(" begins with a blank\r\nBcc: b@example.com\r\n\r\n"), at(1));
  EXPECT_EQ(refusal("no header, only a body\r\n"), at(1));
  EXPECT_EQ(refusal("\r\nno field\r\n"), "");
}

TEST(SubmissionReader, IsTheSameWhereverItIsCut) {
  const std::string_view messages[] = {
      "Subject: =?utf-8?B?5bGK?=\r\n =?utf-8?B?44GP?=\r\nFrom: "
      "a@example.jp\r\n\r\n.b\r\n\r\n.\r\nc",
      "From: a@example.jp\r\nnone\r\nBcc: x\r\n",
      "From: a@example.jp\r\nBcc: x\r\n y",
      "\r\n",
      "x",
      "From: a@example.jp\r\n\r\nbare\nlf\r\n",
      "From: a@example.jp\r\nX: bare\rcr\r\n\r\n"};
  for (const std::string_view message : messages) {
    const Read whole = read(message, with_from("post@example.jp"));
    for (std::size_t at_once = 1; at_once < message.size(); ++at_once) {
      const Read cut = read(message, with_from("post@example.jp"), at_once);
      EXPECT_EQ(cut.refusal, whole.refusal);
      if (!whole.refusal.empty()) continue;
      EXPECT_EQ(cut.out, whole.out);
      EXPECT_EQ(cut.facts.subject, whole.facts.subject);
      EXPECT_EQ(cut.facts.head_octets, whole.facts.head_octets);
      EXPECT_EQ(cut.facts.has_leading_dot, whole.facts.has_leading_dot);
    }
  }
}

TEST(SubmissionReader, RefusesWhatCanSmuggle) {
  for (const std::string_view octets :
       {std::string_view("a\nb\r\n"), std::string_view("a\rb\r\n"), std::string_view("\n.\r\n"),
        std::string_view("a\0\r\n", 4), std::string_view("a\r")}) {
    for (const std::string_view before : {"From: a@example.jp\r\n\r\n", "From: a@example.jp\r\nX: ",
                                          "From: a@example.jp\r\nBcc: "}) {
      const Read made = read(std::string(before) + std::string(octets));
      EXPECT_EQ(made.kind, ErrorKind::invalid_input) << before << octets;
    }
  }
}

TEST(SubmissionReader, JudgesFrom) {
  const auto refusal = [](std::string_view from) {
    return read("From: " + std::string(from) + "\r\n\r\n").refusal;
  };
  EXPECT_EQ(refusal("=?UTF-8?B?5bGK44GP?=\r\n <a@example.jp>"), "");
  EXPECT_EQ(refusal("a@example.jp, b@example.jp"),
            "the From field has 2 addresses, it must have one");
  EXPECT_EQ(refusal(""), "the From field has 0 addresses, it must have one");
  EXPECT_EQ(refusal("g: a@example.jp;"), "the From field has a group, it must have one address");
  EXPECT_EQ(refusal("root"),
            "the From field has an address without its domain, and the credential none for it: "
            "todoku smtp-credential change --from ADDRESS");
  EXPECT_EQ(refusal("a@example.jp\r\nfrom : b@example.jp"),
            "the message has more than one From field");
  EXPECT_EQ(refusal("info@example.com <info@example.jp>"),
            "the From field has another address before the <");
  EXPECT_EQ(read("From: =?UTF-8?B?5bGK44GP?=\r\n <a@example.jp>\r\n\r\n").facts.from,
            (Mailbox{"a@example.jp", "届く"}));
}

TEST(SubmissionReader, TellsDevicesOfTheirListener) {
  SubmissionRules by = rules();
  by.device_domain = "office.example.jp";
  for (const std::string_view message : {"Subject: scan\r\n\r\n", "From: scanner\r\n\r\n",
                                         "From: a@office.example.jp\r\nSender: scanner\r\n\r\n"}) {
    const std::string refusal = read(message, by).refusal;
    EXPECT_TRUE(
        refusal.ends_with("set the sender at the device, to an address of "
                          "office.example.jp (the listener's from_domain)"))
        << refusal;
    EXPECT_FALSE(refusal.contains("credential")) << refusal;
  }
}

TEST(SubmissionReader, FindsTheSender) {
  const auto sender = [](std::string_view fields) {
    return read("From: a@example.jp\r\n" + std::string(fields) + "\r\n\r\n");
  };
  EXPECT_EQ(sender("X: y").facts.sender, std::nullopt);
  EXPECT_EQ(sender("Sender: Taro <b@example.com>").facts.sender,
            (Mailbox{"b@example.com", "Taro"}));
  EXPECT_EQ(sender("Sender: root").refusal,
            "the Sender field has an address without its domain, and the credential none for it: "
            "todoku smtp-credential change --from ADDRESS");
  EXPECT_EQ(sender("Sender: b@example.com\r\nSENDER: a@example.jp").refusal,
            "the message has more than one Sender field");
  EXPECT_EQ(sender("Sender: a@example.jp, b@example.com").refusal,
            "the Sender field must have one address");
  EXPECT_TRUE(sender("Sender: <a@@>").refusal.starts_with("the Sender field "));
}

TEST(SubmissionReader, FieldsBeyondAsciiNeedSmtputf8) {
  const std::string message =
      "From: a@example.jp\r\nBcc: \xE5\xB1\x8A@example.jp\r\nSubject: \xE5\xB1\x8A\r\n\r\n";
  const Read refused = read(message);
  EXPECT_EQ(refused.kind, ErrorKind::unsupported);
  EXPECT_EQ(refused.refusal,
            "the Subject field is not ASCII, and SMTPUTF8 was not said at MAIL: it is to be "
            "encoded (RFC 2047)");
  SubmissionRules by = rules();
  by.smtputf8 = true;
  EXPECT_EQ(read(message, by).refusal, "");
  EXPECT_EQ(read("From: a@example.jp\r\nBcc: \xE5\xB1\x8A\r\n\r\n\xE5\xB1\x8A\r\n").refusal, "")
      << "what is taken out, and the body";
}

// RFC 6532 section 3: no UTF-8, an overlong form, a surrogate, a sequence that is cut.
TEST(SubmissionReader, FieldsBeyondAsciiAreUtf8) {
  SubmissionRules by = rules();
  by.smtputf8 = true;
  for (const std::string octets : {"\xFF\xFE", "\xC0\xAF", "\xED\xA0\x80", "\xE5\xB1"}) {
    const Read refused = read("From: a@example.jp\r\nSubject: " + octets + "\r\n\r\n", by);
    EXPECT_EQ(refused.kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.refusal,
              "the Subject field is neither ASCII nor UTF-8: it is to be encoded (RFC 2047)");
    EXPECT_EQ(read("From: a@example.jp\r\n\r\n" + octets + "\r\n", by).refusal, "") << "the body";
  }
}

TEST(SubmissionReader, QualifiesTheSendersOwnUsers) {
  const Read made = read(
      "From: root (Cron Daemon)\r\nDate: then\r\nMessage-ID: <1@example.jp>\r\nTo: root\r\n\r\n",
      with_from("post@example.jp"));
  EXPECT_EQ(made.out, kReceived + std::string("From: Cron Daemon <post@example.jp>\r\n"
                                              "Date: then\r\nMessage-ID: <1@example.jp>\r\n"
                                              "To: root\r\n\r\n"));
  EXPECT_EQ(made.facts.from, (Mailbox{"post@example.jp", "Cron Daemon"}));

  const Read for_another = read(
      "From: a@example.jp\r\nSender: Web <root@localhost>\r\nDate: then\r\n"
      "Message-ID: <1@example.jp>\r\n\r\n",
      with_from("post@example.jp"));
  EXPECT_EQ(for_another.out, kReceived + std::string("Sender: Web <post@example.jp>\r\n"
                                                     "From: a@example.jp\r\nDate: then\r\n"
                                                     "Message-ID: <1@example.jp>\r\n\r\n"));
  EXPECT_EQ(for_another.facts.sender, (Mailbox{"post@example.jp", "Web"}));
}

TEST(SubmissionReader, BreaksLoops) {
  const auto hops = [](std::size_t count, const std::string& hop) {
    std::string message = "From: a@example.jp\r\n";
    for (std::size_t i = 0; i < count; ++i) message += hop;
    return read(message + "\r\n");
  };
  const std::string other = "Received: from x by other.example.com; now\r\n";
  EXPECT_EQ(hops(100, other).refusal, "");
  EXPECT_EQ(hops(101, other).refusal, "the message goes in a loop: it has 101 Received fields");
  EXPECT_EQ(hops(101, other).kind, ErrorKind::conflict);
  const std::string ours = "Received: from x (by other)\r\n\tby MX.example.jp\r\n\t(y); now\r\n";
  EXPECT_EQ(hops(3, ours).refusal, "");
  EXPECT_EQ(hops(4, ours).refusal, "the message goes in a loop: it was here 4 times");
  for (const std::string_view by :
       {"by mx.example.jp.", "by \"MX.example.jp\"", "from by (x) by other by mx.example.jp"}) {
    EXPECT_EQ(hops(4, "Received: " + std::string(by) + "; now\r\n").refusal,
              "the message goes in a loop: it was here 4 times")
        << by;
  }
  // Nobody is in a loop for what stands in comments, or in other names.
  EXPECT_EQ(hops(4, "Received: from x (by mx.example.jp) by y; by mx.example.jp\r\n").refusal, "");
  EXPECT_EQ(hops(4, "Received: from mx.example.jp by amx.example.jp; now\r\n").refusal, "");
}

TEST(SubmissionReader, HoldsNoMoreThanItMay) {
  std::string fields = "From: a@example.jp\r\n";
  for (std::size_t i = 1; i < kFieldsMax; ++i) fields += "X: 1\r\n";
  EXPECT_EQ(read(fields + "\r\n").refusal, "");
  EXPECT_EQ(read(fields + "X: 1\r\n\r\n").kind, ErrorKind::limit_exceeded);
  EXPECT_EQ(read("From: a@example.jp\r\nX: " + std::string(kHeadOctetsMax, 'x')).kind,
            ErrorKind::limit_exceeded);
}

SubmissionOptionBits bits(SubmissionOption option) {
  return static_cast<SubmissionOptionBits>(option);
}

SubmissionRules allowing(SubmissionOptionBits options) {
  SubmissionRules made = rules();
  made.allowed_options = options;
  return made;
}

TEST(SubmissionReader, TakesOptionsThatTheCredentialAllows) {
  const std::string message =
      "From: a@example.jp\r\nX-Todoku-Tag: =?UTF-8?B?5bGK44GP?=, b\r\nx-todoku-purpose: notice\r\n"
      "X-Todoku-Send-At: 2026-04-01T09:00:00+09:00\r\nX-Todoku-Expires-In: 60\r\n"
      "X-Todoku-List-Id: news\r\nX-Todoku-Idempotency-Key: order-1\r\n\r\n";
  const SubmissionOptions taken = read(message, allowing(0x3F)).facts.options;
  EXPECT_EQ(taken.tags, (std::vector<std::string>{"届く", "b"}));
  EXPECT_EQ(taken.purpose, Purpose::notice);
  EXPECT_EQ(taken.send_at, from_epoch_ms(1'775'001'600'000));
  EXPECT_EQ(taken.expires_in, std::chrono::seconds(60));
  EXPECT_EQ(taken.list_id, "news");
  EXPECT_EQ(taken.idempotency_key, "order-1");

  const Read none = read(message);
  EXPECT_TRUE(none.facts.options.tags.empty());
  EXPECT_FALSE(none.facts.options.purpose || none.facts.options.send_at ||
               none.facts.options.idempotency_key);
  EXPECT_FALSE(none.out.contains("odoku-"));
  const SubmissionOptions one =
      read(message, allowing(bits(SubmissionOption::list_id))).facts.options;
  EXPECT_TRUE(one.tags.empty());
  EXPECT_EQ(one.list_id, "news");
}

TEST(SubmissionReader, TellsWhichOptionsNobodyListenedTo) {
  const auto unheard = [](std::string_view fields, SubmissionOptionBits allowed) {
    const Read made =
        read("From: a@example.jp\r\n" + std::string(fields) + "\r\n\r\n", allowing(allowed));
    EXPECT_EQ(made.refusal, "") << fields;
    return made.facts.unheard;
  };
  EXPECT_EQ(unheard("X-Todoku-Tag: a", bits(SubmissionOption::tag)), "");
  EXPECT_EQ(unheard("x-todoku-send-at: soon", bits(SubmissionOption::tag)),
            "X-Todoku-Send-At is not allowed (smtp-credential change --options send-at)");
  EXPECT_EQ(unheard("X-Todoku-Tag: a\r\nX-Todoku-Sendat: b", 0),
            "X-Todoku-Tag is not allowed (smtp-credential change --options tag); "
            "X-Todoku-Sendat is no option (did you mean Send-At?)");
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "X-Todoku-" + std::string(900, 'y') + ": x\r\n";
  EXPECT_LT(unheard(many + "Subject: x", 0).size(), 400U);
}

// Where some are listened to, what is misspelt would lose its meaning in silence.
TEST(SubmissionReader, RefusesAnOptionThatThereIsNot) {
  const auto refusal = [](std::string_view field) {
    return read("From: a@example.jp\r\n" + std::string(field) + ": x\r\n\r\n",
                allowing(bits(SubmissionOption::tag)))
        .refusal;
  };
  EXPECT_EQ(refusal("X-Todoku-Sendat"), "X-Todoku-Sendat is no option (did you mean Send-At?)");
  EXPECT_EQ(refusal("X-Todoku-SEND_AT"), "X-Todoku-SEND_AT is no option (did you mean Send-At?)");
  EXPECT_EQ(refusal("X-Todoku-Colour"), "X-Todoku-Colour is no option");
  EXPECT_EQ(refusal("X-Todokus"), "") << "somebody else's";
}

TEST(SubmissionReader, AMessageThatIsRefusedTellsWhoseItIs) {
  const auto shown = [](std::string_view message) {
    SubmissionReader reader(rules());
    std::string out;
    EXPECT_FALSE(reader.take(message, out));
    return reader.from_shown();
  };
  EXPECT_EQ(shown("From: =?UTF-8?B?5bGK44GP?= <a@example.jp>, b@example.jp\r\n\r\n"),
            "届く <a@example.jp>, b@example.jp");
  EXPECT_EQ(shown("Subject: x\r\n\r\n"), "");
  EXPECT_LE(shown("From: a b " + std::string(900, 'y') + "\r\n\r\n").size(), 200U);
}

TEST(SubmissionReader, RefusesOptionsThatDoNotDo) {
  const auto refusal = [](std::string_view fields, SubmissionOptionBits allowed = 0x3F) {
    return read("From: a@example.jp\r\n" + std::string(fields) + "\r\n\r\n", allowing(allowed))
        .refusal;
  };
  EXPECT_EQ(refusal("X-Todoku-Tag: a\r\nx-todoku-tag: b"), "X-Todoku-Tag is there twice");
  EXPECT_EQ(refusal("X-Todoku-Tag: a\r\nx-todoku-tag: b", bits(SubmissionOption::purpose)), "");
  EXPECT_EQ(refusal("X-Todoku-Tag: 1,2,3,4,5,6,7,8,9,10,11"),
            "X-Todoku-Tag: \"1,2,3,4,5,6,7,8,9,10,11\" has more than 10 tags");
  EXPECT_EQ(refusal("X-Todoku-Tag: ,,"), "X-Todoku-Tag: \",,\" has an empty tag");
  EXPECT_EQ(refusal("X-Todoku-Purpose: fun"),
            "X-Todoku-Purpose: \"fun\" is not advertisement, notice or transactional");
  EXPECT_EQ(refusal("X-Todoku-Send-At: soon"),
            "X-Todoku-Send-At: \"soon\" is no date and time such as 2026-04-01T09:00:00+09:00");
  for (const std::string_view value : {"0", "-1", "1h", "99999999999999999999"}) {
    EXPECT_EQ(refusal("X-Todoku-Expires-In: " + std::string(value)),
              "X-Todoku-Expires-In: \"" + std::string(value) + "\" is no whole number of seconds");
  }
  EXPECT_EQ(refusal("X-Todoku-List-Id:"), "X-Todoku-List-Id: \"\" is empty");
  EXPECT_EQ(refusal("X-Todoku-Idempotency-Key: a b"),
            "X-Todoku-Idempotency-Key: \"a b\" is not 1 to 255 visible ASCII characters");
}

TEST(SubmissionReader, SaysWhatItFinds) {
  const auto facts = [](std::string_view fields) {
    return read("From: a@example.jp\r\n" + std::string(fields) + "\r\n\r\n").facts;
  };
  EXPECT_FALSE(facts("To: b@example.jp").looks_like_list);
  EXPECT_TRUE(facts("List-Unsubscribe: <mailto:a@example.jp>").looks_like_list);
  EXPECT_TRUE(facts("List-ID: x").looks_like_list);
  EXPECT_TRUE(facts("Precedence: Bulk").looks_like_list);
  EXPECT_TRUE(facts("Precedence: normal\r\nprecedence: bulk").looks_like_list);
  EXPECT_TRUE(facts("Precedence: (a \\) (b)) bulk (x)").looks_like_list);
  EXPECT_FALSE(facts("Precedence: list").looks_like_list);
}

TEST(ReceivedField, IsFoldedAndTellsWhatItMay) {
  ReceivedFacts facts{.hello = "client.example.com",
                      .client = "2001:db8::1",
                      .hostname = "mx.example.jp",
                      .tls = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384",
                      .authenticated = true,
                      .recipient = "a@example.jp",
                      .now = from_epoch_ms(1'767'225'600'000)};
  EXPECT_EQ(received_field(facts),
            "Received: from client.example.com\r\n ([IPv6:2001:db8::1])\r\n"
            " by mx.example.jp with ESMTPSA\r\n"
            " (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
            " for <a@example.jp>;\r\n Thu, 01 Jan 2026 00:00:00 +0000\r\n");
  facts = {.hello = "x (\r\n;\xFF",
           .client = "",
           .hostname = "mx.example.jp",
           .esmtp = false,
           .tls = "",
           .recipient = "届@example.jp",
           .now = facts.now};
  EXPECT_EQ(received_field(facts),
            "Received: from x??????\r\n by mx.example.jp with SMTP;\r\n"
            " Thu, 01 Jan 2026 00:00:00 +0000\r\n");
  facts.smtputf8 = true;
  EXPECT_TRUE(received_field(facts).contains(" with UTF8SMTP;"));
  facts.user = 33;
  EXPECT_TRUE(received_field(facts).contains("\r\n (uid 33)\r\n by mx.example.jp"));
}

TEST(Classify, TakesANewsletterForWhatItIs) {
  Submitted mail;
  EXPECT_EQ(classify(mail, std::nullopt, 50).traffic, TrafficClass::transactional);
  EXPECT_EQ(classify(mail, std::nullopt, 51).traffic, TrafficClass::bulk);
  EXPECT_EQ(classify(mail, std::nullopt, 51).purpose, Purpose::advertisement);
  EXPECT_EQ(classify(mail, TrafficClass::transactional, 51).purpose, Purpose::by_type);
  mail.looks_like_list = true;
  EXPECT_EQ(classify(mail, std::nullopt, 1).purpose, Purpose::advertisement);
  EXPECT_EQ(classify(mail, TrafficClass::transactional, 1).traffic, TrafficClass::transactional);
  EXPECT_EQ(classify({}, TrafficClass::bulk, 1).purpose, Purpose::advertisement);
}

}  // namespace
}  // namespace todoku::intake::submission
