// SPDX-License-Identifier: Apache-2.0
// Drafts: what they say, whom they go to, and how they are found.
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(StoreSuite, ADraftKeepsAllOfItsContent) {
  const Account acme = account();
  NewDelivery wanted = bulk(acme.key);
  wanted.at_most_once = true;
  Content& content = wanted.content;
  content.from = {"news@example.com", "届く"};
  content.reply_to = Mailbox{"reply@example.com", ""};
  content.header_to = {"a@example.jp", "b@example.jp"};
  content.header_cc = {"c@example.jp"};
  content.subject = "お知らせ __name__";
  content.text_part = std::string(200'000, 't');
  content.html_part = "<p>__name__</p>";
  content.encode = Encoding::iso_2022_jp;
  content.text_from_html = false;
  content.list_unsubscribe_mailto = "mailto:stop@example.com";
  content.list_unsubscribe_url = "https://example.com/stop";
  content.list_unsubscribe_one_click = true;
  content.headers = {{"In-Reply-To", "<1@example.com>"}, {"X-Note", "件 __name__"}};
  content.attachments = {{"画像.png", "image/png", std::string("\0\1\2", 3)},
                         {"b.pdf", "application/pdf", std::string(100'000, 'b')},
                         {"logo.png", "image/png", "png", "logo@example.jp"}};
  const Delivery made =
      must(write([&](WriteTransaction& t) { return t.create_draft(wanted, kDraftsMax); }));
  reopen();

  const Delivery kept =
      must(read([&](ReadTransaction& t) { return t.delivery(acme.key, made.id); }));
  EXPECT_EQ(kept.key, made.key);
  EXPECT_EQ(kept.status, DeliveryStatus::edit);
  EXPECT_TRUE(kept.at_most_once);
  EXPECT_EQ(kept.created, now());
  EXPECT_EQ(kept.counts.total, 0);
  ASSERT_THAT(kept.attachments, SizeIs(3));
  EXPECT_EQ(kept.attachments[0].content_id, "");
  EXPECT_EQ(kept.attachments[2].content_id, "logo@example.jp");
  EXPECT_EQ(kept.attachments[0].file_name, "画像.png");
  EXPECT_EQ(kept.attachments[1].size, 100'000);
  EXPECT_NE(kept.attachments[0].id, kept.attachments[1].id);
  EXPECT_THAT(kept.content.attachments, IsEmpty());
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.content(made.key); })), content);
  EXPECT_EQ(get(made.key).content.subject, content.subject);
  EXPECT_THAT(made.attachments, SizeIs(3));
}

TEST_P(StoreSuite, InlinePartsOfADraftAreReplaced) {
  NewDelivery wanted = bulk(account().key);
  wanted.content.html_part = "<img src=cid:logo>";
  wanted.content.attachments = {{"a.png", "image/png", "old", "logo"},
                                {"b.pdf", "application/pdf", "attached"},
                                {"c.png", "image/png", "old too", "other"}};
  const Delivery made =
      must(write([&](WriteTransaction& t) { return t.create_draft(wanted, kDraftsMax); }));
  const auto change = [&](std::optional<std::vector<Attachment>> parts) {
    must(write([&](WriteTransaction& t) {
      return t.change_draft(made.key, {.subject = "changed", .inline_parts = parts});
    }));
  };
  const auto kept = [&] {
    return must(read([&](ReadTransaction& t) { return t.content(made.key); })).attachments;
  };
  change(std::nullopt);
  EXPECT_EQ(kept(), wanted.content.attachments);
  const Attachment attached = wanted.content.attachments[1];
  const Attachment first{"d.png", "image/png", "new", "logo"};
  const Attachment second{"e.png", "image/png", std::string("\0n", 2), "more"};
  change(std::vector{first, second});
  reopen();
  EXPECT_EQ(kept(), (std::vector{attached, first, second}));
  const Delivery now = get(made.key);
  ASSERT_THAT(now.attachments, SizeIs(3));
  EXPECT_EQ(now.attachments[1].content_id, "logo");
  EXPECT_EQ(now.attachments[2].size, 2);
  EXPECT_NE(now.attachments[1].id, now.attachments[2].id);
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.attachment_part(made.key, 1, 1, 2); })),
            "ew");
  change(std::vector<Attachment>{});
  EXPECT_EQ(kept(), std::vector{attached});
}

