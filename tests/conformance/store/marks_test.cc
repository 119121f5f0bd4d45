// SPDX-License-Identifier: Apache-2.0
// What a sender attaches to recipients, and recipients found by it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/log_search.h"
#include "store/walks.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

NewRecipient with(NewRecipient recipient, const Attached& attached) {
  attach(attached, recipient.insert_codes);
  return recipient;
}
NewRecipient ordered(NewRecipient recipient, std::string_view reference) {
  return with(std::move(recipient), {.reference = std::string(reference)});
}
NewRecipient relayed(NewRecipient recipient, std::string_view message_id) {
  return with(std::move(recipient), {.message_id = std::string(message_id)});
}
std::vector<Story> marked(Store& store, const Mark& mark, std::optional<AccountKey> account = {}) {
  StorySearch search(mark, account, 100);
  must(walk_and_wait(store, search));
  return search.take();
}
std::vector<std::string> ordered_by(Store& store, AccountKey account, std::string_view reference) {
  std::vector<std::string> addresses;
  const Mark mark{MarkKind::reference, std::string(reference), account};
  for (const Story& story : marked(store, mark, account)) {
    EXPECT_EQ(story.attached.reference, reference);
    addresses.push_back(story.address);
  }
  return addresses;
}

TEST_P(StoreSuite, WhatIsAttachedComesBackWithTheRecipient) {
  const Account acme = account();
  const Attached given{.reference = "order 4711", .metadata = {{"customer", "42"}, {"空", ""}}};
  NewRecipient taro = with(recipient("taro"), given);
  const std::vector<InsertCode> codes = recipient("taro").insert_codes;
  const Accepted made = accept(acme.key, {taro, recipient("hanako")});
  const PublicId id = stories("taro@example.jp").at(0).email_id;
  const Recipient stored =
      must(read([&](ReadTransaction& t) { return t.recipient(acme.key, id); }));
  EXPECT_EQ(stored.attached, given);
  EXPECT_EQ(stored.insert_codes, codes) << "and not among its insert codes";
  EXPECT_EQ(stories("taro@example.jp").at(0).attached, given);
  EXPECT_TRUE(stories("hanako@example.jp").at(0).attached.empty());
  record({outcome(made.batches[0].key, 0, RecipientState::delivered),
          outcome(made.batches[0].key, 1, RecipientState::delivered)});
  const EventPage page =
      must(read([&](ReadTransaction& t) { return t.events({.account = acme.key}); }));
  std::size_t told = 0;
  for (const EventRecord& event : page.events) {
    if (event.address == "taro@example.jp") {
      EXPECT_EQ(event.attached, given);
      ++told;
    } else {
      EXPECT_TRUE(event.attached.empty()) << event.address;
    }
  }
  EXPECT_EQ(told, 2U) << "accepted and sent";
}

TEST_P(StoreSuite, AReferenceIsItsAccountsOwn) {
  const Account acme = account("acme");
  const Account other = account("other");
  accept(acme.key, {ordered(recipient("taro"), "4711"), ordered(recipient("hanako"), "4712")});
  accept(other.key, {ordered(recipient("jiro"), "4711")});
  const Delivery made = draft(acme.key);
  append(made.key, {ordered(recipient("saburo"), "4711"), recipient("goro")});
  EXPECT_THAT(ordered_by(*store_, acme.key, "4711"),
              ElementsAre("saburo@example.jp", "taro@example.jp"));
  EXPECT_THAT(ordered_by(*store_, other.key, "4711"), ElementsAre("jiro@example.jp"));
  EXPECT_THAT(ordered_by(*store_, acme.key, "4712"), ElementsAre("hanako@example.jp"));
  EXPECT_THAT(ordered_by(*store_, acme.key, "471"), IsEmpty());
  EXPECT_THAT(ordered_by(*store_, acme.key, ""), IsEmpty());
  EXPECT_THAT(stories("4711"), IsEmpty());
  EXPECT_THAT(marked(*store_, {MarkKind::message_id, "4711"}), IsEmpty());
}

