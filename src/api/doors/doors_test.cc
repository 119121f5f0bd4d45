// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/doors/failures.h"
#include "api/doors/fields.h"
#include "api/doors/postmark.h"
#include "api/doors/resend.h"
#include "api/doors/sendgrid.h"
#include "api/doors/ses.h"
#include "api/doors/ses_raw.h"
#include "base/bytes.h"
#include "http/json.h"

namespace todoku::api::doors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const intake::Limits kLimits;

class Json {
 public:
  explicit Json(std::string text) : text_(std::move(text)) {
    value_.emplace(http::parse_json(text_, arena_, {.keeps_literals = true}).value());
  }
  [[nodiscard]] const boost::json::object& object() const { return value_->get_object(); }

 private:
  std::string text_;
  http::JsonArena arena_;
  std::optional<boost::json::value> value_;
};

std::string told(const intake::Problems& problems) {
  std::string all;
  for (const auto& problem : problems.list()) {
    all += joined(problem.path) + " " + problem.text.en + "\n";
  }
  return all;
}

std::string page(std::string_view name) {
  std::ifstream file(std::string(TODOKU_SOURCE_DIR) + "/docs/" + std::string(name));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Table {
  std::string_view name;
  std::span<const Field> fields;
};
std::vector<Table> tables() {
  return {{"resend", fields_of(Service::resend)},        {"postmark", fields_of(Service::postmark)},
          {"sendgrid", fields_of(Service::sendgrid)},    {"ses", fields_of(Service::ses)},
          {"postmark templates", fields_of_templates()}, {"ses bulk", fields_of_bulk()}};
}

TEST(DoorTables, ArePartsOfThePages) {
  for (const auto& [name, fields] : tables()) {
    EXPECT_THAT(page("doors.md"), HasSubstr(table_of(fields, Language::english))) << name;
    EXPECT_THAT(page("doors.ja.md"), HasSubstr(table_of(fields, Language::japanese))) << name;
  }
}

TEST(DoorTables, SayWhyOfWhatIsNotTaken) {
  for (const auto& [name, fields] : tables()) {
    for (const Field& field : fields) {
      EXPECT_FALSE(field.note.en.empty() || field.note.ja.empty()) << name << field.path;
    }
  }
}

TEST(Resend, IsReadAsItsClientsWriteIt) {
  const Json json(R"({"from":"Shop <shop@example.jp>","to":["Taro <taro@example.com>",
    "b@example.com"],"cc":"c@example.com","bcc":["d@example.com"],"reply_to":"help@example.jp",
    "subject":"s","html":"<p>h</p>","text":"t","headers":{"X-Order":"7",
    "List-Unsubscribe":"<mailto:u@example.jp>, <https://example.jp/u>",
    "List-Unsubscribe-Post":"List-Unsubscribe=One-Click"},
    "attachments":[{"filename":"a.txt","content":"aGk=","content_type":"text/plain"},
    {"filename":"i.png","content":"aGk=","content_id":"logo","path":null}],
    "scheduled_at":"2026-12-01T00:00:00Z","tags":[{"name":"kind","value":"order"}]})");
  const Letter letter = resend::read(json.object(), kLimits);
  ASSERT_TRUE(letter.problems.empty()) << told(letter.problems);
  const intake::TransactionRequest& request = letter.request;
  EXPECT_EQ(request.content.from, (Mailbox{"shop@example.jp", "Shop"}));
  EXPECT_EQ(request.to, "taro@example.com");
  EXPECT_TRUE(letter.has_names);
  EXPECT_THAT(request.more_to, ElementsAre("b@example.com"));
  EXPECT_THAT(request.cc, ElementsAre("c@example.com"));
  EXPECT_THAT(request.bcc, ElementsAre("d@example.com"));
  EXPECT_EQ(request.content.reply_to, (Mailbox{"help@example.jp", ""}));
  EXPECT_EQ(request.content.text_part, "t");
  EXPECT_EQ(request.content.html_part, "<p>h</p>");
  EXPECT_THAT(request.content.headers, ElementsAre(ExtraHeader{"X-Order", "7"}));
  EXPECT_EQ(request.content.list_unsubscribe_mailto, "mailto:u@example.jp");
  EXPECT_EQ(request.content.list_unsubscribe_url, "https://example.jp/u");
  EXPECT_TRUE(request.content.list_unsubscribe_one_click);
  EXPECT_THAT(request.content.attachments, ElementsAre(Attachment{"a.txt", "text/plain", "hi"},
                                                       Attachment{"i.png", "", "hi", "logo"}));
  EXPECT_TRUE(request.send_at.has_value());
  EXPECT_THAT(*request.labels.tags, ElementsAre("kind:order"));
}

TEST(Resend, RefusesByNameWhatWouldBeLost) {
  const Json json(R"({"from":"a@example.jp","to":"b@example.com",
    "attachments":[{"path":"https://example.jp/a"}],"shiny":1,"attachments[].filename":"x","scheduled_at":"in 1 min",
    "topic_id":null})");
  const std::string problems = told(resend::read(json.object(), kLimits).problems);
  EXPECT_THAT(problems, HasSubstr("attachments.0.path is not supported"));
  EXPECT_THAT(problems, HasSubstr("attachments[].filename is a field that is not known"));
  EXPECT_THAT(problems, HasSubstr("shiny is a field that is not known"));
  EXPECT_THAT(problems, HasSubstr("scheduled_at "));
  EXPECT_EQ(problems.find("topic_id"), std::string::npos);
}