TEST_P(StoreSuite, PartsOfAnAttachmentAreReadByThemselves) {
  NewDelivery wanted = bulk(account().key);
  std::string large;
  for (std::size_t i = 0; i < 300'000; ++i) large += static_cast<char>(i * 7919 >> 5U);
  wanted.content.attachments = {
      {"a", "text/plain", "abc"}, {"b", "text/plain", large}, {"c", "text/plain", ""}};
  const Delivery made =
      must(write([&](WriteTransaction& t) { return t.create_draft(wanted, kDraftsMax); }));
  const auto part = [&](std::size_t which, std::uint64_t offset, std::size_t octets) {
    return read(
        [&](ReadTransaction& t) { return t.attachment_part(made.key, which, offset, octets); });
  };
  EXPECT_EQ(must(part(0, 1, 2)), "bc");
  EXPECT_EQ(must(part(1, 0, large.size())), large);
  EXPECT_EQ(must(part(1, 123'456, 100'000)), large.substr(123'456, 100'000));
  EXPECT_EQ(must(part(1, large.size() - 1, 1)), large.substr(large.size() - 1));
  EXPECT_EQ(must(part(2, 0, 0)), "");
  EXPECT_EQ(error_of(part(0, 2, 2)), "invalid_input");
  EXPECT_EQ(error_of(part(0, 4, 0)), "invalid_input");
  EXPECT_EQ(error_of(part(3, 0, 1)), "not_found");
}

TEST_P(StoreSuite, ADraftOfAnUnknownAccountIsRefused) {
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.create_draft(bulk(AccountKey{999}), kDraftsMax);
            })),
            "not_found");
}

TEST_P(StoreSuite, ADeliveryIsNotFoundThroughAnotherAccount) {
  const Delivery made = draft(account("acme").key);
  const Account other = account("other");
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.delivery(other.key, made.id); })),
            "not_found");
}

TEST_P(StoreSuite, AChangeOfADraftLeavesTheRestAsItIs) {
  const Delivery made = get(draft(account().key).key);
  clock_.advance(std::chrono::seconds(9));
  const auto change = [&](const DraftChange& what) {
    must(write([&](WriteTransaction& t) { return t.change_draft(made.key, what); }));
    return get(made.key);
  };
  DraftChange what;
  what.subject = "changed";
  what.reply_to = Mailbox{"reply@example.com", "R"};
  Delivery changed = change(what);
  EXPECT_EQ(changed.content.subject, "changed");
  EXPECT_EQ(changed.content.reply_to, (Mailbox{"reply@example.com", "R"}));
  EXPECT_EQ(changed.content.text_part, made.content.text_part);
  EXPECT_EQ(changed.content.from, made.content.from);
  EXPECT_EQ(changed.updated, now());

  what = {};
  what.reply_to = std::optional<Mailbox>(std::nullopt);
  what.from = Mailbox{"other@example.com", ""};
  what.text_part = "text";
  what.html_part = "";
  what.list_unsubscribe_mailto = "mailto:x@example.com";
  what.list_unsubscribe_url = "https://example.com";
  what.headers = std::vector<ExtraHeader>{{"X-A", "b"}};
  changed = change(what);
  EXPECT_EQ(changed.content.reply_to, std::nullopt);
  EXPECT_EQ(changed.content.from, (Mailbox{"other@example.com", ""}));
  EXPECT_EQ(changed.content.subject, "changed");
  EXPECT_EQ(changed.content.text_part, "text");
  EXPECT_EQ(changed.content.list_unsubscribe_mailto, "mailto:x@example.com");
  EXPECT_EQ(changed.content.list_unsubscribe_url, "https://example.com");
  EXPECT_EQ(changed.content.headers, *what.headers);

  what = {};
  what.subject = "again";
  EXPECT_THAT(change(what).content.headers, SizeIs(1)) << "what is not named stays";
  what.headers = std::vector<ExtraHeader>();
  EXPECT_THAT(change(what).content.headers, IsEmpty());
}

