// SPDX-License-Identifier: Apache-2.0
#include "explain/reader_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain/test_stories.h"

namespace todoku::explain {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string reader_told(const store::Story& story, Language language) {
  return reader_text(story, options(language));
}

store::Story ended(RecipientState state, Cause cause) {
  store::Story story = base_story();
  story.state = state;
  story.attempts = {attempt(1, 1s, state, Stage::rcpt_to,
                            {550, "5.7.1 [192.0.2.25] refused, see todoku and DKIM s1"})};
  story.attempts[0].outcome.cause = cause;
  return story;
}

TEST(ReaderText, IsALetterToTheRecipient) {
  EXPECT_EQ(reader_told(delivered(), Language::english),
            "Thank you for asking.\n\nWe looked into the mail \"ご注文の確認\" to taro@example.jp, "
            "which we registered at 2026-01-05 10:00:00 JST.\n\nYour mail provider accepted it.\n"
            "If you do not find it, please look in the spam folder, and see whether your mail "
            "settings let mail from example.com in.\n\nWe are sorry for the trouble.\n");
  EXPECT_EQ(
      reader_told(delivered(), Language::japanese),
      "お問い合わせありがとうございます。\n\ntaro@example.jp 宛てのメール「ご注文の確認」"
      "（2026-01-05 10:00:00 JST 受付）の状況を確認しました。\n\n"
      "ご利用のメールサービスに受け取られています。\n見当たらない場合は、迷惑メールフォルダーを"
      "ご確認ください。あわせて、example.com からのメールを受信できる設定になっているかをお確か"
      "めください。\n\nご不便をおかけし、申し訳ございません。\n");
}

TEST(ReaderText, NamesNothingOfTheInside) {
  for (const Cause cause : kCauses) {
    for (const auto state :
         {RecipientState::bounced, RecipientState::deferred, RecipientState::dropped,
          RecipientState::expired, RecipientState::unknown, RecipientState::cancelled}) {
      for (const Language language : {Language::english, Language::japanese}) {
        const std::string text = reader_told(ended(state, cause), language);
        EXPECT_THAT(text, AllOf(HasSubstr("taro@example.jp"), Not(HasSubstr("192.0.2")),
                                Not(HasSubstr("mx1.")), Not(HasSubstr("todoku")),
                                Not(HasSubstr("DKIM")), Not(HasSubstr("550")),
                                Not(HasSubstr("tokyo-1")), Not(HasSubstr("{domain}"))))
            << to_string(cause);
      }
    }
  }
}

TEST(ReaderText, SaysWhatTheReaderCanDo) {
  EXPECT_THAT(reader_told(ended(RecipientState::bounced, Cause::mailbox_full), Language::english),
              HasSubstr("delete mail that you do not need, and tell us"));
  EXPECT_THAT(reader_told(ended(RecipientState::deferred, Cause::mailbox_full), Language::english),
              HasSubstr("we try again by ourselves"));
  EXPECT_THAT(reader_told(ended(RecipientState::bounced, Cause::mailbox), Language::japanese),
              HasSubstr("正しいアドレスをお知らせください"));
  EXPECT_THAT(reader_told(ended(RecipientState::bounced, Cause::spf), Language::english),
              HasSubstr("a reason on our side"));
  EXPECT_THAT(reader_told(ended(RecipientState::expired, Cause::unreachable), Language::english),
              HasSubstr("could not be reached"));
  EXPECT_THAT(reader_told(ended(RecipientState::expired, Cause::in_doubt), Language::english),
              HasSubstr("could not confirm"));
}

TEST(ReaderText, PromisesNothingOfWhatWaitsForAPerson) {
  store::Story story = base_story();
  EXPECT_THAT(reader_told(story, Language::english), HasSubstr("we try again by ourselves"));
  for (bool store::Story::* const stopped :
       {&store::Story::delivery_paused, &store::Story::account_suspended,
        &store::Story::set_aside}) {
    story = base_story();
    story.*stopped = true;
    EXPECT_THAT(reader_told(story, Language::english),
                AllOf(HasSubstr("stopped on our side"), Not(HasSubstr("again by ourselves"))));
    EXPECT_THAT(reader_told(story, Language::japanese),
                AllOf(HasSubstr("一時的に止めている"), Not(HasSubstr("自動で再送"))));
  }
}

TEST(ReaderText, PromisesNothingOfWhatIsHeldAtItsReceiver) {
  store::Story story = base_story();
  story.type = DeliveryType::bulk;
  story.key.delivery = store::DeliveryKey{9};
  StoryOptions held = options(Language::japanese);
  held.rate_holds[story.key.delivery] = {{.site = "docomo", .because = "unknown users: 5 of 100"}};
  held.way_of = [](const store::Story&) { return Way{.site = "docomo"}; };
  EXPECT_THAT(reader_text(story, held),
              AllOf(HasSubstr("一時的に止めている"), Not(HasSubstr("docomo"))));
  held.way_of = [](const store::Story&) { return Way{.site = "google"}; };
  EXPECT_THAT(reader_text(story, held), HasSubstr("自動で再送"));
}

TEST(ReaderText, OfAComplaintSaysSo) {
  store::Story story = delivered();
  EXPECT_THAT(reader_told(story, Language::english), Not(HasSubstr("reported as spam")));
  story.complained = kStart + 3h;
  EXPECT_THAT(reader_told(story, Language::english),
              AllOf(HasSubstr("reported as spam"), HasSubstr("reported by mistake"),
                    Not(HasSubstr("let mail from"))));
  EXPECT_THAT(reader_told(story, Language::japanese), HasSubstr("迷惑メールとして申告"));
}

TEST(ReaderText, OfADraftAndOfWhatIsReservedIsNone) {
  EXPECT_EQ(reader_told(reserved(), Language::english), "");
  store::Story draft = base_story();
  draft.delivery_status = DeliveryStatus::edit;
  EXPECT_EQ(reader_told(draft, Language::japanese), "");
}

TEST(ReaderText, OfAHostileSubjectIsHarmless) {
  store::Story story = delivered();
  story.subject = "{domain} \x1b[2J {}";
  EXPECT_THAT(reader_told(story, Language::english),
              AllOf(HasSubstr("\"{domain} "), HasSubstr("{}\""), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace todoku::explain