TEST(Postmark, IsReadAsItsClientsWriteIt) {
  const Json json(R"({"From":"shop@example.jp","To":"A <a@example.com>, b@example.com",
    "Cc":"","Subject":"s","TextBody":"t","Tag":"welcome","Metadata":{"order":"7"},
    "TrackOpens":false,"TrackLinks":"None","MessageStream":"outbound",
    "Headers":[{"Name":"X-A","Value":"1"}],
    "Attachments":[{"Name":"a.txt","Content":"aGk=","ContentType":"text/plain",
    "ContentID":"cid:i"}]})");
  const postmark::Mail mail = postmark::read(json.object(), kLimits);
  ASSERT_TRUE(mail.letter.problems.empty()) << told(mail.letter.problems);
  EXPECT_EQ(mail.to, "A <a@example.com>, b@example.com");
  EXPECT_TRUE(mail.no_stream.empty());
  const intake::TransactionRequest& request = mail.letter.request;
  EXPECT_EQ(request.to, "a@example.com");
  EXPECT_THAT(request.more_to, ElementsAre("b@example.com"));
  EXPECT_THAT(request.cc, IsEmpty());
  EXPECT_THAT(*request.labels.tags, ElementsAre("welcome"));
  EXPECT_THAT(request.attached.metadata, ElementsAre(MetadataMember{"order", "7"}));
  EXPECT_EQ(request.open_tracking, false);
  EXPECT_EQ(request.content.attachments.front().content_id, "i");
}

TEST(Postmark, NamesTheStreamThatIsNotThereAndRefusesRewrittenLinks) {
  const Json json(R"({"From":"a@example.jp","To":"b@example.com","MessageStream":"broadcast",
    "TrackLinks":"HtmlOnly"})");
  const postmark::Mail mail = postmark::read(json.object(), kLimits);
  EXPECT_EQ(mail.no_stream, "broadcast");
  EXPECT_THAT(told(mail.letter.problems), HasSubstr("TrackLinks is not supported"));
}

TEST(Sendgrid, MakesAMailOfEachPersonalization) {
  const Json json(R"({"from":{"email":"shop@example.jp","name":"Shop"},"subject":"Hi -name-",
    "personalizations":[
      {"to":[{"email":"a@example.com"},{"email":"b@example.com","name":"B"}],
       "substitutions":{"-name-":"-x-","-x-":"never"},"custom_args":{"order":7}},
      {"to":[{"email":"c@example.com"}],"subject":"own","send_at":1900000000,
       "from":{"email":"other@example.jp"},"headers":{"X-A":"2"}}],
    "content":[{"type":"text/plain","value":"-name-!"},{"type":"text/html","value":"<b>-name-"}],
    "categories":["news"],"headers":{"X-A":"1"},
    "mail_settings":{"sandbox_mode":{"enable":false},"footer":{"enable":false,"text":"x"}},
    "tracking_settings":{"click_tracking":{"enable":false,"enable_text":false},
      "open_tracking":{"enable":false}}})");
  const sendgrid::Mails mails(json.object(), kLimits);
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_FALSE(mails.is_sandboxed());
  const Letter first = mails.mail(0);
  ASSERT_TRUE(first.problems.empty()) << told(first.problems);
  EXPECT_EQ(first.request.content.subject, "Hi -x-");
  EXPECT_EQ(first.request.content.text_part, "-x-!");
  EXPECT_EQ(first.request.content.html_part, "<b>-x-");
  EXPECT_THAT(first.request.more_to, ElementsAre("b@example.com"));
  EXPECT_THAT(*first.request.labels.tags, ElementsAre("news"));
  EXPECT_THAT(first.request.attached.metadata, ElementsAre(MetadataMember{"order", "7"}));
  EXPECT_EQ(first.request.open_tracking, false);
  const Letter second = mails.mail(1);
  EXPECT_EQ(second.request.content.from.address, "other@example.jp");
  EXPECT_EQ(second.request.content.subject, "own");
  EXPECT_TRUE(second.request.send_at.has_value());
  EXPECT_THAT(second.request.content.headers, ElementsAre(ExtraHeader{"X-A", "2"}));
}

TEST(Sendgrid, RefusesByNameWhatHasNoCounterpart) {
  const Json json(R"({"from":{"email":"a@example.jp"},"sections":{"a":"b"},"asm":{"group_id":1},
    "personalizations":[{"to":[{"email":"b@example.com"}]}],
    "tracking_settings":{"click_tracking":{"enable":true}},"ip_pool_name":"p"})");
  const sendgrid::Mails mails(json.object(), kLimits);
  const std::string problems = told(mails.mail(0).problems);
  for (const std::string_view name :
       {"sections", "asm", "tracking_settings.click_tracking", "ip_pool_name"}) {
    EXPECT_THAT(problems, HasSubstr(std::string(name) + " is not supported")) << problems;
  }
}

TEST(Sendgrid, RefusesWhatWouldBeLostOfWhatItTakes) {
  const auto told_of = [](std::string_view fields, std::string_view personal = "") {
    const Json json(R"({"subject":"s",)" + std::string(fields) +
                    R"(,"personalizations":[{"to":[{"email":"b@example.com"}])" +
                    std::string(personal) + "}]}");
    return told(sendgrid::Mails(json.object(), kLimits).mail(0).problems);
  };
  const std::string from = R"("from":{"email":"a@example.jp"})";
  EXPECT_EQ(told_of(from), "");
  EXPECT_THAT(told_of(from + R"(,"content":[{"type":"text/plain","value":"a"},)"
                             R"({"type":"Text/Plain; charset=utf-8","value":"b"}])"),
              HasSubstr("content.1.type "));
  EXPECT_THAT(told_of(R"("from":{"name":"Shop"})"), HasSubstr("from.email is required"));
  EXPECT_THAT(told_of(from + R"(,"reply_to":{"name":"Help"})"),
              HasSubstr("reply_to.email is required"));
  EXPECT_THAT(told_of(from + R"(,"reply_to_list":[{"name":"Help"}])"),
              HasSubstr("reply_to_list.0.email is required"));
  EXPECT_THAT(told_of(from, R"(,"from":{"name":"Other"})"),
              HasSubstr("personalizations.0.from.email is required"));
  EXPECT_THAT(told_of(from + R"(,"attachments":[{"filename":"a.txt","content":""}])"),
              HasSubstr("attachments.0.content is required"));
  EXPECT_THAT(told_of(from + R"(,"attachments":[{"filename":"a.txt","content":"aGk=",)"
                             R"("disposition":"shown"}])"),
              HasSubstr("attachments.0.disposition "));
}