TEST_P(StoreSuite, OnlyADraftCanBeChanged) {
  const Delivery sending = started(account().key, recipients(2, "example.jp"));
  const RecipientKey first{sending.key, claim_all(sending.key)[0].key.batch, 0};
  const auto refused = [&](auto work) {
    EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return work(t); })), "conflict");
  };
  refused([&](WriteTransaction& t) { return t.change_draft(sending.key, {}); });
  refused([&](WriteTransaction& t) {
    return t.append_recipients(sending.key, recipients(1, "example.jp"));
  });
  refused([&](WriteTransaction& t) { return t.clear_recipients(sending.key); });
  refused([&](WriteTransaction& t) { return t.change_recipient(first, recipient("x")); });
  refused([&](WriteTransaction& t) { return t.remove_recipient(first); });
  refused([&](WriteTransaction& t) { return t.commit_draft(sending.key, std::nullopt, {}); });
  refused([&](WriteTransaction& t) { return t.cancel_reservation(sending.key); });
  refused([&](WriteTransaction& t) { return t.start_delivery(sending.key, "", kLifeTime); });
  refused([&](WriteTransaction& t) { return t.fail_delivery(sending.key, ""); });
  refused([&](WriteTransaction& t) { return t.create_import(sending.key, {}, me_); });
}

TEST_P(StoreSuite, RecipientsAreBatchedByDomain) {
  const Delivery made = draft(account().key);
  std::vector<NewRecipient> all;
  const auto add = [&](std::size_t count, std::string_view domain) {
    const auto more = recipients(count, domain);
    all.insert(all.end(), more.begin(), more.end());
  };
  add(1'200, "large.example.jp");
  add(50, "fifty.example.jp");
  add(49, "small.example.jp");
  for (int i = 0; i < 600; ++i) add(1, fmt::format("tiny{}.example.jp", i));
  append(made.key, all);
  commit_and_start(made.key);

  std::map<std::string, std::vector<std::size_t>> sizes;
  std::set<std::string> seen;
  for (const LeasedBatch& lease : claim_all(made.key)) {
    sizes[lease.domain].push_back(lease.recipients.size());
    EXPECT_LE(lease.recipients.size(), 500U);
    for (const LeasedRecipient& to : lease.recipients) {
      EXPECT_TRUE(seen.insert(to.address).second) << to.address << " is there twice";
      if (!lease.domain.empty()) {
        EXPECT_TRUE(to.address.ends_with("@" + lease.domain)) << to.address;
      }
      EXPECT_EQ(to.attempts, 0);
    }
  }
  EXPECT_THAT(seen, SizeIs(all.size()));
  EXPECT_THAT(sizes["large.example.jp"], SizeIs(3));
  EXPECT_THAT(sizes["fifty.example.jp"], ElementsAre(50));
  EXPECT_FALSE(sizes.contains("small.example.jp"));
  EXPECT_THAT(sizes[""], SizeIs(2));
}

TEST_P(StoreSuite, DueDomainsTellWhatIsDueWithoutItsRecipients) {
  const Delivery made = draft(account().key);
  append(made.key, recipients(700, "large.example.jp"));
  append(made.key, recipients(3, "small.example.jp"));
  const auto due = [&] {
    return must(store_->perform_and_wait(Due{.workload = made.key, .limit = 10})).domains;
  };
  EXPECT_THAT(due(), IsEmpty());
  clock_.advance(std::chrono::seconds(4));
  commit_and_start(made.key);
  auto domains = due();
  ASSERT_THAT(domains, SizeIs(2));
  std::ranges::sort(domains, {}, &DueDomain::domain);
  EXPECT_EQ(domains[0].domain, "");
  ASSERT_THAT(domains[0].batches, SizeIs(1));
  EXPECT_EQ(domains[0].batches[0].recipients, 3U);
  EXPECT_EQ(domains[1].domain, "large.example.jp");
  ASSERT_THAT(domains[1].batches, SizeIs(2));
  EXPECT_EQ(domains[1].batches[0].recipients + domains[1].batches[1].recipients, 700U);
  EXPECT_EQ(domains[1].batches[0].due, now()) << "not before the delivery started";
  claim_all(made.key);
  EXPECT_THAT(due(), IsEmpty());
}

TEST_P(StoreSuite, SingleRecipientsFillABatchTogether) {
  const Delivery made = draft(account().key);
  for (std::size_t i = 0; i < 150; ++i) append(made.key, recipients(1, "example.jp", i));
  append(made.key, recipients(40, "example.com"));
  commit_and_start(made.key);
  const auto leases = claim_all(made.key);
  EXPECT_LE(leases.size(), 4U);
  std::size_t all = 0;
  for (const LeasedBatch& lease : leases) all += lease.recipients.size();
  EXPECT_EQ(all, 190U);
}

TEST_P(StoreSuite, EmailIdsAreGivenInOrderAndFindTheirRecipients) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  std::vector<NewRecipient> mixed = recipients(60, "large.example.jp");
  mixed.insert(mixed.begin() + 10, recipient("odd", "example.com"));
  auto ids = append(made.key, mixed);
  ASSERT_THAT(ids, SizeIs(61));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Recipient found =
        must(read([&](ReadTransaction& t) { return t.recipient(acme.key, ids[i]); }));
    EXPECT_EQ(found.address, mixed[i].address);
    EXPECT_EQ(found.insert_codes, mixed[i].insert_codes);
    EXPECT_EQ(found.id, ids[i]);
    EXPECT_EQ(found.delivery_id, made.id);
    EXPECT_EQ(found.delivery_status, DeliveryStatus::edit);
    EXPECT_EQ(found.created, now());
  }
  const auto unknown = std::ranges::max(ids) + 1'000;
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.recipient(acme.key, unknown); })),
            "not_found");
  const Account other = account("other");
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.recipient(other.key, ids[0]); })),
            "not_found");
}