TEST_P(StoreSuite, AMessageIdIsFoundInAnyAccountHoweverItIsWritten) {
  const Account acme = account("acme");
  const Account other = account("other");
  accept(acme.key, {relayed(recipient("taro"), "Abc.1@example.com")});
  accept(other.key, {relayed(recipient("jiro"), "Abc.1@example.com")});
  EXPECT_THAT(marked(*store_, {MarkKind::message_id, "abc.1@EXAMPLE.com"}), SizeIs(2));
  EXPECT_THAT(marked(*store_, {MarkKind::message_id, "Abc.1@example.com"}, other.key), SizeIs(1));
  EXPECT_THAT(stories("Abc.1@example.com"), IsEmpty()) << "it is nobody's address";
}

TEST_P(StoreSuite, MarksAreFoundAmongManyWhileMoreAreAdded) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  constexpr std::size_t kCalls = 20;
  for (std::size_t n = 0; n < kCalls; ++n) {
    auto some = recipients(1'000, "example.jp", n * 1'000);
    for (std::size_t i = 0; i < some.size(); i += 10) {
      some[i] = with(some[i], {.reference = fmt::format("order-{}", n * 1'000 + i)});
    }
    append(made.key, some);
    ASSERT_THAT(ordered_by(*store_, acme.key, fmt::format("order-{}", n * 770)), SizeIs(1)) << n;
  }
  for (int round = 0; round < 2; ++round) {
    for (std::size_t index = 0; index < kCalls * 1'000; index += 1'230) {
      ASSERT_THAT(ordered_by(*store_, acme.key, fmt::format("order-{}", index)),
                  ElementsAre(fmt::format("user{}@example.jp", index)));
      ASSERT_THAT(ordered_by(*store_, acme.key, fmt::format("order-{}", index + 1)), IsEmpty());
      ASSERT_THAT(stories(fmt::format("user{}@example.jp", index)), SizeIs(1));
    }
    reopen();
  }
}

TEST_P(StoreSuite, TheLogIsSearchedByMarks) {
  const Account acme = account();
  const Accepted made =
      accept(acme.key, {ordered(recipient("taro"), "4711"), ordered(recipient("hanako"), "4712")});
  record({outcome(made.batches[0].key, 0, RecipientState::delivered),
          outcome(made.batches[0].key, 1, RecipientState::delivered)});
  LogFilter filter{.account = acme.key};
  filter.mark = Mark{MarkKind::reference, "4712", acme.key};
  LogSearch log(filter);
  must(walk_and_wait(*store_, log));
  const std::vector<Story> found = log.take();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].address, "hanako@example.jp");
  filter.address = "taro@example.jp";
  LogSearch both(filter);
  must(walk_and_wait(*store_, both));
  EXPECT_THAT(both.take(), IsEmpty());
}

TEST_P(StoreSuite, WhatIsErasedOrDeletedIsNotFoundByItsMarks) {
  const Account acme = account();
  const Accepted made =
      accept(acme.key, {ordered(recipient("taro"), "4711"), ordered(recipient("hanako"), "4712")});
  const BatchKey batch = made.batches[0].key;
  record(
      {outcome(batch, 0, RecipientState::delivered), outcome(batch, 1, RecipientState::delivered)});
  must(write([&](WriteTransaction& t) {
    return t.erase_recipient({batch.delivery, batch.batch, 0}, "taro@example.jp");
  }));
  EXPECT_THAT(ordered_by(*store_, acme.key, "4711"), IsEmpty());
  EXPECT_THAT(ordered_by(*store_, acme.key, "4712"), SizeIs(1));
  must(write([&](WriteTransaction& t) { return t.delete_delivery(made.delivery.key); }));
  while (must(write([&](WriteTransaction& t) { return t.purge_deleted(1'000); }))) continue;
  EXPECT_THAT(ordered_by(*store_, acme.key, "4712"), IsEmpty());

  const Delivery kept = draft(acme.key);
  append(kept.key, {ordered(recipient("jiro"), "4713")});
  const RecipientKey key = stories("jiro@example.jp").at(0).key;
  must(write([&](WriteTransaction& t) { return t.remove_recipient(key); }));
  EXPECT_THAT(ordered_by(*store_, acme.key, "4713"), IsEmpty());
}

}  // namespace
}  // namespace todoku::store