TEST(Sendgrid, ShowsAnAttachedFileThatTheHtmlRefersTo) {
  const Json json(R"({"from":{"email":"a@example.jp"},"subject":"s",
    "personalizations":[{"to":[{"email":"b@example.com"}]}],
    "content":[{"type":"text/html","value":"<img src=\"cid:logo\">"}],
    "attachments":[
    {"filename":"l.png","content":"aGk=","disposition":"attachment","content_id":"logo"},
    {"filename":"a.txt","content":"aGk=","disposition":"attachment","content_id":"myfile"}]})");
  const Letter letter = sendgrid::Mails(json.object(), kLimits).mail(0);
  ASSERT_TRUE(letter.problems.empty()) << told(letter.problems);
  EXPECT_EQ(letter.request.content.attachments[0].content_id, "logo");
  EXPECT_EQ(letter.request.content.attachments[1].content_id, "");
}

TEST(Resend, HasNobodyWithoutAnAddressInAList) {
  const Json json(R"({"from":"a@example.jp","to":["b@example.com",""],"cc":"","subject":"s",
    "text":"t","attachments":[{"filename":"a.txt","content":""}]})");
  EXPECT_EQ(told(resend::read(json.object(), kLimits).problems),
            "to.1 is required.\nattachments.0.content is required.\n");
}

TEST(Sendgrid, TheLongestKeyThatStandsAtAPlaceCounts) {
  const sendgrid::Substitutions values(
      {{"aab", "3"}, {"a", "1"}, {"aa", "2"}, {"aac", "4"}, {"-\xe5", "5"}, {"z", ""}});
  EXPECT_EQ(values.in("aab aac aad a ab b", 100), "3 4 2d 1 1b b");
  EXPECT_EQ(values.in("aabaaca", 100), "341");
  EXPECT_EQ(values.in("-\xe5\xe5-", 100), "5\xe5-");
  EXPECT_EQ(values.in("azzz", 100), "1");
  EXPECT_EQ(values.in("", 100), "");
  const sendgrid::Substitutions nested({{"abc", "3"}, {"ab", "2"}, {"abcd!", "5"}});
  EXPECT_EQ(nested.in("abcd abz az abcd!", 100), "3d 2z az 5");
}

TEST(Sendgrid, PutsInNoMoreThanATextMayHave) {
  const sendgrid::Substitutions values({{"a", "xyz"}, {"b", ""}});
  EXPECT_EQ(values.in("aab", 6), "xyzxyz");
  EXPECT_EQ(values.in("aab.", 6), std::nullopt);
  EXPECT_EQ(values.in("bbbbbbb", 6), std::nullopt);
  const Json json(R"({"from":{"email":"a@example.jp"},"subject":"s","personalizations":[
    {"to":[{"email":"b@example.com"}],"substitutions":{"a":")" +
                  std::string(9'000, 'y') + R"("}}],
    "content":[{"type":"text/plain","value":")" +
                  std::string(10'000, 'a') + R"("}]})");
  const sendgrid::Mails mails(json.object(), kLimits);
  EXPECT_EQ(told(mails.mail(0).problems),
            "text_part " + intake::texts::length(0, kLimits.text_part_characters_max).en + "\n");
}

TEST(Sendgrid, AllMailsTogetherHaveALimitOfWhatIsPutIn) {
  std::string personalizations;
  for (int i = 0; i < 320; ++i) {
    personalizations += R"({"to":[{"email":"b@example.com"}],"substitutions":{"-n-":"1"}},)";
  }
  personalizations.pop_back();
  intake::Limits limits;
  limits.html_part_characters_max = std::size_t{1} << 20U;
  const Json json(R"({"from":{"email":"a@example.jp"},"subject":"s","personalizations":[)" +
                  personalizations + R"(],"content":[{"type":"text/html","value":")" +
                  std::string(std::size_t{420} * 1024, 'a') + R"(-n-"}]})");
  const sendgrid::Mails mails(json.object(), limits);
  EXPECT_TRUE(mails.mail(0).problems.empty());
  for (int again = 0; again < 5; ++again) (void)mails.mail(1);
  EXPECT_TRUE(mails.mail(1).problems.empty());
  std::size_t sound = 0;
  while (sound < mails.size() && mails.mail(sound).problems.empty()) ++sound;
  EXPECT_EQ(sound, 312U);
  EXPECT_THAT(told(mails.mail(sound).problems), HasSubstr("128 MiB"));
}

TEST(Sendgrid, PutsValuesIntoTheAddressesToLeaveBy) {
  const Json json(R"({"from":{"email":"a@example.jp"},"subject":"s","personalizations":[
    {"to":[{"email":"b@example.com"}],"substitutions":{"-u-":"77"}}],
    "headers":{"List-Unsubscribe":"<https://a.example/-u->, <mailto:u+-u-@a.example>"},
    "content":[{"type":"text/plain","value":"t"}]})");
  const Letter letter = sendgrid::Mails(json.object(), kLimits).mail(0);
  ASSERT_TRUE(letter.problems.empty()) << told(letter.problems);
  EXPECT_EQ(letter.request.content.list_unsubscribe_url, "https://a.example/77");
  EXPECT_EQ(letter.request.content.list_unsubscribe_mailto, "mailto:u+77@a.example");
}

TEST(Sendgrid, TimesThatAreNoneAreRefused) {
  for (const std::string_view at : {"-1", "253402300800", "18446745869734350"}) {
    const Json json(R"({"from":{"email":"a@example.jp"},"send_at":)" + std::string(at) +
                    R"(,"personalizations":[{"to":[{"email":"b@example.com"}]}]})");
    const sendgrid::Mails mails(json.object(), kLimits);
    EXPECT_THAT(told(mails.mail(0).problems), HasSubstr("send_at ")) << at;
  }
}

TEST(Sendgrid, WithoutPersonalizationsThereIsNoMail) {
  const Json json(R"({"from":{"email":"a@example.jp"},"personalizations":[]})");
  const sendgrid::Mails mails(json.object(), kLimits);
  EXPECT_EQ(mails.size(), 0U);
  EXPECT_THAT(told(mails.problems()), HasSubstr("personalizations is required"));
}

TEST(Ses, ReadsASimpleMail) {
  const Json json(R"({"FromEmailAddress":"Shop <shop@example.jp>","Destination":{
    "ToAddresses":["a@example.com","b@example.com"],"CcAddresses":["c@example.com"]},
    "ReplyToAddresses":["r@example.jp"],"EmailTags":[{"Name":"kind","Value":"order"}],
    "Content":{"Simple":{"Subject":{"Data":"s","Charset":"UTF-8"},
    "Body":{"Text":{"Data":"t"},"Html":{"Data":"<p>h"}},
    "Headers":[{"Name":"X-A","Value":"1"}],
    "Attachments":[{"RawContent":"aGk=","FileName":"a.txt","ContentType":"text/plain"},
    {"RawContent":"aGk=","FileName":"i.png","ContentDisposition":"INLINE","ContentId":"i"}]}}})");
  const ses::Email email = ses::read_email(json.object(), kLimits);
  ASSERT_TRUE(email.letter.problems.empty()) << told(email.letter.problems);
  EXPECT_FALSE(email.missing);
  const intake::TransactionRequest& request = email.letter.request;
  EXPECT_EQ(request.content.from, (Mailbox{"shop@example.jp", "Shop"}));
  EXPECT_THAT(request.more_to, ElementsAre("b@example.com"));
  EXPECT_THAT(request.cc, ElementsAre("c@example.com"));
  EXPECT_EQ(request.content.subject, "s");
  EXPECT_EQ(request.content.html_part, "<p>h");
  EXPECT_EQ(request.content.attachments[1].content_id, "i");
  EXPECT_THAT(*request.labels.tags, ElementsAre("kind:order"));
}

