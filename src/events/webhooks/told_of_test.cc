// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/told_of.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::events::webhooks {
namespace {

using store::EventKind;
using store::WebhookForm;
using store::WebhookWishes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

store::EventRecord event_of(EventKind kind, DeliveryType type = DeliveryType::transaction) {
  store::EventRecord event;
  event.place = {1, 2, 3};
  event.entry.kind = kind;
  event.entry.delivery = store::DeliveryKey{5};
  event.entry.batch = 6;
  event.entry.seq = 7;
  event.entry.code = 550;
  event.delivery = std::make_shared<const store::EventDelivery>(store::EventDelivery{
      .id = 12,
      .type = type,
      .labels = {.tags = {"spring", "sale"}, .list_id = "news", .purpose = Purpose::by_type}});
  event.log_id = 34;
  event.address = "reader@example.jp";
  event.reply = "5.1.1 User unknown";
  return event;
}

store::Delivery head_of(DeliveryType type = DeliveryType::bulk) {
  store::Delivery head;
  head.type = type;
  head.content.from.address = "shop@news.example.jp";
  head.counts.delivered = 9;
  return head;
}

TEST(ToldOf, EveryKindOfEventHasAWordAndIsFoundByIt) {
  for (int number = 0; number < 256; ++number) {
    const auto kind = store::event_kind(static_cast<std::uint8_t>(number));
    if (!kind) continue;
    const ToldKind told = told_kind(*kind);
    EXPECT_NE(told, ToldKind::test) << number;
    EXPECT_EQ(stored_kind(told), kind) << number;
    EXPECT_EQ(kind_of(type_of(told)), told) << number;
  }
  EXPECT_EQ(stored_kind(ToldKind::test), std::nullopt);
}

TEST(ToldOf, TellsTheOwnerOfAHeldCredentialWhateverMailIsWishedFor) {
  store::EventRecord event;
  event.place = {1, 2, 3};
  event.entry = store::event_of_credential(EventKind::credential_held, "shop", "much mail", {});
  const ToldEvent told = told_of(event, nullptr);
  EXPECT_EQ(type_of(told.kind), "credential.held");
  EXPECT_EQ(told.credential, "shop");
  EXPECT_EQ(told.because, "much mail");
  const store::WebhookWishes wishes{.tags = {"spring"}, .domains = {"example.jp"}};
  EXPECT_TRUE(is_wanted(WebhookForm::standard, wishes, event, nullptr));
  EXPECT_FALSE(is_wanted(WebhookForm::contract, {}, event, nullptr));
  EXPECT_FALSE(asks_for_delivery(WebhookForm::standard, wishes, event));
}

TEST(ToldOf, TellsTheOwnerOfADomainThatBroke) {
  store::EventRecord event;
  event.place = {1, 2, 3};
  event.entry = store::event_of_credential(EventKind::domain_broken, "example.jp",
                                           "dkim_missing: There is no key.", {});
  const ToldEvent told = told_of(event, nullptr);
  EXPECT_EQ(type_of(told.kind), "domain.broken");
  EXPECT_EQ(told.domain, "example.jp");
  EXPECT_EQ(told.because, "dkim_missing: There is no key.");
  EXPECT_TRUE(told.credential.empty() && told.rates_of.empty());
  EXPECT_TRUE(is_wanted(WebhookForm::standard, {.domains = {"example.com"}}, event, nullptr));
}

TEST(ToldOf, TellsTheOwnerOfALimitThatIsNear) {
  store::EventRecord event;
  event.entry = store::event_of_credential(EventKind::limit_near, "mails_per_day",
                                           "8 of 10 mails are used", from_epoch_ms(0));
  EXPECT_TRUE(is_wanted(WebhookForm::standard, {.tags = {"x"}}, event, nullptr));
  EXPECT_FALSE(is_wanted(WebhookForm::sendgrid, {}, event, nullptr));
  const ToldEvent told = told_of(event, nullptr);
  EXPECT_EQ(type_of(told.kind), "limit.near");
  EXPECT_EQ(told.limit, "mails_per_day");
  EXPECT_EQ(told.because, "8 of 10 mails are used");
  EXPECT_TRUE(told.domain.empty());
}

TEST(ToldOf, TellsARecipientsStory) {
  const ToldEvent told = told_of(event_of(EventKind::hard_error, DeliveryType::bulk), nullptr);
  EXPECT_EQ(told.id, store::event_id({1, 2, 3}));
  EXPECT_EQ(told.kind, ToldKind::hard_error);
  EXPECT_EQ(told.delivery->id, 12);
  EXPECT_EQ(told.email, "reader@example.jp");
  EXPECT_EQ(told.maillog_id, 34);
  EXPECT_EQ(told.code, 550);
  EXPECT_EQ(told.message, "5.1.1 User unknown");
  EXPECT_THAT(told.delivery->labels.tags, ElementsAre("spring", "sale"));
  EXPECT_EQ(told.delivery->labels.list_id, "news");
  EXPECT_FALSE(told.counts);
}

TEST(ToldOf, TellsCountsOfMany) {
  const store::Delivery head = head_of();
  const ToldEvent told = told_of(event_of(EventKind::delivery_finished), &head);
  EXPECT_TRUE(told.email.empty());
  ASSERT_TRUE(told.counts);
  EXPECT_EQ(told.counts->delivered, 9);
}

bool wants(const WebhookWishes& wishes, WebhookForm form = WebhookForm::standard,
           const store::EventRecord& event = event_of(EventKind::hard_error, DeliveryType::bulk)) {
  const store::Delivery head = head_of();
  return is_wanted(form, wishes, event, &head);
}

TEST(ToldOf, IsWantedByDomainTagAndPurpose) {
  EXPECT_TRUE(wants({}));
  EXPECT_TRUE(wants({.domains = {"example.com", "example.jp"}}));
  EXPECT_TRUE(wants({.domains = {"news.example.jp"}}));
  EXPECT_FALSE(wants({.domains = {"ample.jp"}}));  // no label of it
  EXPECT_TRUE(wants({.tags = {"x", "sale"}}));
  EXPECT_FALSE(wants({.tags = {"x"}}));
  EXPECT_TRUE(wants({.purposes = {"advertisement"}}));
  EXPECT_FALSE(wants({.purposes = {"notice", "transactional"}}));
  EXPECT_FALSE(wants({.tags = {"sale"}, .domains = {"example.com"}}));  // all of them
}

TEST(ToldOf, OfWhatIsGoneNothingIsTold) {
  store::EventRecord gone = event_of(EventKind::sent);
  gone.is_gone = true;
  EXPECT_FALSE(is_wanted(WebhookForm::standard, {}, gone, nullptr));
  EXPECT_FALSE(asks_for_delivery(WebhookForm::standard, {.domains = {"example.jp"}}, gone));
}

TEST(ToldOf, TheDeliveryIsLookedUpForFromAndForCounts) {
  EXPECT_FALSE(
      asks_for_delivery(WebhookForm::standard, {.tags = {"x"}}, event_of(EventKind::sent)));
  EXPECT_TRUE(asks_for_delivery(WebhookForm::standard, {.domains = {"example.jp"}},
                                event_of(EventKind::sent)));
  EXPECT_TRUE(asks_for_delivery(WebhookForm::standard, {}, event_of(EventKind::delivery_finished)));
  EXPECT_TRUE(asks_for_delivery(WebhookForm::resend, {}, event_of(EventKind::sent)));
  EXPECT_TRUE(asks_for_delivery(WebhookForm::postmark, {}, event_of(EventKind::hard_error)));
  EXPECT_FALSE(asks_for_delivery(WebhookForm::sendgrid, {}, event_of(EventKind::sent)));
}

TEST(ToldOf, TheContractsFormHasFailuresOfApiMailAlone) {
  EXPECT_TRUE(wants({}, WebhookForm::contract));
  EXPECT_FALSE(wants({}, WebhookForm::contract, event_of(EventKind::sent)));
  EXPECT_FALSE(wants({}, WebhookForm::contract, event_of(EventKind::delivery_finished)));
  EXPECT_FALSE(
      wants({}, WebhookForm::contract, event_of(EventKind::hard_error, DeliveryType::smtp)));
  EXPECT_THAT(kinds_wanted(WebhookForm::contract, {}),
              ElementsAre(EventKind::hard_error, EventKind::soft_error, EventKind::dropped,
                          EventKind::expired));
  EXPECT_THAT(kinds_wanted(WebhookForm::standard, {}), IsEmpty());
}

// A question without kinds would be for all.
TEST(ToldOf, WhatHasNoWordIsNoWish) {
  EXPECT_FALSE(tells_any(WebhookForm::contract, {.kinds = {"recipient.sent"}}));
  EXPECT_TRUE(tells_any(WebhookForm::contract, {.kinds = {"recipient.sent", "recipient.dropped"}}));
  EXPECT_TRUE(tells_any(WebhookForm::standard, {.kinds = {"recipient.sent"}}));
  EXPECT_TRUE(tells_any(WebhookForm::contract, {}));
}

TEST(ToldOf, EventsOfOneRecipientHaveOneOrder) {
  store::SheetEntry one = event_of(EventKind::accepted).entry;
  store::SheetEntry later = event_of(EventKind::sent).entry;
  EXPECT_EQ(order_key_of(one), order_key_of(later));
  later.seq += 1;
  EXPECT_NE(order_key_of(one), order_key_of(later));
  EXPECT_EQ(order_key_of(event_of(EventKind::delivery_finished).entry), 0U);
}

// Relayed mail, too; but neither what has no counterpart there, nor what is of no recipient.
TEST(KindsWanted, OfAServicesFormAreThoseThatItHasAWordFor) {
  for (const WebhookForm form :
       {WebhookForm::sendgrid, WebhookForm::postmark, WebhookForm::resend}) {
    const auto kinds = kinds_wanted(form, {});
    EXPECT_THAT(kinds, ::testing::Contains(EventKind::hard_error));
    for (const EventKind kind : kinds) EXPECT_FALSE(store::is_of_many(kind));
    EXPECT_TRUE(is_wanted(form, {}, event_of(EventKind::hard_error, DeliveryType::smtp), nullptr));
    EXPECT_FALSE(is_wanted(form, {}, event_of(EventKind::cancelled), nullptr));
    EXPECT_FALSE(tells_any(form, {.kinds = {"recipient.cancelled", "delivery.finished"}}));
    EXPECT_TRUE(tells_any(form, {.kinds = {"recipient.cancelled", "recipient.opened"}}));
  }
  EXPECT_THAT(kinds_wanted(WebhookForm::postmark, {.kinds = {"recipient.deferred"}}), IsEmpty());
  EXPECT_THAT(kinds_wanted(WebhookForm::sendgrid, {.kinds = {"recipient.deferred"}}),
              ElementsAre(EventKind::deferred));
}

TEST(ToldOf, TellsOfTheMailWhatItsHeadSays) {
  store::Delivery head = head_of();
  head.created = from_epoch_ms(1'000);
  store::EventRecord event = event_of(EventKind::opened);
  event.entry.opened_by = store::OpenedBy::prefetch;
  const ToldEvent told = told_of(event, &head);
  EXPECT_EQ(told.from.address, "shop@news.example.jp");
  EXPECT_EQ(told.created, from_epoch_ms(1'000));
  EXPECT_TRUE(told.by_machine);
}

}  // namespace
}  // namespace todoku::events::webhooks
