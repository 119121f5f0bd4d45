// SPDX-License-Identifier: Apache-2.0
// Bulk that waits for a second person's word (store/approvals.h).
#include "store/approvals.h"

#include <memory>
#include <optional>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const AskedBy kSato{.actor = "person 3 (sato@example.jp)", .person = PersonKey{3}};
const AskedBy kAbe{.actor = "person 5 (abe@example.jp)", .person = PersonKey{5}};
const AskedBy kMori{.actor = "person 4 (mori@example.jp)", .person = PersonKey{4}};

// What is done with one delivery, and seen of it.
class Desk {
 public:
  explicit Desk(const std::unique_ptr<Store>& store) : store_(store) {}

  // The account's bulk waits for approval from now on.
  AccountKey careful(AccountKey account) {
    must(store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
      return t.put_sign_in_rules(account, {.approval = true});
    }));
    return account;
  }
  Delivery listed(AccountKey account) {
    NewDelivery wanted{.account = account,
                       .type = DeliveryType::bulk,
                       .traffic = TrafficClass::bulk,
                       .content = {},
                       .labels = {}};
    wanted.content.from = {"news@example.com", "News"};
    wanted.content.subject = "特売のお知らせ";
    wanted.content.text_part = "text";
    const std::vector<NewRecipient> two{{.address = "one@example.jp", .domain = "example.jp"},
                                        {.address = "two@example.jp", .domain = "example.jp"}};
    return must(
        store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) -> Result<Delivery> {
          auto made = t.create_draft(wanted, kDraftsMax);
          if (!made) return made;
          const auto ids = t.append_recipients(made->key, two);
          if (!ids) return fail(ids.error());
          first_ = ids->front();
          return made;
        }));
  }
  DeliveryStatus status_of(DeliveryKey key) {
    return must(store_->read_and_wait([&](ReadTransaction& t) { return t.delivery_head(key); }))
        .status;
  }
  // The first recipient of what was listed last.
  std::string_view withdraw(AccountKey account) {
    return done([&](WriteTransaction& t) -> Result<void> {
      const auto found = t.read().recipient(account, first_);
      return found ? t.withdraw_recipient(found->key) : fail(found.error());
    });
  }

  std::string_view commit(DeliveryKey key, std::optional<Instant> at, const AskedBy& by = kSato) {
    return done([&](WriteTransaction& t) { return t.commit_draft(key, at, by); });
  }
  std::string_view approve(DeliveryKey key, std::int64_t revision, const AskedBy& by = kMori) {
    return done(
        [&](WriteTransaction& t) { return t.approve(key, {.revision = revision, .by = by}); });
  }
  std::string_view send_back(DeliveryKey key, std::int64_t revision, const AskedBy& by = kMori) {
    return done([&](WriteTransaction& t) {
      return t.send_back(key, {.revision = revision, .by = by, .reason = "件名が違います"});
    });
  }
  std::string_view start(DeliveryKey key) {
    return done([&](WriteTransaction& t) { return t.start_delivery(key, "s1", kLifeTime); });
  }
  template <class Work>
  std::string_view done(Work work) {
    return error_of(store_->write_and_wait(WritePriority::accept, std::move(work)));
  }
  std::optional<Approval> of(DeliveryKey key) {
    return must(store_->read_and_wait([&](ReadTransaction& t) { return t.approval(key); }));
  }
  std::vector<Approval> waiting(AccountKey account, std::int64_t limit = 10) {
    return must(store_->read_and_wait(
        [&](ReadTransaction& t) { return t.approvals_waiting(account, limit); }));
  }
  std::vector<StartingDelivery> to_start() {
    return must(
        store_->read_and_wait([](ReadTransaction& t) { return t.deliveries_to_start(10); }));
  }

 private:
  const std::unique_ptr<Store>& store_;  // the suite's, which opens it anew
  PublicId first_ = 0;
};