TEST(Ses, NamesWhatIsNotThereAndWhatIsNotTaken) {
  const Json json(R"({"FromEmailAddress":"a@example.jp","ConfigurationSetName":"mine",
    "Destination":{"ToAddresses":["b@example.com"]},"Content":{"Template":{"TemplateName":"n",
    "Attachments":[{}]}},"TenantName":"t"})");
  const ses::Email email = ses::read_email(json.object(), kLimits);
  ASSERT_TRUE(email.missing);
  EXPECT_EQ(email.missing->text, "Configuration set <mine> does not exist.");
  EXPECT_THAT(told(email.letter.problems),
              HasSubstr("Content.Template.Attachments is not supported"));
  EXPECT_THAT(told(email.letter.problems), HasSubstr("TenantName is not supported"));
}

std::string told_of_ses(std::string_view content) {
  const Json json(R"({"FromEmailAddress":"a@example.jp","Destination":{"ToAddresses":[
    "b@example.com"]},"Content":{)" +
                  std::string(content) + "}}");
  return told(ses::read_email(json.object(), kLimits).letter.problems);
}

// SendEmail of a whole message, with these members beside the content.
ses::RawMail raw_mail(std::string_view message, std::string_view members = "") {
  const Json json(R"({"Content":{"Raw":{"Data":")" + to_base64(message) + R"("}})" +
                  std::string(members) + "}");
  return ses::read_raw_mail(ses::read_email(json.object(), kLimits), kLimits,
                            {.message_id = "made@example.jp",
                             .repeat_key = "call-1",
                             .hostname = "mail.example.jp",
                             .own_names = {"mail.example.jp"}});
}

std::vector<std::string> recipients_of(const ses::RawMail& raw) {
  std::vector<std::string> all;
  for (const auto& recipient : raw.mail.recipients) all.push_back(recipient.address);
  return all;
}

TEST(SesRaw, GoesToWhomItsFieldsName) {
  const ses::RawMail raw = raw_mail(
      "From: Shop <shop@example.jp>\nTo: A <a@example.com>,\n b@example.com\n"
      "Cc: c@example.com\nBcc: d@example.com\nX-Todoku-Tags: x\nSubject: s\n\nHi\n",
      R"(,"EmailTags":[{"Name":"kind","Value":"order"}])");
  ASSERT_TRUE(raw.problems.empty()) << told(raw.problems);
  EXPECT_THAT(recipients_of(raw),
              ElementsAre("a@example.com", "b@example.com", "c@example.com", "d@example.com"));
  EXPECT_THAT(raw.mail.octets, HasSubstr("\r\nMessage-ID: <made@example.jp>\r\n"));
  EXPECT_THAT(raw.mail.octets, HasSubstr("To: A <a@example.com>,\r\n b@example.com\r\n"));
  EXPECT_TRUE(raw.mail.octets.ends_with("\r\n\r\nHi\r\n"));
  EXPECT_EQ(raw.mail.octets.find("Bcc"), std::string::npos);
  EXPECT_EQ(raw.mail.octets.find("X-Todoku"), std::string::npos);
  EXPECT_FALSE(raw.mail.submitted.unheard.empty());
  EXPECT_EQ(raw.mail.submitted.from.address, "shop@example.jp");
  EXPECT_EQ(raw.mail.envelope.mail_from, "shop@example.jp");
  EXPECT_THAT(raw.mail.submitted.options.tags, ElementsAre("kind:order"));
  EXPECT_EQ(raw.mail.submitted.options.idempotency_key, "call-1");
  EXPECT_EQ(raw.mail.submitted.message_id, "made@example.jp");
}