TEST_P(StoreSuite, InsertCodesOfEveryKindAreKept) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  NewRecipient none{"none@example.jp", "example.jp", {}};
  NewRecipient many{"many@example.jp", "example.jp", {}};
  for (int i = 0; i < 50; ++i) {
    many.insert_codes.push_back(
        {fmt::format("__key{}__", i), std::string(static_cast<std::size_t>(i * 40), 'v')});
  }
  many.insert_codes.push_back({"%%name%%", "山田 太郎"});
  many.insert_codes.push_back({"%%nul%%", std::string("a\0b", 3)});
  const auto ids = append(made.key, {none, many});
  reopen();
  const auto find = [&](PublicId id) {
    return must(read([&](ReadTransaction& t) { return t.recipient(acme.key, id); }));
  };
  EXPECT_THAT(find(ids[0]).insert_codes, IsEmpty());
  EXPECT_EQ(find(ids[1]).insert_codes, many.insert_codes);
}

TEST_P(StoreSuite, ARecipientCanBeChanged) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto ids = append(made.key, recipients(60, "example.jp"));
  const auto find = [&](PublicId id) {
    return must(read([&](ReadTransaction& t) { return t.recipient(acme.key, id); }));
  };
  const Recipient before = find(ids[5]);
  clock_.advance(std::chrono::seconds(3));
  NewRecipient changed = recipient("moved", "example.com");
  changed.insert_codes = {{"__new__", "1"}};
  must(write([&](WriteTransaction& t) { return t.change_recipient(before.key, changed); }));
  const Recipient after_change = find(ids[5]);
  EXPECT_EQ(after_change.address, "moved@example.com");
  EXPECT_EQ(after_change.insert_codes, changed.insert_codes);
  EXPECT_EQ(after_change.created, before.created);
  EXPECT_EQ(after_change.updated, now());
  EXPECT_EQ(get(made.key).updated, now());
  // The others of its batch are who they were.
  EXPECT_EQ(find(ids[4]).address, "user4@example.jp");
  EXPECT_THAT(stories("user5@example.jp"), IsEmpty());
  EXPECT_THAT(stories("moved@example.com"), SizeIs(1));
  EXPECT_THAT(stories("user4@example.jp"), SizeIs(1));
  // A batch that has two domains now does not claim to be of one.
  commit_and_start(made.key);
  for (const LeasedBatch& lease : claim_all(made.key)) EXPECT_EQ(lease.domain, "");
  RecipientKey unknown = before.key;
  unknown.seq = 499;
  EXPECT_NE(
      error_of(write([&](WriteTransaction& t) { return t.change_recipient(unknown, changed); })),
      "none");
}

