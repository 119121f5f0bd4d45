// SPDX-License-Identifier: Apache-2.0
#include "mime/mailbox_list.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace todoku::mime {
namespace {

// "name|address" of each, with what is not usual about it; or the clause.
std::string listed(std::string_view body) {
  const auto list = parse_mailbox_list(body);
  if (!list) return list.error().detail;
  std::string out;
  for (const ListedMailbox& one : *list) {
    if (!out.empty()) out += ", ";
    out += one.mailbox.name + "|" + one.mailbox.address;
    if (one.in_group) out += " in a group";
    if (!one.is_qualified) out += " unqualified";
  }
  return out;
}

TEST(MailboxList, ReadsWhatTheStandardShows) {  // RFC 5322 appendix A
  EXPECT_EQ(listed("John Doe <jdoe@machine.example>"), "John Doe|jdoe@machine.example");
  EXPECT_EQ(listed("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
            "Mary Smith|mary@x.test, |jdoe@example.org, Who?|one@y.test");
  EXPECT_EQ(listed("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
            "|boss@nil.test, Giant; \"Big\" Box|sysservices@example.net");
  EXPECT_EQ(listed("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
            "Ed Jones|c@a.test in a group, |joe@where.test in a group, "
            "John|jdoe@one.test in a group");
  EXPECT_EQ(listed("Undisclosed recipients:;"), "");
  EXPECT_EQ(listed("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
            "Pete|pete@silly.test");
  EXPECT_EQ(listed("Joe Q. Public <john.q.public@example.com>"),
            "Joe Q. Public|john.q.public@example.com");
  EXPECT_EQ(listed("Mary Smith <@node.test,@b.test:mary@example.net>, , jdoe@test . example"),
            "Mary Smith|mary@example.net, |jdoe@test.example");
}

TEST(MailboxList, ReadsWhatProgramsWrite) {
  EXPECT_EQ(listed("root@mail.example.jp (Cron Daemon)"), "Cron Daemon|root@mail.example.jp");
  EXPECT_EQ(listed("info@example.jp <info@example.jp>"), "info@example.jp|info@example.jp");
  EXPECT_EQ(listed("\"info@example.com\" <info@example.jp>"), "info@example.com|info@example.jp");
  EXPECT_EQ(listed("=?UTF-8?B?5bGK44GP?= <a@example.jp>"), "届く|a@example.jp");
  EXPECT_EQ(listed("=?UTF-8?Q?=E5=B1=8A?= =?UTF-8?Q?=E3=81=8F?= <a@example.jp>"),
            "届く|a@example.jp");
  EXPECT_EQ(listed("=?UTF-8?Q?Example,_Inc.?= <a@example.jp>"), "Example, Inc.|a@example.jp");
  EXPECT_EQ(listed("届く <a@example.jp>"), "届く|a@example.jp");
  EXPECT_EQ(listed("<届@example.jp>"), "|届@example.jp");
  EXPECT_EQ(listed("a@日本.example"), "|a@xn--wgv71a.example");
  EXPECT_EQ(listed("\"a..b.\"@docomo.example"), listed("a..b.@docomo.example"));
  // What is quoted is what it says (RFC 2047 section 5).
  EXPECT_EQ(listed("\"=?UTF-8?Q?x?=\" <a@example.jp>"), "=?UTF-8?Q?x?=|a@example.jp");
}

TEST(MailboxList, TellsWhoIsNotQualified) {
  EXPECT_EQ(listed("root"), "|root unqualified");
  EXPECT_EQ(listed("root (Cron Daemon)"), "Cron Daemon|root unqualified");
  EXPECT_EQ(listed("\"(Cron Daemon)\" <root>"), "(Cron Daemon)|root unqualified");
  EXPECT_EQ(listed("root@host"), "|root@host unqualified");
  for (const std::string_view dot : {"\u3002", "\uFF0E", "\uFF61"}) {
    EXPECT_EQ(listed(fmt::format("a@shop{}example", dot)), "|a@shop.example") << dot;
  }
}

// Each is one address to one reader and another to the next, or to none.
TEST(MailboxList, RefusesWhatIsReadInTwoWays) {
  EXPECT_EQ(listed("info@example.com <info@example.jp>"), "has another address before the <");
  EXPECT_EQ(listed("John Smith john@example.jp"), "has a name without < and > around the address");
  for (const std::string_view text : {"a@example.jp b@example.jp", "a@@b"}) {
    EXPECT_EQ(listed(text), "has an address with something that is no domain behind its @") << text;
  }
  EXPECT_EQ(listed("<a@example.jp> <b@example.jp>"), "has something behind an address");
  EXPECT_EQ(listed("<a@example.jp>b@example.jp"), "has something behind an address");
  EXPECT_EQ(listed("<a@example.jp,b@example.jp>"), "has a < without its >");
  EXPECT_EQ(listed("a@example.jp@example.com"), "has something behind an address");
  EXPECT_EQ(listed("Support: Example <a@example.jp>"),
            "has a name with a colon, or a group without its end");
  EXPECT_EQ(listed("a@example.jp; b@example.jp"), "has a semicolon where no group ends");
  // No word that hides an address from one reader is one to another.
  EXPECT_EQ(parse_mailbox_list("=?UTF-8?Q?a@example.com,?= <a@example.jp>")->size(), 2U);
  EXPECT_EQ(listed("<>"), "has an address with nothing before the @");
  EXPECT_EQ(listed("x\x1B$B <a@example.jp>"), "has a control character");
  EXPECT_EQ(listed("\"x <a@example.jp>"), "has a quoted string without an end");
  EXPECT_EQ(listed("a@example.jp (x"), "has a comment without an end");
  EXPECT_EQ(listed("a@[192.0.2.1"), "has a [ without its ]");
}

TEST(MailboxList, IsBounded) {
  std::string many;
  for (std::size_t i = 0; i <= kMailboxesMax; ++i) many += "a@example.jp,";
  EXPECT_EQ(listed(many), "has more than 100 addresses");
  EXPECT_EQ(listed(std::string(51, '(')), "has comments within comments");
  EXPECT_EQ(listed(std::string(70'000, 'a')), "is longer than 65536 octets");
}

}  // namespace
}  // namespace todoku::mime