TEST(SesRaw, GoesToWhomTheRequestNamesAndToNobodyElse) {
  const ses::RawMail raw = raw_mail(
      "To: undisclosed-recipients:;\r\nCc: c@example.com\r\nMessage-ID: <own@example.jp>\r\n\r\n.",
      R"(,"FromEmailAddress":"Shop <shop@example.jp>","Destination":{
      "ToAddresses":["a@example.com"],"BccAddresses":["A@example.com","b@example.com"]})");
  ASSERT_TRUE(raw.problems.empty()) << told(raw.problems);
  EXPECT_THAT(recipients_of(raw), ElementsAre("a@example.com", "A@example.com", "b@example.com"));
  EXPECT_THAT(raw.mail.octets, HasSubstr("From: shop@example.jp\r\n"));
  EXPECT_EQ(raw.mail.submitted.message_id, "own@example.jp");
  EXPECT_TRUE(raw.mail.envelope.has_leading_dot);
}

// A large list that goes out in parts of fifty has all of it in To.
TEST(SesRaw, WhomItsFieldsNameIsNobodysBusinessWhereTheRequestSaysWhom) {
  std::string message = "From: a@example.jp\nCc: no address\nTo: x0@example.com";
  for (int i = 1; i <= 60; ++i) message += fmt::format(",\n x{}@example.com", i);
  const ses::RawMail raw =
      raw_mail(message + "\n\nHi", R"(,"Destination":{"ToAddresses":["x7@example.com"]})");
  ASSERT_TRUE(raw.problems.empty()) << told(raw.problems);
  EXPECT_THAT(recipients_of(raw), ElementsAre("x7@example.com"));
}

TEST(SesRaw, TellsThatItWasHereAndIsRefusedWhereItWasHereTooOften) {
  const std::string good = "From: a@example.jp\nTo: b@example.com\n\nHi";
  const ses::RawMail raw = raw_mail(good);
  EXPECT_TRUE(
      raw.mail.octets.starts_with("Received: from unknown\r\n by mail.example.jp with HTTP;\r\n "))
      << raw.mail.octets;
  // As it comes back each time.
  std::string again = good;
  for (int times = 0; times < 3; ++times) {
    again = raw_mail(again).mail.octets;
    ASSERT_FALSE(again.empty()) << times;
  }
  again = raw_mail(again).mail.octets;
  EXPECT_THAT(told(raw_mail(again).problems), HasSubstr("goes in a loop"));
  std::string hops;
  for (int i = 0; i <= 100; ++i) hops += "Received: from a by b; date\n";
  EXPECT_THAT(told(raw_mail(hops + good).problems), HasSubstr("goes in a loop"));
}

TEST(SesRaw, LinesThatAreTooLongAreAsTheyAreInTheRelay) {
  const std::string head = "From: a@example.jp\nTo: b@example.com\n";
  const std::string line(999, 'x');
  EXPECT_THAT(told(raw_mail(head + "Subject: " + line + "\n\nHi").problems),
              HasSubstr("is to be folded"));
  const ses::RawMail raw = raw_mail(head + "\n" + line);
  ASSERT_TRUE(raw.problems.empty()) << told(raw.problems);
  EXPECT_TRUE(raw.mail.envelope.has_long_line) << "delivery encodes it";
  EXPECT_FALSE(raw_mail(head + "\n" + line.substr(1)).mail.envelope.has_long_line);
}

TEST(SesRaw, FieldsThatAreUtf8AskForSmtputf8) {
  const std::string head = "From: a@example.jp\nTo: b@example.com\n";
  EXPECT_FALSE(raw_mail(head + "\n届く").mail.envelope.smtputf8) << "8BITMIME will do";
  EXPECT_TRUE(raw_mail(head + "Subject: 届く\n\nHi").mail.envelope.smtputf8);
  EXPECT_THAT(told(raw_mail(head + "Subject: \x93\xfa\n\nHi").problems),
              HasSubstr("neither ASCII nor UTF-8"));
}

TEST(SesRaw, ToldOfEachRecipientIsWhereItIsNamed) {
  const std::string fields = "From: a@example.jp\nTo: b@example.com\n\nHi";
  EXPECT_THAT(raw_mail(fields).places, ElementsAre(Path{"Content", "Raw", "Data"}));
  const ses::RawMail raw = raw_mail(fields, R"(,"Destination":{"ToAddresses":["b@example.com",
      "c@example.com"],"BccAddresses":["d@example.com"]})");
  EXPECT_THAT(raw.places, ElementsAre(Path{"Destination", "ToAddresses", "0"},
                                      Path{"Destination", "ToAddresses", "1"},
                                      Path{"Destination", "BccAddresses", "0"}));
}

TEST(SesRaw, AnotherMessageOrTagIsNoRepeat) {
  const std::string one = "From: a@example.jp\nTo: b@example.com\n\none";
  const std::string two = "From: a@example.jp\nTo: b@example.com\n\ntwo";
  const std::string tags = R"(,"EmailTags":[{"Name":"kind","Value":"order"}])";
  const std::string same = raw_mail(one).mail.same;
  EXPECT_FALSE(same.empty());
  EXPECT_EQ(raw_mail(one).mail.same, same);
  EXPECT_NE(raw_mail(two).mail.same, same);
  EXPECT_NE(raw_mail(one, tags).mail.same, same);
  EXPECT_NE(raw_mail(one, R"(,"FromEmailAddress":"c@example.jp")").mail.same, same);
}