TEST_P(StoreSuite, ABulkWaitsForASecondPersonAndThenGoes) {
  Desk desk(store_);
  const AccountKey acme = desk.careful(account().key);
  const Delivery made = desk.listed(acme);
  EXPECT_EQ(desk.commit(made.key, std::nullopt), "none");
  EXPECT_EQ(desk.status_of(made.key), DeliveryStatus::wait);
  EXPECT_THAT(desk.to_start(), IsEmpty());
  EXPECT_EQ(desk.start(made.key), "conflict") << "whoever tries";
  const auto asked = desk.of(made.key);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->state, ApprovalState::waiting);
  EXPECT_EQ(asked->asked_by, kSato);
  EXPECT_EQ(asked->account, acme);
  EXPECT_EQ(asked->lapses - now(), kApprovalLife);
  EXPECT_THAT(desk.waiting(acme), SizeIs(1));
  EXPECT_THAT(desk.waiting(account("other").key), IsEmpty());

  reopen();
  Desk after(store_);
  EXPECT_EQ(after.start(made.key), "conflict") << "also when it was opened anew";
  EXPECT_EQ(after.approve(made.key, asked->revision, kSato), "conflict") << "one's own";
  EXPECT_EQ(after.approve(made.key, asked->revision + 1), "conflict") << "another revision";
  EXPECT_EQ(after.approve(made.key, asked->revision), "none");
  EXPECT_EQ(after.approve(made.key, asked->revision), "conflict") << "it is decided";
  EXPECT_THAT(after.waiting(acme), IsEmpty());
  const auto approved = after.of(made.key);
  ASSERT_TRUE(approved);
  EXPECT_EQ(approved->state, ApprovalState::approved);
  EXPECT_EQ(approved->decided_by, kMori);
  EXPECT_TRUE(approved->decided);
  ASSERT_THAT(after.to_start(), SizeIs(1));
  EXPECT_FALSE(after.to_start()[0].lapsed);
  EXPECT_EQ(after.start(made.key), "none");
  EXPECT_EQ(desk.status_of(made.key), DeliveryStatus::sending);
}

TEST_P(StoreSuite, AReservedBulkGoesAtItsTimeWhenItIsApproved) {
  Desk desk(store_);
  const Delivery made = desk.listed(desk.careful(account().key));
  EXPECT_EQ(desk.commit(made.key, after(600)), "none");
  EXPECT_EQ(desk.of(made.key)->lapses, after(600));
  EXPECT_EQ(desk.approve(made.key, 1), "none");
  EXPECT_THAT(desk.to_start(), IsEmpty()) << "its time has not come";
  EXPECT_EQ(desk.start(made.key), "conflict");
  clock_.advance(11min);
  EXPECT_THAT(desk.to_start(), SizeIs(1));
  EXPECT_EQ(desk.start(made.key), "none");
}

TEST_P(StoreSuite, WhoChangesWhatWasApprovedAsksAnew) {
  Desk desk(store_);
  const AccountKey acme = desk.careful(account().key);
  const Delivery made = desk.listed(acme);
  EXPECT_EQ(desk.commit(made.key, after(600)), "none");
  EXPECT_EQ(desk.approve(made.key, 1), "none");
  EXPECT_EQ(desk.done([&](WriteTransaction& t) {
    return t.move_reservation(made.key, after(300), kMori);
  }),
            "none");
  const auto moved = desk.of(made.key);
  EXPECT_EQ(moved->state, ApprovalState::waiting);
  EXPECT_EQ(moved->revision, 2);
  EXPECT_EQ(moved->asked_by, kSato) << "who committed it";
  EXPECT_EQ(moved->lapses, after(300));
  EXPECT_EQ(moved->decided, std::nullopt);
  EXPECT_EQ(desk.approve(made.key, 1, kAbe), "conflict") << "what was looked at before";
  EXPECT_EQ(desk.approve(made.key, 2, kMori), "conflict") << "who changed it";
  EXPECT_EQ(desk.approve(made.key, 2, kSato), "conflict") << "who committed it";
  EXPECT_EQ(desk.send_back(made.key, 2, kMori), "conflict");
  EXPECT_EQ(may_not_decide(*moved, {.who = kMori, .may_send = true}), MayNotDecide::own);
  EXPECT_EQ(may_not_decide(*moved, {.who = kSato, .may_send = true}), MayNotDecide::own);
  EXPECT_EQ(may_not_decide(*moved, {.who = kAbe, .may_send = true}), std::nullopt);
  EXPECT_EQ(desk.approve(made.key, 2, kAbe), "none");

  const auto paced = [&](std::int64_t mails) {
    return desk.done([&](WriteTransaction& t) -> Result<void> {
      const auto done = change_steering(t, made.key, {.pace = Pace{.mails = mails}}, kMori);
      return done ? Result<void>() : fail(done.error());
    });
  };
  EXPECT_EQ(paced(10), "none");
  EXPECT_EQ(desk.of(made.key)->revision, 3);
  EXPECT_EQ(paced(10), "none");
  EXPECT_EQ(desk.of(made.key)->revision, 3) << "it went so already";

  EXPECT_EQ(desk.withdraw(acme), "none");
  EXPECT_EQ(desk.of(made.key)->revision, 4);
  EXPECT_EQ(desk.approve(made.key, 4), "conflict") << "an erasure takes no part away";
  clock_.advance(299s);
  EXPECT_EQ(desk.start(made.key), "conflict");
  EXPECT_EQ(desk.approve(made.key, 4, kAbe), "none");
  clock_.advance(2s);
  EXPECT_EQ(desk.start(made.key), "none");
  EXPECT_EQ(paced(20), "none");
  EXPECT_EQ(desk.of(made.key)->state, ApprovalState::approved) << "what goes has been approved";
}