TEST_P(StoreSuite, ARemovedRecipientIsGone) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto ids = append(made.key, recipients(3, "example.jp"));
  const auto key_of = [&](PublicId id) {
    return must(read([&](ReadTransaction& t) { return t.recipient(acme.key, id); })).key;
  };
  const RecipientKey second = key_of(ids[1]);
  const auto remove = [&](const RecipientKey& key) {
    return write([&](WriteTransaction& t) { return t.remove_recipient(key); });
  };
  must(remove(second));
  EXPECT_EQ(error_of(remove(second)), "not_found");
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.recipient(acme.key, ids[1]); })),
            "not_found");
  EXPECT_THAT(stories("user1@example.jp"), IsEmpty());
  EXPECT_EQ(get(made.key).counts.total, 2);
  commit_and_start(made.key);
  const auto leases = claim_all(made.key);
  ASSERT_THAT(leases, SizeIs(1));
  ASSERT_THAT(leases[0].recipients, SizeIs(2));
  EXPECT_EQ(leases[0].recipients[1].address, "user2@example.jp");
  // An outcome for who is gone changes nothing.
  const auto recorded = record({outcome(leases[0].key, second.seq, RecipientState::delivered)});
  EXPECT_EQ(recorded.recorded, 0);
  record({outcome(leases[0].key, leases[0].recipients[0].seq, RecipientState::delivered),
          outcome(leases[0].key, leases[0].recipients[1].seq, RecipientState::delivered)});
  EXPECT_EQ(get(made.key).status, DeliveryStatus::sent);
}