TEST(SesRaw, IsRefusedByName) {
  const std::string good = "From: a@example.jp\nTo: b@example.com\n\nHi";
  EXPECT_EQ(told(raw_mail(good).problems), "");
  std::string many = "From: a@example.jp\nTo: x0@example.com";
  for (int i = 1; i <= 50; ++i) many += fmt::format(",\n x{}@example.com", i);
  for (const auto& [message, members, problem] :
       {std::tuple{std::string("From: a@example.jp\n\nHi"), "", "Destination "},
        {std::string("To: b@example.com\n\nHi"), "", "Content.Raw.Data "},
        {good, R"(,"Destination":{"ToAddresses":["nobody"]})", "Destination."},
        {good, R"(,"FromEmailAddress":"shop")", "FromEmailAddress "},
        {good, R"(,"ReplyToAddresses":["r@example.jp"])", "ReplyToAddresses "},
        {"X-SES-CONFIGURATION-SET: mine\n" + good, "", "the field X-SES-CONFIGURATION-SET"},
        {std::string("From: a@example.jp\nTo: b@example.com <\n\nHi"), "", "the To field"},
        {std::string("no field\n\nHi"), "", "Content.Raw.Data "},
        {many + "\n\nHi", "", "more than 50 recipients"},
        {std::string(), "", "Content.Raw.Data is required"}}) {
    EXPECT_THAT(told(raw_mail(message, members).problems), HasSubstr(problem))
        << message.substr(0, 80);
  }
  EXPECT_THAT(told_of_ses(R"("Raw":{"Data":"*"})"), HasSubstr("Content.Raw.Data "));
}

TEST(SesRaw, HasAnEnd) {
  const std::string message = "From: a@example.jp\nTo: b@example.com\n\nHi";
  const Json json(R"({"Content":{"Raw":{"Data":")" + to_base64(message) + R"("}}})");
  intake::Limits limits;
  limits.attachments_octets_max = message.size() / 2 + 1;
  EXPECT_EQ(told(ses::read_email(json.object(), limits).letter.problems), "");
  limits.attachments_octets_max = message.size() / 2 - 1;
  EXPECT_THAT(told(ses::read_email(json.object(), limits).letter.problems),
              HasSubstr("Content.Raw.Data is larger than"));
}

TEST(Ses, HasOneFormOfAContent) {
  const std::string simple = R"("Simple":{"Subject":{"Data":"s"},"Body":{"Text":{"Data":"t"}}})";
  EXPECT_EQ(told_of_ses(simple), "");
  EXPECT_EQ(told_of_ses(simple + R"(,"Template":null)"), "");
  EXPECT_THAT(told_of_ses(simple + R"(,"Template":{"TemplateName":"n"})"), HasSubstr("Content "));
  EXPECT_THAT(told_of_ses(""), HasSubstr("Content "));
}

TEST(Ses, ShowsAFileAsItIsToldTo) {
  const auto mail_with = [](std::string_view file) {
    return R"("Simple":{"Subject":{"Data":"s"},"Body":{"Html":{"Data":"<img src=cid:i>"}},)"
           R"("Attachments":[{"FileName":"i.png",)" +
           std::string(file) + "}]}";
  };
  EXPECT_EQ(told_of_ses(mail_with(R"("RawContent":"aGk=","ContentDisposition":"ATTACHMENT")")), "");
  EXPECT_THAT(told_of_ses(mail_with(R"("RawContent":"aGk=","ContentDisposition":"INLIN")")),
              HasSubstr("Content.Simple.Attachments.0.ContentDisposition "));
  EXPECT_THAT(told_of_ses(mail_with(R"("RawContent":"aGk=","ContentDisposition":"INLINE")")),
              HasSubstr("Content.Simple.Attachments.0.ContentId is required"));
  EXPECT_THAT(told_of_ses(mail_with(R"("RawContent":"")")),
              HasSubstr("Content.Simple.Attachments.0.RawContent is required"));
}

TEST(Ses, HasNobodyWithoutAnAddress) {
  const Json json(R"({"FromEmailAddress":"a@example.jp","Destination":{"ToAddresses":[
    "b@example.com",""]},"ReplyToAddresses":[" "],"Content":{"Simple":{"Subject":{"Data":"s"},
    "Body":{"Text":{"Data":"t"}}}}})");
  const std::string problems = told(ses::read_email(json.object(), kLimits).letter.problems);
  EXPECT_THAT(problems, HasSubstr("Destination.ToAddresses.1 is required"));
  EXPECT_THAT(problems, HasSubstr("ReplyToAddresses.0 is required"));
}

TEST(Ses, PutsTheValuesOfEachEntryIn) {
  const Json json(R"({"FromEmailAddress":"a@example.jp","DefaultContent":{"Template":{
    "TemplateContent":{"Subject":"Hi {{name}}","Text":"{{ name }}: {{n}}","Html":"{{name}}{{{name}}}"},
    "TemplateData":"{\"name\":\"you\",\"n\":1}"}},"BulkEmailEntries":[
    {"Destination":{"ToAddresses":["b@example.com"]},"ReplacementEmailContent":{
     "ReplacementTemplate":{"ReplacementTemplateData":"{\"name\":\"<B>\"}"}},
     "ReplacementHeaders":[{"Name":"X-A","Value":"1"}]},
    {"Destination":{"ToAddresses":["c@example.com"]}}]})");
  const ses::Bulk bulk(json.object(), kLimits);
  ASSERT_EQ(bulk.size(), 2U) << told(bulk.problems());
  const Letter first = bulk.mail(0);
  ASSERT_TRUE(first.problems.empty()) << told(first.problems);
  EXPECT_EQ(first.request.content.subject, "Hi <B>");
  EXPECT_EQ(first.request.content.text_part, "<B>: 1");
  EXPECT_EQ(first.request.content.html_part, "&lt;B&gt;<B>");
  EXPECT_EQ(bulk.mail(1).request.content.subject, "Hi you");
}