TEST_P(StoreSuite, WhatIsSentBackIsADraft) {
  Desk desk(store_);
  const AccountKey acme = desk.careful(account().key);
  const Delivery made = desk.listed(acme);
  EXPECT_EQ(desk.commit(made.key, std::nullopt), "none");
  EXPECT_EQ(desk.send_back(made.key, 1, kSato), "conflict");
  EXPECT_EQ(desk.send_back(made.key, 1), "none");
  EXPECT_EQ(desk.status_of(made.key), DeliveryStatus::edit);
  EXPECT_EQ(desk.of(made.key)->state, ApprovalState::sent_back);
  EXPECT_EQ(desk.of(made.key)->reason, "件名が違います");
  EXPECT_EQ(desk.approve(made.key, 1), "conflict");
  EXPECT_THAT(desk.waiting(acme), IsEmpty());
  EXPECT_EQ(desk.commit(made.key, after(60), kMori), "none");
  EXPECT_EQ(desk.of(made.key)->revision, 2);
  EXPECT_EQ(desk.of(made.key)->reason, "");
  EXPECT_EQ(desk.approve(made.key, 2, kSato), "none");
}

TEST_P(StoreSuite, WhatNobodyApprovesInTimeLapses) {
  Desk desk(store_);
  const AccountKey acme = desk.careful(account().key);
  const Delivery reserved = desk.listed(acme);
  const Delivery at_once = desk.listed(acme);
  const auto lapse = [&](DeliveryKey key) {
    return desk.done([&](WriteTransaction& t) -> Result<void> {
      auto done = t.lapse_approval(key);
      return done ? t.fail_delivery(key, "nobody approved it") : done;
    });
  };
  EXPECT_EQ(desk.commit(reserved.key, after(60)), "none");
  EXPECT_EQ(desk.commit(at_once.key, std::nullopt), "none");
  EXPECT_EQ(lapse(reserved.key), "conflict") << "there is time";
  const auto next = must(read([](ReadTransaction& t) { return t.next_reservation(); }));
  ASSERT_TRUE(next);
  EXPECT_LE(*next, 60s) << "somebody has to look then";
  clock_.advance(61s);
  EXPECT_EQ(desk.approve(reserved.key, 1), "conflict") << "its time has passed";
  ASSERT_THAT(desk.to_start(), SizeIs(1));
  EXPECT_TRUE(desk.to_start()[0].lapsed);
  EXPECT_EQ(desk.start(reserved.key), "conflict");
  EXPECT_EQ(lapse(reserved.key), "none");
  EXPECT_EQ(desk.status_of(reserved.key), DeliveryStatus::failed);
  EXPECT_EQ(desk.of(reserved.key)->state, ApprovalState::lapsed);
  EXPECT_THAT(desk.to_start(), IsEmpty());
  clock_.advance(kApprovalLife);
  ASSERT_THAT(desk.to_start(), SizeIs(1));
  EXPECT_EQ(desk.to_start()[0].delivery.key, at_once.key);
  EXPECT_TRUE(desk.to_start()[0].lapsed);
}

TEST_P(StoreSuite, WhatIsCancelledOrDeletedWaitsNoMore) {
  Desk desk(store_);
  const AccountKey acme = desk.careful(account().key);
  const Delivery cancelled = desk.listed(acme);
  EXPECT_EQ(desk.commit(cancelled.key, std::nullopt), "none");
  EXPECT_EQ(desk.done([&](WriteTransaction& t) { return t.cancel_reservation(cancelled.key); }),
            "none")
      << "also what has no time";
  EXPECT_EQ(desk.status_of(cancelled.key), DeliveryStatus::edit);
  EXPECT_EQ(desk.of(cancelled.key)->state, ApprovalState::over);
  EXPECT_EQ(desk.approve(cancelled.key, 1), "conflict");
  const Delivery deleted = desk.listed(acme);
  EXPECT_EQ(desk.commit(deleted.key, after(60)), "none");
  EXPECT_EQ(desk.done([&](WriteTransaction& t) { return t.delete_delivery(deleted.key); }), "none");
  EXPECT_THAT(desk.waiting(acme), IsEmpty());
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(1'000); }))) {
  }
  EXPECT_EQ(desk.of(deleted.key), std::nullopt);
  EXPECT_TRUE(desk.of(cancelled.key));
}

