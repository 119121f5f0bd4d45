// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/foreign_bodies.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "events/webhooks/forms.h"

namespace todoku::events::webhooks {
namespace {

using store::WebhookForm;

constexpr Instant kToldAt = from_epoch_ms(1'775'001'600'123);  // 2026-04-01T00:00:00.123Z

ToldEvent foreign_event(ToldKind kind, std::vector<std::string> tags = {"spring", "order:7"}) {
  ToldEvent event{.id = "evt_1",
                  .kind = kind,
                  .at = kToldAt,
                  .delivery = std::make_shared<const store::EventDelivery>(
                      store::EventDelivery{.id = 12,
                                           .type = DeliveryType::transaction,
                                           .subject = "件名",
                                           .labels = {std::move(tags), "", Purpose::by_type}}),
                  .email = "reader@example.jp",
                  .email_id = 34,
                  .maillog_id = 34};
  event.from = {.address = "shop@example.jp", .name = "Shop"};
  event.created = kToldAt - std::chrono::seconds(1);
  return event;
}

ToldEvent replied(ToldKind kind, int code, std::string message, Cause cause = Cause::none) {
  ToldEvent event = foreign_event(kind);
  event.attempt = 2;
  event.code = code;
  event.message = std::move(message);
  event.cause = cause;
  return event;
}

std::string foreign_body(WebhookForm form, std::vector<ToldEvent> events) {
  EventWriter writer(form);
  std::vector<WrittenEvent> written;
  for (ToldEvent& event : events) written.push_back(writer.write(std::move(event)));
  std::vector<const WrittenEvent*> told;
  for (const WrittenEvent& event : written) told.push_back(&event);
  return body_of(form, told);
}

TEST(SendGridBody, IsAnArrayOfItsEvents) {
  EXPECT_EQ(foreign_body(WebhookForm::sendgrid, {foreign_event(ToldKind::accepted),
                                                 replied(ToldKind::sent, 250, "2.0.0 OK")}),
            R"([{"email":"reader@example.jp","timestamp":1775001600,"event":"processed",)"
            R"("category":["spring"],"sg_event_id":"evt_1",)"
            R"("sg_message_id":"00000000-0000-4000-8000-00000000000c.34","order":"7"},)"
            R"({"email":"reader@example.jp","timestamp":1775001600,"event":"delivered",)"
            R"("category":["spring"],"sg_event_id":"evt_1",)"
            R"("sg_message_id":"00000000-0000-4000-8000-00000000000c.34",)"
            R"("response":"250 2.0.0 OK","order":"7"}])");
}

// A program that strikes addresses off its lists does so for the type "bounce" alone.
TEST(SendGridBody, OnlyWhatWasRefusedForGoodIsABounceOfThatType) {
  const std::string hard =
      foreign_body(WebhookForm::sendgrid,
                   {replied(ToldKind::hard_error, 550, "5.1.1 User unknown", Cause::mailbox)});
  EXPECT_TRUE(hard.contains(R"("event":"bounce")")) << hard;
  EXPECT_TRUE(hard.contains(R"("reason":"550 5.1.1 User unknown","status":"5.1.1",)"
                            R"("type":"bounce","bounce_classification":"Invalid Address")"))
      << hard;
  for (const ToldKind kind : {ToldKind::soft_error, ToldKind::expired}) {
    const std::string soft = foreign_body(
        WebhookForm::sendgrid, {replied(kind, 0, "connection timed out", Cause::silence)});
    EXPECT_TRUE(soft.contains(R"("reason":"connection timed out","status":"4.0.0",)"
                              R"("type":"blocked","bounce_classification":"Technical Failure")"))
        << soft;
  }
}

TEST(SendGridBody, TellsAttemptsAndWhoOpenedAsItsReferenceDoes) {
  EXPECT_TRUE(foreign_body(WebhookForm::sendgrid, {replied(ToldKind::deferred, 451, "4.7.1 later")})
                  .contains(R"("response":"451 4.7.1 later","attempt":"2")"));
  ToldEvent opened = foreign_event(ToldKind::opened);
  opened.by_machine = true;
  EXPECT_TRUE(foreign_body(WebhookForm::sendgrid, {opened}).contains(R"("sg_machine_open":true)"));
}

// Nobody's own argument can pass for a member of the event.
TEST(SendGridBody, ArgumentsReplaceNoMember) {
  const std::string told =
      foreign_body(WebhookForm::sendgrid,
                   {foreign_event(ToldKind::sent, {"event:bounce", "email:x@y", "a:1", "a:2"})});
  EXPECT_TRUE(told.contains(R"("event":"delivered")"));
  EXPECT_FALSE(told.contains("x@y"));
  EXPECT_TRUE(told.contains(R"("a":"1")"));
  EXPECT_FALSE(told.contains(R"("a":"2")"));
}

// What these services' doors take as metadata comes back where the service has it, before tags.
TEST(ForeignBody, GivesMetadataBack) {
  ToldEvent event = foreign_event(ToldKind::sent, {"spring", "order:8", "kind:shoes"});
  event.attached.metadata = {{"order", "7"}, {"event", "bounce"}, {"user", "a:b"}};
  const std::string sendgrid = foreign_body(WebhookForm::sendgrid, {event});
  EXPECT_TRUE(sendgrid.contains(R"("order":"7","user":"a:b","kind":"shoes"}])")) << sendgrid;
  EXPECT_TRUE(sendgrid.contains(R"("event":"delivered")")) << sendgrid;
  EXPECT_FALSE(sendgrid.contains(R"("event":"bounce")")) << sendgrid;
  const std::string pairs = R"({"order":"7","event":"bounce","user":"a:b","kind":"shoes"})";
  const std::string postmark = foreign_body(WebhookForm::postmark, {event});
  EXPECT_TRUE(postmark.contains(R"("Metadata":)" + pairs)) << postmark;
  const std::string resend = foreign_body(WebhookForm::resend, {event});
  EXPECT_TRUE(resend.contains(R"("tags":)" + pairs)) << resend;
}

TEST(PostmarkBody, IsOneRecord) {
  EXPECT_EQ(foreign_body(WebhookForm::postmark, {replied(ToldKind::sent, 250, "2.0.0 OK")}),
            R"({"RecordType":"Delivery","MessageStream":"outbound","ServerID":1,)"
            R"("MessageID":"00000000-0000-4000-8000-00000000000c","Tag":"spring",)"
            R"("Metadata":{"order":"7"},"Recipient":"reader@example.jp",)"
            R"("DeliveredAt":"2026-04-01T00:00:00.123Z","Details":"250 2.0.0 OK"})");
  EXPECT_EQ(
      foreign_body(WebhookForm::postmark, {replied(ToldKind::hard_error, 550, "5.1.1 Unknown")}),
      R"({"RecordType":"Bounce","MessageStream":"outbound","ServerID":1,)"
      R"("MessageID":"00000000-0000-4000-8000-00000000000c","Tag":"spring",)"
      R"("Metadata":{"order":"7"},"ID":34,"Type":"HardBounce","TypeCode":1,)"
      R"("Name":"Hard bounce","Description":"","Details":"550 5.1.1 Unknown",)"
      R"("Email":"reader@example.jp","From":"shop@example.jp",)"
      R"("BouncedAt":"2026-04-01T00:00:00.123Z","DumpAvailable":false,"Inactive":true,)"
      R"("CanActivate":true,"Subject":"件名"})");
}

TEST(PostmarkBody, TellsWhatIsGivenUpAsSoftAndAComplaintAsItsOwnRecord) {
  EXPECT_TRUE(foreign_body(WebhookForm::postmark, {replied(ToldKind::expired, 0, "too late")})
                  .contains(R"("Type":"SoftBounce","TypeCode":4096)"));
  const std::string complaint =
      foreign_body(WebhookForm::postmark, {foreign_event(ToldKind::complained)});
  EXPECT_TRUE(complaint.contains(R"("RecordType":"SpamComplaint")"));
  EXPECT_TRUE(complaint.contains(R"("Inactive":true,"CanActivate":false)"));
  EXPECT_TRUE(foreign_body(WebhookForm::postmark, {foreign_event(ToldKind::unsubscribed)})
                  .contains(R"("RecordType":"SubscriptionChange")"));
}

TEST(ResendBody, IsOneEvent) {
  EXPECT_EQ(
      foreign_body(WebhookForm::resend, {replied(ToldKind::hard_error, 550, "5.1.1 Unknown")}),
      R"({"type":"email.bounced","created_at":"2026-04-01T00:00:00.123Z","data":{)"
      R"("created_at":"2026-03-31T23:59:59.123Z",)"
      R"("email_id":"00000000-0000-4000-8000-00000000000c","from":"Shop <shop@example.jp>",)"
      R"("to":["reader@example.jp"],"subject":"件名","bounce":{)"
      R"("message":"550 5.1.1 Unknown","subType":"General","type":"Permanent"},)"
      R"("tags":{"order":"7"}}})");
  EXPECT_TRUE(foreign_body(WebhookForm::resend, {replied(ToldKind::dropped, 0, "on the list")})
                  .contains(R"("subType":"Suppressed","type":"Permanent")"));
  EXPECT_TRUE(foreign_body(WebhookForm::resend,
                           {replied(ToldKind::soft_error, 452, "full", Cause::mailbox_full)})
                  .contains(R"("subType":"MailboxFull","type":"Transient")"));
  EXPECT_FALSE(foreign_body(WebhookForm::resend, {foreign_event(ToldKind::sent, {"spring"})})
                   .contains("tags"));
}

// What is asked of the store, what is wanted and what can be written agree.
TEST(ForeignType, HasAWordForWhatItsPageSays) {
  struct Row {
    ToldKind kind;
    const char* sendgrid;
    const char* postmark;
    const char* resend;
  };
  const Row rows[] = {
      {ToldKind::accepted, "processed", "", "email.sent"},
      {ToldKind::sent, "delivered", "Delivery", "email.delivered"},
      {ToldKind::deferred, "deferred", "", "email.delivery_delayed"},
      {ToldKind::hard_error, "bounce", "Bounce", "email.bounced"},
      {ToldKind::dropped, "dropped", "", "email.bounced"},
      {ToldKind::opened, "open", "Open", "email.opened"},
      {ToldKind::complained, "spamreport", "SpamComplaint", "email.complained"},
      {ToldKind::unsubscribed, "unsubscribe", "SubscriptionChange", ""},
      {ToldKind::cancelled, "", "", ""},
      {ToldKind::unknown, "", "", ""},
      {ToldKind::delivery_finished, "", "", ""},
      {ToldKind::test, "", "", ""},
  };
  for (const Row& row : rows) {
    const std::pair<WebhookForm, std::string> forms[] = {{WebhookForm::sendgrid, row.sendgrid},
                                                         {WebhookForm::postmark, row.postmark},
                                                         {WebhookForm::resend, row.resend}};
    for (const auto& [form, word] : forms) {
      EXPECT_EQ(foreign_type(form, row.kind).value_or(""), word) << type_of(row.kind);
    }
    EXPECT_FALSE(foreign_type(WebhookForm::standard, row.kind));
    EXPECT_FALSE(foreign_type(WebhookForm::contract, row.kind));
  }
}

TEST(ForeignBody, IsBoundedWhateverAReceiverSays) {
  ToldEvent event = replied(ToldKind::hard_error, 550, std::string(100'000, '\x01'));
  event.delivery = std::make_shared<const store::EventDelivery>(store::EventDelivery{
      .id = 1,
      .subject = std::string(100'000, '"'),
      .labels = {std::vector<std::string>(1'000, std::string(64, 't')), "", Purpose::by_type}});
  for (std::size_t i = 0; i < kMetadataMembersMax; ++i) {
    event.attached.metadata.push_back({std::to_string(i), std::string(100, '\x01')});
  }
  for (const WebhookForm form :
       {WebhookForm::sendgrid, WebhookForm::postmark, WebhookForm::resend}) {
    EXPECT_LE(foreign_body(form, {event}).size(), kEventOctetsMax);
  }
}

}  // namespace
}  // namespace todoku::events::webhooks