TEST(Ses, PutsInNothingButNames) {
  for (const std::string_view text :
       {"{{#if a}}", "{{a.b}}", "{{> p}}", "{{", "{{none}}", "{{{a}}"}) {
    intake::Problems problems;
    (void)ses::rendered(text, {{"a", "1"}}, {.characters_max = 100}, {"Text"}, problems);
    EXPECT_FALSE(problems.empty()) << text;
  }
}

TEST(Ses, PutsInNoMoreThanATextMayHave) {
  const ses::Values values{{"a", "&&"}, {"long", std::string(41, 'x')}};
  const auto problems_of = [&values](std::string_view text, bool is_html) {
    intake::Problems problems;
    (void)ses::rendered(text, values, {.is_html = is_html, .characters_max = 10}, {"Text"},
                        problems);
    return told(problems);
  };
  EXPECT_EQ(problems_of("{{a}}{{a}}{{a}}{{a}}", true), "");
  EXPECT_EQ(problems_of("{{a}}{{a}}{{a}}{{a}}.", false), "");
  EXPECT_EQ(problems_of("{{a}}{{a}}{{a}}{{a}}.", true),
            "Text " + intake::texts::length(0, 10).en + "\n");
  EXPECT_THAT(problems_of("{{long}}", false), HasSubstr("Text "));
  EXPECT_THAT(problems_of("{{{long}}}", true), HasSubstr("Text "));
}

TEST(Ses, LooksAtTheTemplateBeforeAnyEntry) {
  const std::string text(octets_of(kLimits.text_part_characters_max) + 1, 'a');
  const Json json(R"({"FromEmailAddress":"a@example.jp","DefaultContent":{"Template":{
    "TemplateContent":{"Subject":"s","Text":")" +
                  text + R"("}}},"BulkEmailEntries":[
    {"Destination":{"ToAddresses":["b@example.com"]}}]})");
  const ses::Bulk bulk(json.object(), kLimits);
  EXPECT_EQ(bulk.size(), 0U);
  EXPECT_THAT(told(bulk.problems()), HasSubstr("DefaultContent.Template.TemplateContent.Text "));
}

// ---- templates that the account keeps ----------------------------------------------------------

const store::TemplateChoice& choice_of(const Letter& letter) {
  EXPECT_TRUE(letter.request.from_template);
  return letter.request.from_template->choice;
}

TEST(DoorTemplates, OfSendgridHaveTheDataOfEachPersonalization) {
  const Json json(R"({"from":{"email":"a@example.jp"},"template_id":"welcome","personalizations":[
    {"to":[{"email":"b@example.com"}],"dynamic_template_data":{"name":"B","n":1.50,"u":{"v":true}}},
    {"to":[{"email":"c@example.com"}],"dynamic_template_data":{"items":[1]}},
    {"to":[{"email":"d@example.com"}],"substitutions":{"-a-":"b"}}]})");
  const sendgrid::Mails mails(json.object(), kLimits);
  const Letter first = mails.mail(0);
  ASSERT_TRUE(first.problems.empty()) << told(first.problems);
  EXPECT_EQ(choice_of(first).name, "welcome");
  EXPECT_THAT(first.request.insert_codes,
              ElementsAre(InsertCode{"{{name}}", "B"}, InsertCode{"{{n}}", "1.50"},
                          InsertCode{"{{u.v}}", "true"}));
  EXPECT_THAT(told(mails.mail(1).problems),
              HasSubstr("personalizations.1.dynamic_template_data.items "));
  EXPECT_THAT(told(mails.mail(2).problems), HasSubstr("personalizations.2.substitutions "));
}

TEST(DoorTemplates, OfResendHaveTheirVariables) {
  const auto read = [](std::string_view fields) {
    const Json json(R"({"to":"b@example.com",)" + std::string(fields) + "}");
    return resend::read(json.object(), kLimits);
  };
  const Letter letter = read(R"("template":{"id":"welcome","variables":{"name":"B","n":2}})");
  ASSERT_TRUE(letter.problems.empty()) << told(letter.problems);
  EXPECT_EQ(choice_of(letter).name, "welcome");
  EXPECT_THAT(letter.request.insert_codes,
              ElementsAre(InsertCode{"{{name}}", "B"}, InsertCode{"{{n}}", "2"}));
  EXPECT_EQ(choice_of(read(R"("template":{"id":"7"})")).id, 7);
  EXPECT_EQ(read(R"("from":"S <s@example.jp>","template":{"id":"7"})").request.content.from,
            (Mailbox{"s@example.jp", "S"}));
  EXPECT_THAT(told(read(R"("template":{"variables":{}})").problems), HasSubstr("template.id "));
  EXPECT_THAT(told(read(R"("template":{"id":"w","variables":{"a":[1]}})").problems),
              HasSubstr("template.variables.a "));
  EXPECT_THAT(told(read(R"("template":{"id":"w","name":"x"})").problems),
              HasSubstr("template.name is a field that is not known"));
  EXPECT_EQ(field_of(Service::resend, {"data", "a"}, {}), "template.variables.a");
}

TEST(DoorTemplates, OfPostmarkAreNamedByIdOrAlias) {
  const auto read = [](std::string_view fields) {
    const Json json(R"({"From":"a@example.jp","To":"b@example.com",)" + std::string(fields) + "}");
    return postmark::read_with_template(json.object(), kLimits).letter;
  };
  const Letter by_id = read(R"("TemplateId":7,"TemplateModel":{"name":"B"})");
  ASSERT_TRUE(by_id.problems.empty()) << told(by_id.problems);
  EXPECT_EQ(choice_of(by_id).id, 7);
  EXPECT_THAT(by_id.request.insert_codes, ElementsAre(InsertCode{"{{name}}", "B"}));
  EXPECT_EQ(choice_of(read(R"("TemplateAlias":"welcome")")).name, "welcome");
  EXPECT_THAT(told(read(R"("TemplateModel":{})").problems), HasSubstr("TemplateId "));
  EXPECT_THAT(told(read(R"("TemplateAlias":"w","TemplateId":1)").problems),
              HasSubstr("TemplateAlias "));
  EXPECT_THAT(told(read(R"("TemplateAlias":"w","Subject":"s")").problems), HasSubstr("Subject "));
}

