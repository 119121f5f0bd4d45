// SPDX-License-Identifier: Apache-2.0
// Imports: invisible until they end, and begun anew after a restart.
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Importing {
 public:
  Importing(Store& store, NodeKey node, const Delivery& delivery)
      : store_(store), node_(node), account_(delivery.account) {
    job_ = must(store_.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
      return t.create_import(delivery.key,
                             {.ignore_errors = true,
                              .keep_duplicates = true,
                              .language = Language::japanese,
                              .upload = "upload/1.csv",
                              .form = ImportForm::ndjson,
                              .dry_run = true},
                             node_);
    }));
  }
  Result<void> stage(const std::vector<NewRecipient>& recipients, std::int32_t percentage = 50,
                     std::int64_t folded = 0) {
    const auto staged = store_.perform_and_wait(StageRows{.job = job_.id,
                                                          .account = account_,
                                                          .node = node_,
                                                          .recipients = recipients,
                                                          .folded = folded,
                                                          .percentage = percentage});
    return staged ? Result<void>() : fail(staged.error());
  }
  Result<void> end(const ImportEnd& how) {
    return store_.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
      return t.end_import(job_.id, account_, how, node_);
    });
  }
  Result<void> restart() {
    return store_.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
      return t.restart_import(job_.id, account_, node_);
    });
  }
  Result<ImportJob> job() {
    return store_.read_and_wait(
        [&](ReadTransaction& t) { return t.import_job(account_, job_.id); });
  }

 private:
  Store& store_;
  NodeKey node_;
  AccountKey account_;
  ImportJob job_;
};

TEST_P(StoreSuite, AnImportBecomesVisibleWhenItEnds) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, {recipient("before")});
  Importing import(*store_, me_, made);
  EXPECT_EQ(get(made.key).status, DeliveryStatus::importing);
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.running_imports(me_); })), SizeIs(1));
  must(import.stage(recipients(600, "example.jp"), 30, 2));
  must(import.stage(recipients(30, "example.com"), 60, 7));
  ImportJob job = must(import.job());
  EXPECT_EQ(job.status, ImportStatus::running);
  EXPECT_EQ(job.percentage, 60);
  EXPECT_EQ(job.folded, 7);
  EXPECT_EQ(job.delivery_id, made.id);
  EXPECT_TRUE(job.ignore_errors);
  EXPECT_FALSE(job.immediate);
  EXPECT_TRUE(job.keep_duplicates);
  EXPECT_EQ(job.form, ImportForm::ndjson);
  EXPECT_TRUE(job.dry_run);
  EXPECT_EQ(job.findings, "");
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.import_errors(made.key); })), IsEmpty())
      << "there are none yet";
  EXPECT_EQ(job.upload, "upload/1.csv");
  const auto waiting = [&](AccountKey owner) {
    return must(read([&](ReadTransaction& t) { return t.waiting_lists(owner); }));
  };
  EXPECT_THAT(waiting(acme.key), ElementsAre("upload/1.csv"));
  EXPECT_THAT(waiting(account("other").key), IsEmpty());
  EXPECT_EQ(get(made.key).counts.total, 1);
  EXPECT_THAT(stories("user7@example.jp"), IsEmpty());
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) {
              return t.append_recipients(made.key, recipients(1, "example.jp"));
            })),
            "conflict");
  EXPECT_EQ(error_of(write(
                [&](WriteTransaction& t) { return t.commit_draft(made.key, std::nullopt, {}); })),
            "conflict");
  EXPECT_EQ(error_of(write([&](WriteTransaction& t) { return t.delete_delivery(made.key); })),
            "conflict");

  must(import.end({ImportStatus::finished, 630, 2, 640, "errors/1.csv", 8}));
  job = must(import.job());
  EXPECT_EQ(job.status, ImportStatus::finished);
  EXPECT_EQ(job.percentage, 100);
  EXPECT_EQ(job.upload, "");
  EXPECT_THAT(waiting(acme.key), IsEmpty());
  EXPECT_EQ(job.success_count, 630);
  EXPECT_EQ(job.failed_count, 2);
  EXPECT_EQ(job.total_count, 640);
  EXPECT_EQ(job.folded, 8);
  EXPECT_EQ(job.errors, "errors/1.csv");
  EXPECT_EQ(job.language, Language::japanese);
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.import_errors(made.key); })),
              ElementsAre("errors/1.csv"));
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.running_imports(me_); })), IsEmpty());
  EXPECT_EQ(get(made.key).status, DeliveryStatus::edit);
  EXPECT_EQ(get(made.key).counts.total, 631);
  EXPECT_THAT(stories("user7@example.jp"), SizeIs(1));

  append(made.key, {recipient("afterwards")});
  commit_and_start(made.key);
  std::size_t all = 0;
  for (const LeasedBatch& lease : claim_all(made.key)) all += lease.recipients.size();
  EXPECT_EQ(all, 632U);
}

TEST_P(StoreSuite, AFailedImportLeavesTheDraftAsItWas) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, {recipient("before")});
  Importing import(*store_, me_, made);
  must(import.stage(recipients(600, "example.jp")));
  must(import.end({.status = ImportStatus::failed,
                   .failed_count = 3,
                   .total_count = 603,
                   .errors = "errors/1.csv",
                   .findings = R"({"form":"csv"})"}));
  EXPECT_EQ(must(import.job()).status, ImportStatus::failed);
  EXPECT_EQ(must(import.job()).findings, R"({"form":"csv"})");
  EXPECT_EQ(get(made.key).status, DeliveryStatus::edit);
  EXPECT_EQ(get(made.key).counts.total, 1);
  EXPECT_THAT(stories("user7@example.jp"), IsEmpty());

  Importing again(*store_, me_, made);
  must(again.stage(recipients(10, "example.jp")));
  must(again.end({ImportStatus::finished, 10, 0, 10, ""}));
  EXPECT_EQ(get(made.key).counts.total, 11);
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(100); }))) {
  }
  EXPECT_THAT(stories("user7@example.jp"), SizeIs(1));
  EXPECT_THAT(stories("user77@example.jp"), IsEmpty());
  commit_and_start(made.key);
  std::size_t all = 0;
  for (const LeasedBatch& lease : claim_all(made.key)) all += lease.recipients.size();
  EXPECT_EQ(all, 11U);
}