TEST_P(StoreSuite, ARecipientIsWithdrawnFromABulkThatIsToStart) {
  const Account acme = account();
  const auto withdraw = [&](PublicId id) {
    return write([&](WriteTransaction& t) -> Result<void> {
      const auto found = t.read().recipient(acme.key, id);
      if (!found) return fail(found.error());
      return t.withdraw_recipient(found->key);
    });
  };
  const std::pair<std::optional<Instant>, DeliveryStatus> kinds[] = {
      {after(3'600), DeliveryStatus::reserve}, {std::nullopt, DeliveryStatus::wait}};
  for (const auto& [at, status] : kinds) {
    const Delivery made = draft(acme.key);
    const auto ids = append(made.key, recipients(3, "example.jp"));
    must(withdraw(ids[0]));
    must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, at, {}); }));
    must(withdraw(ids[1]));
    EXPECT_EQ(error_of(withdraw(ids[1])), "not_found");
    EXPECT_EQ(get(made.key).status, status);
    EXPECT_EQ(get(made.key).reservation, at);
    EXPECT_EQ(get(made.key).counts.total, 1);
    clock_.advance(std::chrono::hours(1));
    must(write([&](WriteTransaction& t) { return t.start_delivery(made.key, "s", kLifeTime); }));
    EXPECT_EQ(error_of(withdraw(ids[2])), "conflict") << "it has begun";
    const auto leases = claim_all(made.key);
    ASSERT_THAT(leases, SizeIs(1));
    ASSERT_THAT(leases[0].recipients, SizeIs(1));
    EXPECT_EQ(leases[0].recipients[0].address, "user2@example.jp");
    EXPECT_EQ(get(made.key).counts.total, 1);
  }
  NewDelivery wanted = transaction(acme.key);
  const Delivery single =
      must(write([&](WriteTransaction& t) { return t.create_draft(wanted, kDraftsMax); }));
  const auto ids = append(single.key, {recipient("told")});
  must(write([&](WriteTransaction& t) { return t.commit_draft(single.key, after(3'600), {}); }));
  EXPECT_EQ(error_of(withdraw(ids[0])), "conflict") << "its recipient was told of";
}

// Whoever withdraws says nothing of when it starts.
TEST_P(StoreSuite, AStartThatMovesWhileRecipientsAreWithdrawnIsWhereItWasMovedTo) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  constexpr std::size_t kRecipients = 60;
  std::vector<RecipientKey> keys;
  for (const PublicId id : append(made.key, recipients(kRecipients, "example.jp"))) {
    keys.push_back(must(read([&](ReadTransaction& t) { return t.recipient(acme.key, id); })).key);
  }
  must(write([&](WriteTransaction& t) { return t.commit_draft(made.key, after(3'600), {}); }));
  std::thread withdrawing([&] {
    for (const RecipientKey& key : keys) {
      must(write([&](WriteTransaction& t) { return t.withdraw_recipient(key); }));
    }
  });
  for (std::int64_t i = 1; i <= 60; ++i) {
    const Instant to = after(3'600 + i);
    must(write([&](WriteTransaction& t) { return t.move_reservation(made.key, to, {}); }));
    EXPECT_EQ(get(made.key).reservation, to);
  }
  withdrawing.join();
  EXPECT_EQ(get(made.key).counts.total, 0);
  EXPECT_EQ(get(made.key).status, DeliveryStatus::reserve);
}

TEST_P(StoreSuite, ADraftWithoutItsRecipientsCanBeFilledAnew) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  const auto ids = append(made.key, recipients(700, "example.jp"));
  must(write([&](WriteTransaction& t) { return t.clear_recipients(made.key); }));
  EXPECT_EQ(get(made.key).counts.total, 0);
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.recipient(acme.key, ids[0]); })),
            "not_found");
  EXPECT_THAT(stories("user1@example.jp"), IsEmpty());
  append(made.key, {recipient("new")});
  EXPECT_EQ(get(made.key).counts.total, 1);
  commit_and_start(made.key);
  const auto leases = claim_all(made.key);
  ASSERT_THAT(leases, SizeIs(1));
  EXPECT_THAT(leases[0].recipients, SizeIs(1));
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(100); }))) {
  }
  EXPECT_THAT(stories("new@example.jp"), SizeIs(1));
}

TEST_P(StoreSuite, NoRecipientsAreNoError) {
  const Delivery made = draft(account().key);
  EXPECT_THAT(append(made.key, {}), IsEmpty());
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.append_recipients(DeliveryKey{12'345}, recipients(1, "example.jp"));
            })),
            "not_found");
}

TEST_P(StoreSuite, ATransactionSeesItsOwnChanges) {
  const Account acme = account();
  must(write([&](WriteTransaction& t) -> Result<void> {
    const auto made = t.create_draft(bulk(acme.key), kDraftsMax);
    if (!made) return fail(made.error());  // perhaps to be run again
    const auto ids = t.append_recipients(made->key, {{recipient("own")}});
    if (!ids) return fail(ids.error());
    EXPECT_EQ(must(t.read().delivery(acme.key, made->id)).counts.total, 1);
    EXPECT_EQ(must(t.read().recipient(acme.key, ids->at(0))).address, "own@example.jp");
    EXPECT_THAT(must(t.read().stories("own@example.jp", std::nullopt, 1, {})).stories, SizeIs(1));
    return {};
  }));
}

// ---- lists -------------------------------------------------------------------------------------

class List {
 public:
  explicit List(Store& store) : store_(store) {}
  std::vector<PublicId> operator()(const DeliveryFilter& filter) {
    std::vector<PublicId> ids;
    for (const Delivery& delivery : deliveries_of(store_, filter)) ids.push_back(delivery.id);
    return ids;
  }

