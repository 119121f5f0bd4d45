// SPDX-License-Identifier: Apache-2.0
// Who reads the events of the installation, one node at a time, and events of one type of delivery.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::SizeIs;

TEST_P(StoreSuite, AReaderOfEventsIsOneNodesAndKeepsWhatItWrote) {
  const auto take = [&](NodeKey node, std::string_view name = "reports") {
    return write([node, name](WriteTransaction& t) { return t.take_event_reader(node, name); });
  };
  const auto save = [&](NodeKey node, std::string_view state) {
    return write(
        [node, state](WriteTransaction& t) { return t.save_event_reader(node, "reports", state); });
  };
  EXPECT_EQ(error_of(save(me_, "a")), "conflict") << "nobody has taken it";
  EXPECT_EQ(must(take(me_)), "") << "the very first";
  must(save(me_, std::string_view("a\0b", 3)));
  EXPECT_EQ(must(take(me_)), std::string_view("a\0b", 3));
  EXPECT_EQ(error_of(take(other_)), "conflict");
  EXPECT_EQ(error_of(save(other_, "c")), "conflict");
  EXPECT_EQ(must(take(other_, "another")), "") << "each has its own name";
  reopen();
  EXPECT_EQ(must(take(me_)), std::string_view("a\0b", 3));
  EXPECT_EQ(error_of(save(me_, std::string(kEventReaderStateMax + 1, 'x'))), "invalid_input");

  must(write([&](WriteTransaction& t) { return t.give_event_reader(other_, "reports"); }));
  EXPECT_EQ(error_of(take(other_)), "conflict") << "it was not the other's to give";
  must(write([&](WriteTransaction& t) { return t.give_event_reader(me_, "reports"); }));
  EXPECT_EQ(must(take(other_)), std::string_view("a\0b", 3));
  bury(other_);
  EXPECT_EQ(must(take(me_)), std::string_view("a\0b", 3)) << "its node is dead";
  EXPECT_EQ(error_of(save(other_, "d")), "conflict") << "and writes nothing over it";
}

TEST_P(StoreSuite, WhatIsDoneAboutEventsIsUndoneWhereTheReaderIsAnothers) {
  const Account acme = account();
  must(write([&](WriteTransaction& t) { return t.take_event_reader(other_, "reports"); }));
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) -> Result<void> {
              auto made = t.create_draft(bulk(acme.key), std::nullopt);
              if (!made) return fail(made.error());
              return t.save_event_reader(me_, "reports", "x");
            })),
            "conflict");
  EXPECT_THAT(deliveries_of(*store_, {.account = acme.key}), SizeIs(0));
}

TEST_P(StoreSuite, EventsOfOneTypeOfDeliveryAreFoundAmongOthers) {
  const Account acme = account();
  Accept relayed = acceptance(acme.key, {recipient("one"), recipient("two")});
  relayed.delivery.type = DeliveryType::smtp;
  relayed.delivery.content.relayed = RelayedEnvelope{.mail_from = "a@example.jp"};
  relayed.delivery.content.attachments = {{"", "message/rfc822", "Subject: a\r\n\r\n"}};
  const Accepted other = accept(acme.key, {recipient("three")});
  const Accepted mail = must(store_->perform_and_wait(relayed));
  OutcomeRecord taken = outcome(mail.batches[0].key, 0, RecipientState::delivered);
  taken.outcome.sender_to_tell = true;
  record({taken, outcome(mail.batches[0].key, 1, RecipientState::bounced, 550, "5.1.1 no"),
          outcome(other.batches[0].key, 0, RecipientState::bounced, 550, "5.1.1 no")});

  std::vector<EventRecord> found;
  EventQuestion question{.limit = 1, .kinds = {EventKind::sent, EventKind::hard_error}};
  question.type = DeliveryType::smtp;
  for (bool more = true; more;) {
    EventPage page = must(read([&](ReadTransaction& t) { return t.events(question); }));
    for (EventRecord& event : page.events) found.push_back(std::move(event));
    question.after = page.next;
    question.after_account = page.next_account;
    more = page.more;
  }
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].entry.kind, EventKind::sent);
  EXPECT_TRUE(found[0].sender_to_tell);
  EXPECT_EQ(found[1].entry.kind, EventKind::hard_error);
  EXPECT_EQ(found[1].address, "two@example.jp");
  EXPECT_EQ(found[1].reply, "5.1.1 no");
  EXPECT_FALSE(found[1].sender_to_tell);
  const Story story =
      must(read([&](ReadTransaction& t) { return t.story({mail.delivery.key, 0, 0}); }));
  EXPECT_TRUE(story.attempts.at(0).outcome.sender_to_tell);
}

TEST_P(StoreSuite, EventsOfDeliveriesWithTagsAreFoundBesideThoseOfAType) {
  const Account acme = account();
  Accept tagged = acceptance(acme.key, {recipient("one")});
  tagged.delivery.labels.tags = {"order"};
  const Accepted wanted = must(store_->perform_and_wait(tagged));
  const Accepted other = accept(acme.key, {recipient("two")});
  record({outcome(other.batches[0].key, 0, RecipientState::delivered),
          outcome(wanted.batches[0].key, 0, RecipientState::delivered)});
  EventQuestion question{.limit = 10, .kinds = {EventKind::sent}};
  question.type = DeliveryType::bulk;
  const auto found = [&] {
    std::vector<std::string> addresses;
    for (const EventRecord& event :
         must(read([&](ReadTransaction& t) { return t.events(question); })).events) {
      addresses.push_back(event.address);
    }
    return addresses;
  };
  EXPECT_THAT(found(), SizeIs(0));
  question.or_tagged = true;
  EXPECT_EQ(found(), std::vector<std::string>{"one@example.jp"});
}

}  // namespace
}  // namespace todoku::store