TEST(DoorTemplates, OfSesHaveTheReplacementOfEachEntry) {
  const Json json(R"({"FromEmailAddress":"a@example.jp","DefaultContent":{"Template":{
    "TemplateName":"welcome","TemplateData":"{\"name\":\"you\",\"n\":1}"}},"BulkEmailEntries":[
    {"Destination":{"ToAddresses":["b@example.com"]},"ReplacementEmailContent":{
     "ReplacementTemplate":{"ReplacementTemplateData":"{\"name\":\"B\"}"}}},
    {"Destination":{"ToAddresses":["c@example.com"]}}]})");
  const ses::Bulk bulk(json.object(), kLimits);
  ASSERT_EQ(bulk.size(), 2U) << told(bulk.problems());
  EXPECT_FALSE(bulk.missing());
  const Letter first = bulk.mail(0);
  ASSERT_TRUE(first.problems.empty()) << told(first.problems);
  EXPECT_EQ(choice_of(first).name, "welcome");
  EXPECT_THAT(first.request.insert_codes,
              ElementsAre(InsertCode{"{{name}}", "B"}, InsertCode{"{{n}}", "1"}));
  EXPECT_EQ(bulk.mail(1).request.insert_codes.front().value, "you");
}

TEST(DoorTemplates, ThatAreNotThereAreToldInTheServicesWords) {
  intake::Problems problems;
  problems.add({"template"}, {"There is no template x.", "ない"});
  for (const auto& [service, status] : {std::pair{Service::sendgrid, 400},
                                        {Service::resend, 422},
                                        {Service::postmark, 422},
                                        {Service::ses, 404}}) {
    const Failure failure = failure_of(service, problems, Language::english);
    EXPECT_EQ(failure.trouble, Trouble::no_template);
    EXPECT_EQ(status_of(service, failure.trouble), status);
  }
}

TEST(Failures, HaveTheShapeOfTheService) {
  EXPECT_EQ(failure(Service::resend, {Trouble::wrong_credential, "x"}).body,
            R"({"statusCode":403,"name":"invalid_api_key","message":"API key is invalid"})");
  EXPECT_EQ(failure(Service::postmark, {Trouble::no_template, ""}).body,
            R"({"ErrorCode":1101,"Message":"The 'TemplateId' associated with this request is not )"
            R"(valid or was not found."})");
  const auto ses = failure(Service::ses, {Trouble::bad_signature, "no"});
  EXPECT_EQ(ses.status, 403);
  EXPECT_EQ(ses.body, R"({"message":"no"})");
  EXPECT_EQ(ses.headers.get("x-amzn-ErrorType"), "InvalidSignatureException");
  const auto sendgrid = failure(Service::sendgrid, {Trouble::invalid, "is bad", "from.email"});
  EXPECT_EQ(sendgrid.status, 400);
  EXPECT_EQ(sendgrid.body, R"({"errors":[{"message":"is bad","field":"from.email","help":null}]})");
}

TEST(Failures, CallFieldsAsTheServiceDoes) {
  intake::Problems problems;
  problems.add({"html_part"}, intake::texts::required());
  EXPECT_EQ(failure_of(Service::resend, problems, Language::english).field, "html");
  EXPECT_EQ(failure_of(Service::postmark, problems, Language::english).field, "HtmlBody");
  const Failure failure = failure_of(Service::sendgrid, problems, Language::english);
  EXPECT_EQ(failure.field, "content");
  EXPECT_EQ(failure.trouble, Trouble::missing);
  EXPECT_EQ(failure.text, "content: is required.");
}

TEST(Failures, OfSendgridNameThePersonalization) {
  const Json json(R"({"from":{"email":"a@example.jp"},"template_id":"t","send_at":1,
    "headers":{"X-A":"1"},"personalizations":[
    {"to":[{"email":"b@example.com"}],"dynamic_template_data":{"a":"x"}},
    {"to":[{"email":"b@example.com"}],"send_at":2,"custom_args":{"n":"1"},"headers":{"X-B":"2"}}]})");
  const sendgrid::Mails mails(json.object(), kLimits);
  const auto field = [&](std::size_t place, Path path) {
    return field_of(Service::sendgrid, std::move(path), mails.mail(place).origin);
  };
  EXPECT_EQ(field(0, {"data", "a"}), "personalizations.0.dynamic_template_data.a");
  EXPECT_EQ(field(1, {"data", "a"}), "personalizations.1.dynamic_template_data.a");
  EXPECT_EQ(field(1, {"to"}), "personalizations.1.to");
  EXPECT_EQ(field(0, {"send_at"}), "send_at");
  EXPECT_EQ(field(1, {"send_at"}), "personalizations.1.send_at");
  EXPECT_EQ(field(0, {"metadata"}), "custom_args");
  EXPECT_EQ(field(1, {"metadata"}), "personalizations.1.custom_args");
  EXPECT_EQ(field(1, {"headers", "X-A"}), "headers.X-A");
  EXPECT_EQ(field(1, {"headers", "X-B"}), "personalizations.1.headers.X-B");
  EXPECT_EQ(field(1, {"html_part"}), "content");
  intake::Problems problems;
  problems.add({"bcc", "0"}, intake::texts::required());
  const Failure failure =
      failure_of(Service::sendgrid, problems, Language::english, mails.mail(1).origin);
  EXPECT_EQ(failure.field, "personalizations.1.bcc.0");
  EXPECT_EQ(field_of(Service::ses, {"data", "a"}, {}), "TemplateData.a");
}

}  // namespace
}  // namespace todoku::api::doors
