// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "intake/check.h"

namespace todoku::intake {
namespace {

std::string joined(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems.list()) {
    for (const std::string& step : problem.path) out += step + ".";
    out += " " + problem.text.en + "\n";
  }
  return out;
}

Content good_content() {
  Content content;
  content.from = {"sender@example.jp", "送信者"};
  content.subject = "件名";
  content.text_part = "本文";
  return content;
}

std::string problems_of(Content content) {
  Problems problems;
  check_content(content, Limits{}, problems);
  return joined(problems);
}

TEST(CheckContent, AcceptsTheSmallestMail) {
  EXPECT_EQ(problems_of(good_content()), "");
}

TEST(CheckContent, NamesEveryFieldThatIsWrong) {
  Content content;
  content.from = {"x@y", std::string(51, 'n')};
  content.subject = "a\r\nBcc: victim@example.jp";
  content.html_part = "<![CDATA[";
  content.list_unsubscribe_mailto = "unsubscribe@example.jp";
  content.list_unsubscribe_url = "https://exa mple.jp/>,<mailto:x@example.jp";
  EXPECT_EQ(problems_of(content),
            "from.email. the character length is not in the range 6 through 254.\n"
            "from.name. the character length is not in the range 0 through 50.\n"
            "subject. must not contain line breaks or other control characters.\n"
            "html_part. must not contain CDATA.\n"
            "list_unsubscribe.mailto. unsubscribe@example.jp: invalid format. It must begin with "
            "mailto:.\n"
            "list_unsubscribe.url. invalid URI: it has an impossible host.\n");
}

TEST(CheckContent, AsksForATextOrHtml) {
  Content content = good_content();
  content.text_part = "";
  EXPECT_EQ(problems_of(content),
            "text_part. is required.\ntext_part. an html_part would do as well.\n");
  content.html_part = "<p>x</p>";
  EXPECT_EQ(problems_of(content), "");
}

TEST(CheckContent, TakesOutWhatMakesALabelShowAsAnother) {
  Content content = good_content();
  content.from.name = "\u202Ecod.\u2066shop\u2069\u200F";
  content.reply_to = Mailbox{"a@example.jp", "a\u2028b\u2800"};
  content.subject = "件\u202E名";
  content.attachments = {{"a\u202Egpj.txt", "", "x"}};
  Problems problems;
  check_content(content, Limits{}, problems);
  EXPECT_EQ(joined(problems), "");
  EXPECT_EQ(content.from.name, "cod.shop");
  EXPECT_EQ(content.reply_to->name, "ab");
  EXPECT_EQ(content.subject, "件名");
  EXPECT_EQ(content.attachments[0].file_name, "agpj.txt");
  content.from.name = "\u202E";
  content.subject = "\u202E";
  EXPECT_EQ(problems_of(content), "subject. is required.\n");
}

TEST(CheckContent, TakesUrisThatCanBeMadeValid) {
  Content content = good_content();
  content.list_unsubscribe_url = " https://日本語.jp/50% off?<__id__>,%%x%%\u3000";
  content.list_unsubscribe_mailto = "mailto:u@example.jp?subject=a, b";
  Problems problems;
  check_content(content, Limits{}, problems);
  EXPECT_EQ(joined(problems), "");
  EXPECT_EQ(content.list_unsubscribe_url, "https://日本語.jp/50% off?<__id__>,%%x%%");
}

TEST(CheckTransaction, WritesToAndCcCanonically) {
  TransactionRequest request{.content = good_content(),
                             .to = " taro@Example.JP. ",
                             .cc = {"a..b@日本語.jp"},
                             .bcc = {},
                             .insert_codes = {}};
  Problems problems;
  const auto recipients = check_transaction(request, Limits{}, problems);
  EXPECT_EQ(joined(problems), "");
  EXPECT_EQ(request.content.header_to, std::vector<std::string>{"taro@example.jp"});
  EXPECT_EQ(request.content.header_cc, std::vector<std::string>{"\"a..b\"@xn--wgv71a119e.jp"});
  EXPECT_EQ(recipients.at(0).address, "taro@example.jp");
}

TEST(CheckContent, CountsCharactersNotOctets) {
  Content content = good_content();
  content.subject.clear();
  for (int i = 0; i < 256; ++i) content.subject += "件";
  EXPECT_EQ(problems_of(content), "");
  content.subject += "件";
  EXPECT_EQ(problems_of(content),
            "subject. the character length is not in the range 1 through 256.\n");
}

TEST(CheckContent, RefusesDangerousAttachmentsWhateverTheirCase) {
  Content content = good_content();
  content.attachments = {{"report.pdf", "application/pdf", "x"}, {"run.EXE", "", "x"}};
  EXPECT_EQ(problems_of(content),
            "file.1. \"run.EXE\" has a file extension that cannot be attached.\n");
  content.attachments = {{"a.pdf", "", std::string((1U << 20U) + 1, 'x')}};
  EXPECT_EQ(problems_of(content),
            "file. the attachments have 1048577 bytes together; the limit is 1048576 bytes.\n");
}

TEST(CheckContent, SeesTheExtensionThatWindowsSees) {
  Content content = good_content();
  content.attachments = {{"a.exe. .", "", "x"},
                         {"a.exe.txt", "", "x"},
                         {". .", "", "x"},
                         {"a.exe::$DATA", "", "x"},
                         {"ａ．ＥＸＥ", "", "x"}};
  EXPECT_EQ(problems_of(content),
            "file.0. \"a.exe. .\" has a file extension that cannot be attached.\n"
            "file.3. \"a.exe::$DATA\" has a file extension that cannot be attached.\n"
            "file.4. \"ａ．ＥＸＥ\" has a file extension that cannot be attached.\n");
}

TEST(CheckInsertCodes, FollowsTheContractsRules) {
  Problems problems;
  check_insert_codes({{"__a__", "1"},
                      {"%%name%%", "2"},
                      {"__a%%", "3"},
                      {"__x__", ""},
                      {"a", ""},
                      {"__a__", "4"},
                      {"__na me__", ""}},
                     {"insert_code"}, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "insert_code.2.key. __a%%: invalid format.\n"
            "insert_code.4.key. the character length is not in the range 5 through 20.\n"
            "insert_code.5.key. __a__: the key is given more than once.\n"
            "insert_code.6.key. __na me__: invalid format.\n");
}

TEST(CheckInsertCodes, OfATemplateAreToldWhereTheirValuesStand) {
  Problems problems;
  Limits limits;
  limits.insert_value_characters_max = 3;
  check_codes_of({{"__a__", "long"}, {"{{a.b}}", "1"}, {"{{a.b}}", "2"}, {"{{c}}", "long"}},
                 {"to", "1"}, limits, problems);
  EXPECT_EQ(joined(problems),
            "to.1.insert_code.0.value. the character length is not in the range 0 through 3.\n"
            "to.1.data.a.b. {{a.b}}: the key is given more than once.\n"
            "to.1.data.c. the character length is not in the range 0 through 3.\n");
  EXPECT_EQ(path_of_code({}, "{{a b", 2, "key"), (Path{"insert_code", "2", "key"}));
}

TEST(CheckContent, RefusesWhatNotEveryStoreCanHold) {
  using namespace std::string_literals;
  for (const std::string& bad : {"a\0b"s, "a\xFF"s, "\xE5\x90"s, "\xED\xA0\x80"s}) {
    const std::string sentence =
        bad.contains('\0') ? " must not contain the character U+0000.\n" : " is not valid UTF-8.\n";
    const auto expect_refused = [&](const std::string& path, auto member) {
      Content content = good_content();
      content.attachments = {{"a.txt", "text/plain", bad}};  // data are octets
      EXPECT_EQ(problems_of(content), "");
      content.reply_to = Mailbox{"reply@example.jp", ""};
      member(content) += bad;
      const std::string found = problems_of(content);
      EXPECT_TRUE(found.starts_with(path)) << path << " " << found;
      if (path == "text_part." || path == "html_part.") EXPECT_EQ(found, path + sentence);
    };
    expect_refused("from.name.", [](Content& c) -> std::string& { return c.from.name; });
    expect_refused("reply_to.name.", [](Content& c) -> std::string& { return c.reply_to->name; });
    expect_refused("from.email.", [](Content& c) -> std::string& { return c.from.address; });
    expect_refused("subject.", [](Content& c) -> std::string& { return c.subject; });
    expect_refused("text_part.", [](Content& c) -> std::string& { return c.text_part; });
    expect_refused("html_part.", [](Content& c) -> std::string& { return c.html_part; });
    expect_refused("list_unsubscribe.url.", [](Content& c) -> std::string& {
      return c.list_unsubscribe_url = "https://example.jp/";
    });
    expect_refused("list_unsubscribe.mailto.", [](Content& c) -> std::string& {
      return c.list_unsubscribe_mailto = "mailto:a@example.jp";
    });
    expect_refused("file.0.",
                   [](Content& c) -> std::string& { return c.attachments[0].file_name; });
    expect_refused("file.0.",
                   [](Content& c) -> std::string& { return c.attachments[0].mime_type; });
    Problems problems;
    check_insert_codes({{"__a__", bad}}, {"insert_code"}, Limits{}, problems);
    EXPECT_EQ(joined(problems), "insert_code.0.value." + sentence);
  }
}

TEST(CheckContent, AnUnsubscribeAddressFitsOnALineOfTheHeader) {
  Content content = good_content();
  content.list_unsubscribe_url = "https://example.jp/" + std::string(431, 'u');
  EXPECT_EQ(problems_of(content), "");
  for (int i = 0; i < 98; ++i) content.list_unsubscribe_mailto += "届";
  content.list_unsubscribe_mailto = "mailto:a@example.jp?s=" + content.list_unsubscribe_mailto;
  EXPECT_EQ(problems_of(content),
            "list_unsubscribe.mailto. invalid URI: it has 904 bytes when it is percent-encoded; "
            "the limit is 900 "
            "bytes.\n");
}

TEST(CheckContent, OneClickIsSaidOfAnHttpsUrl) {
  Content content = good_content();
  content.list_unsubscribe_one_click = true;
  for (const std::string_view url : {"", "http://example.jp/", "HTTP://example.jp/"}) {
    content.list_unsubscribe_url = url;
    EXPECT_EQ(problems_of(content),
              "list_unsubscribe.one_click. is true, and list_unsubscribe.url is no https URL.\n");
  }
  for (const std::string_view url : {"https://example.jp/", "HTTPS://example.jp/__id__"}) {
    content.list_unsubscribe_url = url;
    EXPECT_EQ(problems_of(content), "");
  }
}

TEST(CheckUnsubscribeLink, TheCodeStandsWhereThereIsALink) {
  Content content = good_content();
  content.text_part += " __unsubscribe_url__";
  content.html_part = "<p>x</p>";
  const auto found = [&](bool has_link, Purpose purpose) {
    Limits limits;
    limits.unsubscribe_link = has_link;
    Problems problems;
    check_unsubscribe_link(content, purpose, limits, problems);
    return joined(problems);
  };
  EXPECT_EQ(found(true, Purpose::advertisement), "");
  EXPECT_EQ(found(false, Purpose::advertisement),
            "text_part. has __unsubscribe_url__, and there is no link to put in: api.public_url is "
            "no https URL here.\n");
  EXPECT_EQ(found(true, Purpose::notice),
            "text_part. has __unsubscribe_url__, which advertisements have a link for; the purpose "
            "is another.\n");
  content = good_content();
  EXPECT_EQ(found(false, Purpose::transactional), "");
  Problems problems;
  check_insert_codes({{"__unsubscribe_url__", "x"}}, {"insert_code"}, Limits{}, problems);
  EXPECT_EQ(joined(problems), "insert_code.0.key. __unsubscribe_url__: invalid format.\n");
}

TEST(CheckContent, SendersAreTrimmedAndThenWritable) {
  Content content = good_content();
  content.from.address = "\u3000order@shop.example\u200B\r\n";
  content.reply_to = Mailbox{"\uFEFFhelp@shop.example ", ""};
  Problems problems;
  check_content(content, Limits{}, problems);
  EXPECT_EQ(joined(problems), "");
  EXPECT_EQ(content.from.address, "order@shop.example");
  EXPECT_EQ(content.reply_to->address, "help@shop.example");
  content.from.address = "order\u200B@shop.example";
  content.reply_to->address = "届く@shop.example";
  EXPECT_EQ(problems_of(content),
            "from.email. invalid e-mail format: it has the invisible character U+200B ZERO WIDTH "
            "SPACE at "
            "character 6.\n"
            "reply_to.email. invalid e-mail format: it has a local part beyond ASCII, which no "
            "sender may have.\n");
  UpdateRequest update;
  update.reply_to = content.reply_to;
  check_update(update, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "reply_to.email. invalid e-mail format: it has a local part beyond ASCII, which no "
            "sender may have.\n");
}

TEST(CheckInsertCodes, ValuesAreUtf8) {
  Problems problems;
  check_insert_codes({{"__a__", "日本"}, {"__b__", "\x93\xFA"}, {"__c__", "\xE5\x90"}},
                     {"insert_code"}, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "insert_code.1.value. is not valid UTF-8.\n"
            "insert_code.2.value. is not valid UTF-8.\n");
}

TEST(CheckTransaction, OneRecipientPerAddress) {
  TransactionRequest request;
  request.content = good_content();
  request.to = "One@example.jp";
  request.cc = {"two@example.jp", "one@example.jp"};
  request.bcc = {"three@example.jp"};
  Problems problems;
  const auto recipients = check_transaction(request, Limits{}, problems);
  ASSERT_TRUE(problems.empty()) << joined(problems);
  ASSERT_EQ(recipients.size(), 3U);
  EXPECT_EQ(recipients[0].address, "One@example.jp");
  EXPECT_EQ(recipients[2].domain, "example.jp");
}

TEST(CheckTransaction, RecipientsAreTrimmedBeforeTheyAreCompared) {
  TransactionRequest request;
  request.content = good_content();
  request.to = " one@example.jp\u00A0";
  request.cc = {"two@example.jp\u200B", "one@example.jp"};
  request.bcc = {"three\u200D@example.jp"};
  Problems problems;
  auto recipients = check_transaction(request, Limits{}, problems);
  EXPECT_EQ(
      joined(problems),
      "bcc.0. invalid e-mail format: it has the invisible character U+200D ZERO WIDTH JOINER at "
      "character 6.\n");
  ASSERT_EQ(recipients.size(), 2U);
  EXPECT_EQ(recipients[0].address, "one@example.jp");
  EXPECT_EQ(request.content.header_to, std::vector<std::string>{"one@example.jp"});
  EXPECT_EQ(request.content.header_cc,
            (std::vector<std::string>{"two@example.jp", "one@example.jp"}));
}

TEST(CheckTransaction, ReportsWhichCcIsWrong) {
  TransactionRequest request;
  request.content = good_content();
  request.to = "one@example.jp, two@example.jp";
  request.cc = {"two@example.jp", "broken"};
  Problems problems;
  (void)check_transaction(request, Limits{}, problems);
  EXPECT_EQ(joined(problems),
            "to. invalid e-mail format: it has more than one address, write one.\n"
            "cc.1. invalid e-mail format: it has no @.\n");
}

}  // namespace
}  // namespace todoku::intake