 private:
  Store& store_;
};

TEST_P(StoreSuite, DeliveriesAreListedNewestFirstPageByPage) {
  const Account acme = account();
  for (int i = 0; i < 7; ++i) draft(acme.key);
  draft(account("other").key);
  List list(*store_);
  DeliveryFilter filter;
  filter.account = acme.key;
  EXPECT_THAT(list(filter), ElementsAre(7, 6, 5, 4, 3, 2, 1));
  filter.limit = 3;
  EXPECT_THAT(list(filter), ElementsAre(7, 6, 5));
  filter.offset = 3;
  EXPECT_THAT(list(filter), ElementsAre(4, 3, 2));
  filter.offset = 6;
  EXPECT_THAT(list(filter), ElementsAre(1));
  filter.offset = 7;
  EXPECT_THAT(list(filter), IsEmpty());
}

TEST_P(StoreSuite, DeliveriesAreFilteredByEveryCondition) {
  const Account acme = account();
  const auto make = [&](auto change) {
    NewDelivery delivery = bulk(acme.key);
    change(delivery.content);
    return must(write([&](WriteTransaction& t) { return t.create_draft(delivery, kDraftsMax); }))
        .id;
  };
  const PublicId text = make([](Content& c) { c.text_part = "a needle_ here"; });
  const PublicId html = make([](Content& c) { c.html_part = "<b>100% needle_</b>"; });
  const PublicId subject = make([](Content& c) { c.subject = "the needle_"; });
  const PublicId from = make([](Content& c) { c.from = {"needle_@example.com", ""}; });
  const PublicId name = make([](Content& c) { c.from.name = "needle_"; });
  const PublicId mailto = make([](Content& c) { c.list_unsubscribe_mailto = "mailto:needle_"; });
  const PublicId url = make([](Content& c) { c.list_unsubscribe_url = "https://needle_"; });
  accept(acme.key, {recipient("one")});
  NewDelivery tagged = bulk(acme.key);
  tagged.labels.tags = {"needle_2", "needle_"};
  const PublicId tag =
      must(write([&](WriteTransaction& t) { return t.create_draft(tagged, kDraftsMax); })).id;

  List list(*store_);
  const auto with = [&](auto change) {
    DeliveryFilter filter;
    filter.account = acme.key;
    change(filter);
    return list(filter);
  };
  EXPECT_THAT(with([](auto& f) { f.text_part = "needle_"; }), ElementsAre(text));
  EXPECT_THAT(with([](auto& f) { f.html_part = "100% needle_"; }), ElementsAre(html));
  EXPECT_THAT(with([](auto& f) { f.subject = "needle_"; }), ElementsAre(subject));
  EXPECT_THAT(with([](auto& f) { f.from = "needle_"; }), ElementsAre(name, from));
  EXPECT_THAT(with([](auto& f) { f.list_unsubscribe_mailto = "needle_"; }), ElementsAre(mailto));
  EXPECT_THAT(with([](auto& f) { f.list_unsubscribe_url = "needle_"; }), ElementsAre(url));
  EXPECT_THAT(with([](auto& f) { f.subject = "needl%"; }), IsEmpty());
  EXPECT_THAT(with([](auto& f) { f.tag = "needle_"; }), ElementsAre(tag));
  EXPECT_THAT(with([](auto& f) { f.tag = "needle_2"; }), ElementsAre(tag));
  EXPECT_THAT(with([](auto& f) { f.tag = "needle"; }), IsEmpty());
  EXPECT_THAT(with([](auto& f) { f.types = {DeliveryType::transaction}; }), ElementsAre(8));
  EXPECT_THAT(with([](auto& f) { f.types = {DeliveryType::bulk, DeliveryType::smtp}; }), SizeIs(8));
  EXPECT_THAT(with([](auto& f) { f.statuses = {DeliveryStatus::sending}; }), ElementsAre(8));
  EXPECT_THAT(with([&](auto& f) { f.delivery_start = now(); }), ElementsAre(8));
  EXPECT_THAT(with([&](auto& f) { f.delivery_end = now(); }), ElementsAre(8));
  EXPECT_THAT(with([&](auto& f) { f.delivery_start = after(1); }), IsEmpty());
}

