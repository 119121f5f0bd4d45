// SPDX-License-Identifier: Apache-2.0
#include "mime/seven_bit.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "mime/line_scan.h"
#include "mime/test_reader.h"

namespace todoku::mime {
namespace {

using test::Entity;

Result<SevenBitPlan> plan_of(std::string_view message, std::size_t cut = 1000) {
  SevenBitScan scan;
  for (std::size_t at = 0; at < message.size(); at += cut) {
    if (const auto sound = scan.update(message.substr(at, cut)); !sound) return fail(sound.error());
  }
  return scan.finish();
}

// In slices of `cut` octets; what fails fails the test.
std::string written(std::string_view message, std::size_t cut) {
  auto plan = plan_of(message, cut);
  if (!plan) {
    ADD_FAILURE() << plan.error().detail;
    return {};
  }
  const std::uint64_t octets = plan->octets();
  SevenBitWriter writer(std::move(*plan));
  std::string all;
  for (std::size_t at = 0; at < message.size(); at += cut) {
    std::string out;
    EXPECT_TRUE(writer.update(message.substr(at, cut), out));
    all += out;
  }
  std::string out;
  EXPECT_TRUE(writer.finish(out));
  all += out;
  EXPECT_EQ(all.size(), octets);
  return all;
}

// The same wherever it is cut, and 7-bit.
std::string converted(std::string_view message) {
  const std::string whole = written(message, message.size());
  for (const std::size_t cut : {1U, 2U, 3U, 7U, 64U, 1000U}) {
    EXPECT_EQ(written(message, cut), whole) << cut;
  }
  EXPECT_EQ(test::form_problem(whole, kWireLineOctetsMax), "");
  return whole;
}

std::string refusal(std::string_view message) {
  const auto plan = plan_of(message);
  return plan ? "" : plan.error().detail;
}

// "MIME-Version" and these fields, then the body.
std::string mail(std::string_view fields, std::string_view body) {
  return "Subject: a\r\nMIME-Version: 1.0\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

const std::string kJapanese = "届きました。\r\nよろしく。\r\n";

TEST(SevenBit, LeavesAloneWhatFits) {
  const std::string fine = mail("Content-Type: text/plain\r\n", "hello\r\n");
  EXPECT_TRUE(plan_of(fine)->changes_nothing());
  EXPECT_EQ(converted(fine), fine);
  // Whatever its structure is, and whatever it says of itself.
  const std::string strange =
      "Content-Type: multipart/mixed; boundary=a\r\nContent-Transfer-Encoding: "
      "8bit\r\n\r\n--ab\r\n";
  EXPECT_TRUE(plan_of(strange)->changes_nothing());
  EXPECT_EQ(converted(strange), strange);
  EXPECT_EQ(converted("no field\r\n"), "no field\r\n");
  EXPECT_TRUE(plan_of("")->changes_nothing());
}

TEST(SevenBit, EncodesATextAsIsShortest) {
  const std::string japanese = mail(
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nX-A: b\r\n",
      kJapanese);
  const Entity read = test::read_entity(converted(japanese));
  EXPECT_EQ(read.field("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(read.count("Content-Transfer-Encoding"), 1U);
  EXPECT_EQ(read.fields.size(), 5U);
  EXPECT_EQ(test::read_content(read), kJapanese);

  const std::string french = "Un caf\xc3\xa9, s'il vous pla\xc3\xaet. = \r\n.\r\nFrom here on\r\n";
  const Entity quoted =
      test::read_entity(converted(mail("Content-Type: text/plain; charset=utf-8\r\n", french)));
  EXPECT_EQ(quoted.field("Content-Transfer-Encoding"), "quoted-printable");
  EXPECT_EQ(test::read_content(quoted), french);
}

TEST(SevenBit, EncodesLinesThatAreTooLong) {
  const std::string just = mail("Content-Type: text/html\r\n", std::string(998, 'x') + "\r\n");
  EXPECT_EQ(converted(just), just);
  const std::string body = std::string(60'000, 'x') + "\r\nend\r\n";
  const Entity read =
      test::read_entity(converted(mail("Content-Type: text/html; charset=utf-8\r\n", body)));
  EXPECT_EQ(read.field("Content-Transfer-Encoding"), "quoted-printable");
  EXPECT_EQ(test::read_content(read), body);
}

TEST(SevenBit, ChangesOnlyThePartsThatNeedIt) {
  const std::string message = mail(
      "Content-Type: multipart/mixed; boundary=\"outer\"\r\nContent-Transfer-Encoding: 8bit\r\n",
      "--outer\r\nContent-Type: multipart/alternative;\r\n boundary=inner\r\n\r\n"
      "--inner\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\n日本\r\n"
      "--inner\r\nContent-Type: text/html; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\nplain\r\n"
      "--inner--\r\n\r\n"
      "--outer\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "AAEC\r\n"
      "--outer\r\nContent-Type: application/x-data\r\nContent-Transfer-Encoding: binary\r\n\r\n"
      "\xff\xfe\r\nx\r\n"
      "--outer--\r\nafterwards\r\n");
  const std::string out = converted(message);
  const Entity whole = test::read_entity(out);
  EXPECT_EQ(whole.field("Content-Transfer-Encoding"), "7bit");
  const auto parts = test::read_parts(whole);
  ASSERT_EQ(parts.size(), 3U);
  const auto texts = test::read_parts(parts[0]);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(test::read_content(texts[0]), "日本");
  EXPECT_EQ(texts[0].field("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(test::read_content(texts[1]), "plain");
  EXPECT_EQ(texts[1].field("Content-Transfer-Encoding"), "7bit");
  EXPECT_EQ(parts[1].body, "AAEC");
  EXPECT_EQ(parts[2].field("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(test::read_content(parts[2]), "\xff\xfe\r\nx");
  EXPECT_TRUE(out.ends_with("--outer--\r\nafterwards\r\n"));
}

TEST(SevenBit, EncodesWithinMessagesThatAreParts) {
  const std::string message = mail("Content-Type: multipart/digest; boundary=b\r\n",
                                   "--b\r\n\r\nSubject: inner\r\nMIME-Version: "
                                   "1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                   "\r\n日本\r\n--b--\r\n");
  const auto parts = test::read_parts(test::read_entity(converted(message)));
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_TRUE(parts[0].fields.empty());
  const Entity inner = test::read_entity(parts[0].body);
  EXPECT_EQ(inner.field("Subject"), "inner");
  EXPECT_EQ(test::read_content(inner), "日本");
}

TEST(SevenBit, KeepsTheEndOfALargeBodyWhereverItFalls) {
  // Around the octets that are encoded at once.
  for (std::size_t octets = 57 * 64 - 3; octets < 57 * 64 + 60; ++octets) {
    const std::string body = std::string(octets, '\xff');
    const std::string message =
        mail("Content-Type: multipart/mixed; boundary=b\r\n",
             "--b\r\nContent-Type: image/png\r\n\r\n" + body + "\r\n--b--\r\n");
    const std::string out = written(message, 1000);
    const auto parts = test::read_parts(test::read_entity(out));
    ASSERT_EQ(parts.size(), 1U);
    ASSERT_EQ(test::read_content(parts[0]), body);
    ASSERT_FALSE(parts[0].body.ends_with("\r\n"));
  }
}

TEST(SevenBit, BreaksNoSignature) {
  constexpr std::string_view kBroken = "has a signature that another encoding would break";
  for (const std::string_view field : {"DKIM-Signature", "ARC-Seal", "arc-message-signature"}) {
    EXPECT_EQ(refusal(std::string(field) + ": v=1\r\n" + mail("", "日本\r\n")), kBroken);
  }
  EXPECT_EQ(refusal(mail("Content-Type: multipart/signed; boundary=b\r\n",
                         "--b\r\nContent-Type: text/plain\r\n\r\n日本\r\n--b--\r\n")),
            kBroken);
  EXPECT_EQ(refusal(mail("Content-Type: application/pkcs7-mime\r\n", "\xff\r\n")), kBroken);
  EXPECT_EQ(refusal(mail("", "-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n日本\r\n")), kBroken);
  EXPECT_EQ(refusal(mail("Content-Type: multipart/mixed; boundary=b\r\n",
                         "--b\r\nContent-Type: message/rfc822\r\n\r\n"
                         "DKIM-Signature: v=1\r\nMIME-Version: 1.0\r\n\r\n日本\r\n--b--\r\n")),
            kBroken);
}

TEST(SevenBit, ConvertsBesideASignedPart) {
  const std::string sealed =
      "Content-Type: multipart/signed; boundary=s\r\n\r\n"
      "--s\r\nContent-Transfer-Encoding: 8bit\r\n\r\nplain\r\n--s--\r\n";
  const std::string message = mail("Content-Type: multipart/mixed; boundary=b\r\n",
                                   "--b\r\n" + sealed + "\r\n--b\r\n\r\n日本\r\n--b--\r\n");
  const std::string out = converted(message);
  EXPECT_TRUE(out.contains(sealed)) << "not even what it says of itself";
  EXPECT_FALSE(out.contains("日本"));
}

TEST(SevenBit, RefusesWhatReadersMayUnderstandInDifferentWays) {
  const std::string multipart = "Content-Type: multipart/mixed; boundary=b\r\n";
  const std::string part = "--b\r\n\r\n日本\r\n";
  EXPECT_EQ(refusal(mail(multipart, part + "--b--\r\n")), "");
  for (const std::string& message : std::vector<std::string>{
           mail(multipart, part + "--b!\r\n--b--\r\n"),         // almost a delimiter
           mail(multipart, "--b\r\nX: y\r\n--b--\r\n" + part),  // a head without an end
           mail("Content-Type: multipart/mixed\r\n", part + "--b--\r\n"),
           mail("Content-Type: multipart/mixed; boundary=b; boundary=c\r\n", part + "--b--\r\n"),
           mail("Content-Type: multipart/mixed; boundary*=''b\r\n", part + "--b--\r\n"),
           mail("Content-Type: (a) multipart/mixed; boundary=b\r\n", part + "--b--\r\n"),
           mail(multipart + "Content-Type: text/plain\r\n", part + "--b--\r\n"),
           mail(multipart + "Content-Transfer-Encoding: base64\r\n", part + "--b--\r\n"),
           mail(multipart, "--b\r\nContent-Type: multipart/mixed; boundary=bc\r\n\r\n" + part +
                               "--bc--\r\n--b--\r\n"),
           mail(multipart, "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" +
                               part + "--b--\r\n"),
           mail(multipart, "日本\r\n" + part + "--b--\r\n"),  // before the first part
           mail("Content-Transfer-Encoding: base64\r\n", "日本\r\n"),
           mail("Content-Transfer-Encoding: x-uuencode\r\n", "日本\r\n"),
           mail("Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 7bit\r\n",
                "日本\r\n"),
           mail("Content-Type: message/partial\r\n", "日本\r\n"),
           mail("X-Raw: 日本\r\n", "a\r\n"),
           mail("X-Long: " + std::string(1000, 'x') + "\r\n", "a\r\n"),
           mail("no field\r\n", "日本\r\n"),
           // A message within one, which has parts and says nothing of MIME.
           mail(multipart,
                "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: "
                "multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n日本\r\n--c--\r\n--b--\r\n"),
       }) {
    EXPECT_NE(refusal(message), "") << message;
  }
}

// No reader has another end for them.
TEST(SevenBit, PartsWithoutTheirLastDelimiterEndWithTheMessage) {
  const std::string out =
      converted(mail("Content-Type: multipart/mixed; boundary=outer\r\n",
                     "--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
                     "--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n日本\r\n"));
  EXPECT_TRUE(
      out.contains("\r\n--inner\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: base64\r\n\r\n" +
                   to_base64("日本\r\n") + "\r\n"))
      << out;
}

TEST(SevenBit, AMessageWithinOneIsSaidToBeMime) {
  const std::string out = converted(
      mail("Content-Type: multipart/mixed; boundary=b\r\n",
           "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: old\r\n\r\n日本\r\n"
           "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain\r\n\r\nplain\r\n--b--\r\n"));
  const auto parts = test::read_parts(test::read_entity(out));
  ASSERT_EQ(parts.size(), 2U);
  const Entity inner = test::read_entity(parts[0].body);
  EXPECT_EQ(inner.field("Subject"), "old");
  EXPECT_EQ(inner.field("MIME-Version"), "1.0");
  EXPECT_EQ(inner.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(test::read_content(inner), "日本");
  EXPECT_EQ(parts[1].body, "Subject: plain\r\n\r\nplain") << "nothing is said that need not be";
}

// Programs that write mail without a library leave it out.
TEST(SevenBit, SaysThatAMessageIsMimeWhereItDidNot) {
  const std::string version = "MIME-Version: 1.0\r\n";
  const std::string encoding = "Content-Transfer-Encoding: ";
  EXPECT_EQ(converted("Subject: a\r\n\r\né\r\n"),
            "Subject: a\r\n" + version + "Content-Type: text/plain; charset=utf-8\r\n" + encoding +
                "quoted-printable\r\n\r\n=C3=A9\r\n");
  EXPECT_EQ(converted("Subject: a\r\n\r\nabcdefghijk\xE9\r\n"),
            "Subject: a\r\n" + version + "Content-Type: text/plain; charset=unknown-8bit\r\n" +
                encoding + "quoted-printable\r\n\r\nabcdefghijk=E9\r\n");
  const std::string long_line = converted("Subject: a\r\n\r\n" + std::string(1000, 'x') + "\r\n");
  EXPECT_TRUE(
      long_line.starts_with("Subject: a\r\n" + version + encoding + "quoted-printable\r\n\r\n"))
      << "no charset that was not there";
  const std::string html = converted("Content-Type: text/html; charset=utf-8\r\n" + encoding +
                                     "8bit\r\nSubject: a\r\n\r\né\r\n");
  EXPECT_TRUE(html.starts_with("Content-Type: text/html; charset=utf-8\r\n" + encoding +
                               "quoted-printable\r\nSubject: a\r\n" + version + "\r\n"));
  const std::string parts = "--b\r\n\r\nplain\r\n--b\r\n\r\n";
  const std::string multipart =
      converted("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + "é\r\n--b--\r\n");
  EXPECT_TRUE(multipart.starts_with("Content-Type: multipart/mixed; boundary=b\r\n" + version +
                                    "\r\n--b\r\n\r\nplain\r\n--b\r\n" + encoding))
      << multipart;
}

// A receiver with 8BITMIME: nothing is encoded for being 8-bit, header sections may be (RFC 6532).
TEST(SevenBit, EncodesOnlyLongLinesWhereTheReceiverTakesEightBit) {
  const std::string part = "--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n日本\r\n";
  const auto message = [&](std::string_view last) {
    return mail(
        "Content-Type: multipart/mixed; boundary=b\r\nX-Raw: 日本\r\n"
        "Content-Transfer-Encoding: 8bit\r\n",
        part + "--b\r\n\r\n" + std::string(last) + "\r\n--b--\r\n");
  };
  const auto plan = [](const std::string& octets) {
    SevenBitScan scan(WireOctets::eight_bit);
    EXPECT_TRUE(scan.update(octets));
    return scan.finish();
  };
  EXPECT_TRUE(plan(message("short"))->changes_nothing());
  const std::string octets = message(std::string(1000, 'x'));
  auto made = plan(octets);
  ASSERT_TRUE(made) << made.error().detail;
  const std::uint64_t told = made->octets();
  SevenBitWriter writer(std::move(*made));
  std::string out;
  ASSERT_TRUE(writer.update(octets, out) && writer.finish(out));
  EXPECT_EQ(out.size(), told);
  const std::string before = octets.substr(0, octets.find(part) + part.size() + 5);
  EXPECT_TRUE(out.starts_with(before + "Content-Transfer-Encoding: quoted-printable\r\n\r\nxxx"))
      << out;
  EXPECT_TRUE(plan(out)->changes_nothing());
  EXPECT_FALSE(plan("X-Long: " + std::string(1000, 'x') + "\r\n\r\n"));
}

TEST(SevenBit, RefusesLineEndsThatAreNone) {
  for (const std::string_view message :
       {std::string_view("a: b\r\n\r\na\nb"), std::string_view("a: b\r\n\r\na\rb"),
        std::string_view("a: b\r\n\r\na\r"), std::string_view("a: b\r\n\r\na\0b", 11)}) {
    SevenBitScan scan;
    Result<void> sound;
    for (const char& octet : message) {
      if (sound) sound = scan.update({&octet, 1});
    }
    EXPECT_FALSE(sound && scan.finish());
  }
}

TEST(SevenBit, IsBounded) {
  std::string deep = "MIME-Version: 1.0\r\n";
  for (int i = 0; i < 200; ++i) {
    const std::string boundary = "b" + std::to_string(1000 + i);
    deep +=
        "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  EXPECT_EQ(plan_of(deep + "\r\n日本\r\n").error().kind, ErrorKind::limit_exceeded);
  std::string many;
  for (std::size_t i = 0; i <= kPartsMax; ++i) many += "--b\r\n\r\n\r\n";
  EXPECT_EQ(
      plan_of(mail("Content-Type: multipart/mixed; boundary=b\r\n", many + "日本\r\n--b--\r\n"))
          .error()
          .kind,
      ErrorKind::limit_exceeded);
  EXPECT_EQ(plan_of(mail("", std::string(kSevenBitLineOctetsMax + 1, 'x'))).error().kind,
            ErrorKind::limit_exceeded);
}

TEST(SevenBit, DoesNoHarmToAnotherMessage) {
  auto plan = plan_of(mail("", "日本\r\n"));
  ASSERT_TRUE(plan);
  SevenBitWriter writer(std::move(*plan));
  std::string out;
  EXPECT_FALSE(writer.update(
      mail("Content-Type: multipart/mixed; boundary=b\r\n", "--b\r\n\r\na\r\n--b\r\n\r\nb\r\n"),
      out));
}

}  // namespace
}  // namespace todoku::mime