TEST_P(StoreSuite, NothingElseWaits) {
  Desk desk(store_);
  const AccountKey acme = desk.careful(account().key);
  const Delivery waits = desk.listed(acme);
  EXPECT_EQ(desk.commit(waits.key, std::nullopt), "none");
  // Taking the rule off approves nothing, and asks nothing of what comes then.
  must(write([&](WriteTransaction& t) { return t.put_sign_in_rules(acme, {}); }));
  EXPECT_EQ(desk.start(waits.key), "conflict");
  const Delivery goes = desk.listed(acme);
  EXPECT_EQ(desk.commit(goes.key, std::nullopt), "none");
  EXPECT_EQ(desk.of(goes.key), std::nullopt);
  EXPECT_EQ(desk.start(goes.key), "none");
  // One that was sent back, and is committed when nobody asks any more, goes.
  EXPECT_EQ(desk.send_back(waits.key, 1), "none");
  EXPECT_EQ(desk.commit(waits.key, std::nullopt), "none");
  EXPECT_EQ(desk.of(waits.key), std::nullopt);
  EXPECT_EQ(desk.start(waits.key), "none");

  const AccountKey other = desk.careful(account("transactions").key);
  const auto made = must(write([&](WriteTransaction& t) -> Result<Delivery> {
    auto created = t.create_draft(transaction(other), std::nullopt);
    if (!created) return created;
    const auto ids = t.append_recipients(created->key, recipients(1, "example.jp"));
    if (!ids) return fail(ids.error());
    auto done = t.commit_draft(created->key, after(60), kSato);
    if (!done) return fail(done.error());
    return created;
  }));
  EXPECT_EQ(desk.of(made.key), std::nullopt) << "a transaction waits for nobody's word";
  clock_.advance(61s);
  EXPECT_EQ(desk.start(made.key), "none");
}

TEST_P(StoreSuite, WhatHasBegunElsewhereIsSettled) {
  Desk desk(store_);
  const Delivery made = desk.listed(desk.careful(account().key));
  EXPECT_EQ(desk.commit(made.key, std::nullopt), "none");
  EXPECT_EQ(desk.done([&](WriteTransaction& t) { return t.settle_approval(made.key); }), "none");
  EXPECT_EQ(desk.start(made.key), "none");
}

TEST_P(StoreSuite, WhoMadeAKeyAndWhoWantsAnImportToGoAreKept) {
  const AccountKey acme = account().key;
  const ApiKey key = must(write([&](WriteTransaction& t) {
    return t.add_api_key(acme, {.label = "app",
                                .token_sha256 = "ab",
                                .networks = {},
                                .life = {},
                                .made_by = PersonKey{3}});
  }));
  EXPECT_EQ(key.made_by, PersonKey{3});
  const Delivery made = draft(acme);
  const ImportJob job = must(write([&](WriteTransaction& t) {
    return t.create_import(made.key, {.immediate = true, .upload = "list", .asked_by = kSato}, me_);
  }));
  reopen();
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.api_keys(acme); }))[0].made_by,
            PersonKey{3});
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.key_by_token("ab"); })).key.made_by,
            PersonKey{3});
  EXPECT_EQ(must(read([&](ReadTransaction& t) { return t.import_job(acme, job.id); })).asked_by,
            kSato);
}

TEST(MayNotDecide, NeitherWhoAskedNorAProgramDecides) {
  const Approval asked{.asked_by = kSato};
  const auto of = [&](const Approval& approval, const AskedBy& who, bool may_send = true,
                      bool in_charge = false) {
    return may_not_decide(approval, {.who = who, .may_send = may_send, .in_charge = in_charge});
  };
  EXPECT_EQ(of(asked, kMori), std::nullopt);
  EXPECT_EQ(of(asked, kSato), MayNotDecide::own);
  EXPECT_EQ(of(asked, kMori, false), MayNotDecide::no_right);
  EXPECT_EQ(of(asked, {.actor = "api key 3"}), MayNotDecide::not_signed_in);
  const Approval by_key{.asked_by = {.actor = "api key 7", .person = PersonKey{4}}};
  EXPECT_EQ(of(by_key, kMori), MayNotDecide::own_key);
  EXPECT_EQ(of(by_key, kSato), std::nullopt);
  const Approval by_old_key{.asked_by = {.actor = "api key 1"}};
  EXPECT_EQ(of(by_old_key, kSato), MayNotDecide::unknown_maker);
  EXPECT_EQ(of(by_old_key, kSato, true, true), std::nullopt);
}

}  // namespace
}  // namespace todoku::store