TEST_P(StoreSuite, ACancelledImportLeavesTheDraftAsItWasAndTakesNothingMore) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  append(made.key, {recipient("before")});
  Importing import(*store_, me_, made);
  must(import.stage(recipients(600, "example.jp")));
  const ImportJob job = must(import.job());
  const auto cancel = [&](AccountKey owner, PublicId id) {
    return write([&](WriteTransaction& t) { return t.cancel_import(id, owner); });
  };
  EXPECT_EQ(error_of(cancel(account("other").key, job.id)), "not_found");
  EXPECT_EQ(error_of(cancel(acme.key, 999)), "not_found");
  must(cancel(acme.key, job.id));
  EXPECT_EQ(must(import.job()).status, ImportStatus::failed);
  EXPECT_EQ(must(import.job()).findings, kCancelledFindings);
  EXPECT_EQ(get(made.key).status, DeliveryStatus::edit);
  EXPECT_EQ(get(made.key).counts.total, 1);
  EXPECT_EQ(error_of(import.stage(recipients(1, "example.jp"))), "conflict");
  EXPECT_EQ(error_of(import.end({ImportStatus::finished, 600, 0, 600, ""})), "conflict");
  EXPECT_EQ(error_of(cancel(acme.key, job.id)), "conflict");
  while (must(write([](WriteTransaction& t) { return t.purge_deleted(100); }))) {
  }
  EXPECT_THAT(stories("user7@example.jp"), IsEmpty());
}

TEST_P(StoreSuite, AnImportIsBegunAnewAfterACrash) {
  const Account acme = account();
  const Delivery made = draft(acme.key);
  PublicId id = 0;
  {
    Importing import(*store_, me_, made);
    must(import.stage(recipients(600, "example.jp"), 50, 3));
    id = must(import.job()).id;
  }
  crash();
  EXPECT_THAT(must(read([&](ReadTransaction& t) { return t.running_imports(other_); })), IsEmpty())
      << "its node may live";
  const NodeKey successor = enter("me");
  const auto running = must(read([&](ReadTransaction& t) { return t.running_imports(successor); }));
  ASSERT_THAT(running, SizeIs(1));
  EXPECT_EQ(running[0].id, id);
  const StageRows rows{.job = id,
                       .account = acme.key,
                       .node = successor,
                       .recipients = recipients(700, "example.jp"),
                       .percentage = 90};
  EXPECT_EQ(error_of(store_->perform_and_wait(rows)), "conflict") << "not taken over yet";
  must(write([&](WriteTransaction& t) { return t.restart_import(id, acme.key, successor); }));
  const ImportJob anew = must(read([&](ReadTransaction& t) { return t.import_job(acme.key, id); }));
  EXPECT_EQ(anew.percentage, 0);
  EXPECT_EQ(anew.folded, 0);
  must(store_->perform_and_wait(rows));
  EXPECT_EQ(
      error_of(write([&](WriteTransaction& t) { return t.restart_import(id, acme.key, other_); })),
      "conflict")
      << "its node lives";
  must(write([&](WriteTransaction& t) {
    return t.end_import(id, acme.key, {ImportStatus::finished, 700, 0, 700, ""}, successor);
  }));
  EXPECT_EQ(get(made.key).counts.total, 700);
  EXPECT_THAT(stories("user7@example.jp"), SizeIs(1));
}

TEST_P(StoreSuite, AnImportThatHasEndedTakesNothingMore) {
  const Delivery made = draft(account().key);
  Importing import(*store_, me_, made);
  EXPECT_EQ(error_of(import.end({ImportStatus::running, 0, 0, 0, ""})), "invalid_input");
  must(import.end({ImportStatus::system_error, 0, 0, 0, ""}));
  EXPECT_EQ(error_of(import.stage(recipients(1, "example.jp"))), "conflict");
  EXPECT_EQ(error_of(import.end({})), "conflict");
  EXPECT_EQ(error_of(import.restart()), "conflict");
  EXPECT_EQ(error_of(write(
                [&](WriteTransaction& t) { return t.restart_import(999, made.account, me_); })),
            "not_found");
  must(write([&](WriteTransaction& t) { return t.delete_delivery(made.key); }));
  EXPECT_EQ(error_of(import.job()), "not_found");
}

TEST_P(StoreSuite, JobIdsAreTheAccountsOwn) {
  const Account acme = account("acme");
  const Account other = account("other");
  const Delivery first = draft(acme.key);
  const Delivery second = draft(other.key);
  const auto create = [&](DeliveryKey key) {
    return must(write([&](WriteTransaction& t) {
      return t.create_import(key, {.immediate = true, .upload = "u.csv"}, me_);
    }));
  };
  EXPECT_EQ(create(first.key).id, 1);
  EXPECT_EQ(create(second.key).id, 1);
  EXPECT_EQ(create(draft(acme.key).key).id, 2);
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.import_job(other.key, 2); })),
            "not_found");
}

}  // namespace
}  // namespace todoku::store