TEST_P(StoreSuite, DeliveriesAreSortedAsAsked) {
  const Account acme = account();
  std::vector<Delivery> made;
  for (int i = 0; i < 3; ++i) {
    made.push_back(draft(acme.key));
    append(made.back().key, {recipient("a")});
    clock_.advance(std::chrono::seconds(1));
  }
  // Started in the order 2, 3, 1; 1 is updated last.
  for (const std::size_t index : {1U, 2U, 0U}) {
    commit_and_start(made[index].key);
    clock_.advance(std::chrono::seconds(1));
  }
  List list(*store_);
  const auto by = [&](std::vector<DeliverySort> sort) {
    DeliveryFilter filter;
    filter.account = acme.key;
    filter.sort = std::move(sort);
    return list(filter);
  };
  EXPECT_THAT(by({DeliverySort::delivery_time_ascending}), ElementsAre(2, 3, 1));
  EXPECT_THAT(by({DeliverySort::delivery_time_descending}), ElementsAre(1, 3, 2));
  EXPECT_THAT(by({DeliverySort::updated_time_ascending}), ElementsAre(2, 3, 1));
  EXPECT_THAT(by({DeliverySort::updated_time_descending}), ElementsAre(1, 3, 2));
  EXPECT_THAT(by({DeliverySort::newest_first}), ElementsAre(3, 2, 1));
}

TEST_P(StoreSuite, DraftsAreCountedUpToALimit) {
  const Account acme = account();
  const auto count = [&](DeliveryType type, std::int64_t most) {
    return must(read([&](ReadTransaction& t) { return t.count_drafts(acme.key, type, most); }));
  };
  for (int i = 0; i < 3; ++i) draft(acme.key);
  const Delivery filled = draft(acme.key);
  must(write([&](WriteTransaction& t) {
    return t.create_import(filled.key, {.ignore_errors = true, .upload = "upload/1.csv"}, me_);
  }));
  started(acme.key, recipients(1, "example.jp"));
  draft(account("other").key);
  EXPECT_EQ(count(DeliveryType::bulk, 100), 4);
  EXPECT_EQ(count(DeliveryType::bulk, 3), 3);
  EXPECT_EQ(count(DeliveryType::transaction, 100), 0);
  const auto another = [&](std::optional<std::int64_t> most) {
    return error_of(
        write([&](WriteTransaction& t) { return t.create_draft(bulk(acme.key), most); }));
  };
  EXPECT_EQ(another(4), "limit_exceeded");
  EXPECT_EQ(another(5), "none");
  EXPECT_EQ(another(5), "limit_exceeded");
  EXPECT_EQ(another(std::nullopt), "none");
}

TEST_P(StoreSuite, ARefusedWriteBurnsNoIds) {
  const Account acme = account();
  const PublicId first = draft(acme.key).id;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(error_of(write([&](WriteTransaction& t) -> Result<void> {
                const auto made = t.create_draft(bulk(acme.key), kDraftsMax);
                if (!made) return fail(made.error());
                return fail(ErrorKind::conflict, "changed its mind");
              })),
              "conflict");
  }
  EXPECT_EQ(draft(acme.key).id, first + 1);
}

// Several writers at once find room for one draft more, and one gets it.
TEST_P(StoreSuite, TheLastDraftIsGivenToOneOfSeveral) {
  const Account acme = account();
  draft(acme.key);
  std::vector<std::thread> threads;
  std::atomic<int> made{0};
  std::atomic<int> refused{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto one = store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
        return t.create_draft(bulk(acme.key), 2);
      });
      if (one) ++made;
      if (error_of(one) == "limit_exceeded") ++refused;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(refused, 7);
}

}  // namespace
}  // namespace todoku::store
