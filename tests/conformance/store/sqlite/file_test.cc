// SPDX-License-Identifier: Apache-2.0
// The files of SqliteStore: who may open them, which it refuses and with what words, and how large
// the write-ahead log becomes.
#include <atomic>
#include <fstream>
#include <future>
#include <latch>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <unistd.h>

#include "conformance/store/store_suite.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_lock.h"

namespace todoku::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class FileTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<SqliteStore>> open() {
    options_.path = path();
    options_.clock = &clock_;
    return SqliteStore::open(options_);
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "store.db"; }

  // Runs SQL on the file behind the store's back.
  void tamper(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  void fill(Store& store, int accounts = 50) {
    for (int i = 0; i < accounts; ++i) {
      must(store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
        return t.create_account(fmt::format("account{}", i));
      }));
    }
  }

  SharedClock clock_;
  TemporaryDirectory directory_;
  SqliteStore::Options options_;
};

TEST_F(FileTest, TwoCannotUseOneStore) {
  auto store = must(open());
  const auto second = open();
  ASSERT_EQ(error_of(second), "conflict");
  EXPECT_THAT(second.error().detail, HasSubstr(fmt::format("pid {}", ::getpid())));
  EXPECT_EQ(error_of(sqlite::StoreLock::acquire(path())), "conflict");
  store->close();
  must(open());
  const auto tool = must(sqlite::StoreLock::acquire(path()));
  EXPECT_EQ(error_of(open()), "conflict");
}

TEST_F(FileTest, ALockFileThatIsRemovedLetsNobodyIn) {
  auto store = must(open());
  std::filesystem::remove(path().string() + ".lock");
  const auto second = open();
  ASSERT_EQ(error_of(second), "conflict");
  EXPECT_THAT(second.error().detail, HasSubstr("another process"));
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".lock")) << "nor is it made anew";
  // By a link to the database, too.
  TemporaryDirectory other;
  const auto link = other.path() / "store.db";
  std::filesystem::create_symlink(path(), link);
  EXPECT_EQ(error_of(sqlite::StoreLock::acquire(link)), "conflict");
}

TEST_F(FileTest, NothingIsWrittenThroughALockFileThatIsALink) {
  const auto outside = directory_.path() / "outside";
  std::ofstream(outside) << "whole";
  std::filesystem::create_symlink(outside, path().string() + ".lock");
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().detail, HasSubstr("lock file"));
  std::string content;
  std::ifstream(outside) >> content;
  EXPECT_EQ(content, "whole");
}

TEST_F(FileTest, AHardLinkIsTheSameDatabase) {
  auto store = must(open());
  TemporaryDirectory other;
  for (const char* part : {"", "-wal", "-shm"}) {
    std::filesystem::create_hard_link(path().string() + part,
                                      (other.path() / "store.db").string() + part);
  }
  options_.clock = &clock_;
  options_.path = other.path() / "store.db";
  const auto second = SqliteStore::open(options_);
  ASSERT_EQ(error_of(second), "conflict");
  EXPECT_THAT(second.error().detail, HasSubstr("hard link"));
  // Others may read it meanwhile, and their going takes no lock away.
  tamper("SELECT count(*) FROM accounts");
  EXPECT_EQ(error_of(SqliteStore::open(options_)), "conflict");
  fill(*store, 1);
}

// What is said of a write, and all that may be written again once the files are back.
class DisplacedTest : public FileTest {
 protected:
  Result<void> write(Store& store) {
    return store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
      return t.put_setting("probe", fmt::format("{}", ++probes_));
    });
  }
  void expect_refused(Store& store, std::string_view why) {
    (void)write(store);  // a group that had begun already may take one more
    const auto written = write(store);
    ASSERT_EQ(error_of(written), "unavailable");
    EXPECT_THAT(written.error().detail, HasSubstr(std::string(why)));
  }
  int probes_ = 0;
};

TEST_F(DisplacedTest, NothingIsWrittenWhileTheDatabaseIsMovedAway) {
  auto store = must(open());
  const auto away = path().string() + ".away";
  std::filesystem::rename(path(), away);
  expect_refused(*store, "moved away under");
  std::ofstream(path()).flush();
  expect_refused(*store, "moved away and replaced");
  std::filesystem::rename(away, path());
  must(write(*store));
  store->close();
  EXPECT_FALSE(std::filesystem::exists(fmt::format("{}.saved-{}", path().string(), ::getpid())));
}

TEST_F(DisplacedTest, ARemovedDatabaseIsSavedWhenItIsClosed) {
  auto store = must(open());
  fill(*store, 3);
  std::filesystem::remove_all(directory_.path());
  expect_refused(*store, "removed under");
  expect_refused(*store, "cp /proc/");
  store->close();
  std::filesystem::rename(fmt::format("{}.saved-{}", path().string(), ::getpid()), path());
  store = must(open());
  must(store->read_and_wait([](ReadTransaction& t) { return t.account_by_name("account2"); }));
}

TEST_F(DisplacedTest, ARemovedLogIsNoticedAndItsContentIsKept) {
  auto store = must(open());
  fill(*store, 3);
  std::filesystem::remove(path().string() + "-wal");
  expect_refused(*store, "todoku drain");
  store->close();
  store = must(open());
  must(store->read_and_wait([](ReadTransaction& t) { return t.account_by_name("account2"); }));
}

TEST_F(DisplacedTest, TheLogOfAnotherStoreIsLeftAlone) {
  auto store = must(open());
  std::filesystem::remove(path());
  std::filesystem::remove(path().string() + "-wal");
  std::ofstream(path()) << "another's";
  std::ofstream(path().string() + "-wal") << "another's";
  expect_refused(*store, "replaced under");
  store->close();
  EXPECT_EQ(std::filesystem::file_size(path().string() + "-wal"), 9U);
  EXPECT_EQ(std::filesystem::file_size(path()), 9U);
}

TEST_F(FileTest, OnlyWhatIsThereIsOpenedIfNothingMayBeBegun) {
  options_.may_begin = false;
  EXPECT_EQ(error_of(open()), "not_found");
  EXPECT_FALSE(std::filesystem::exists(path()));
  std::ofstream(path()).flush();
  EXPECT_EQ(error_of(open()), "not_found");
  EXPECT_EQ(std::filesystem::file_size(path()), 0U);
  options_.may_begin = true;
  must(open());
  options_.may_begin = false;
  must(open());
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(error_of(open()), "corrupt");
}

TEST_F(FileTest, MailThatWaitsToBeAcceptedIsBoundedByItsSize) {
  options_.accept_octets_max = 1'000;
  auto store = must(open());
  fill(*store, 1);
  const AccountKey owner = must(store->read_and_wait([](ReadTransaction& t) {
                             return t.account_by_name("account0");
                           })).key;
  // One that waits behind a write which takes its time.
  std::promise<void> written;
  std::latch busy(1);
  store->submit_write(
      WritePriority::accept,
      [&](WriteTransaction&) -> Result<void> {
        busy.count_down();
        written.get_future().wait();
        return {};
      },
      [](Result<void>) {});
  busy.wait();
  const auto submit = [&](std::size_t octets) {
    auto answer = std::make_shared<std::promise<Result<Accepted>>>();
    Accept accept{.delivery = {.account = owner},
                  .recipients = {{"a@example.jp", "example.jp", {}}},
                  .life_time = kLifeTime};
    accept.delivery.content.text_part = std::string(octets, 'x');
    store->submit(std::move(accept),
                  [answer](Result<Accepted> accepted) { answer->set_value(std::move(accepted)); });
    return answer->get_future();
  };
  auto large = submit(2'000);
  auto more = submit(1);
  EXPECT_EQ(error_of(more.get()), "unavailable");
  written.set_value();
  EXPECT_EQ(error_of(large.get()), "none") << "a single one is not bounded by what waits";
  EXPECT_EQ(error_of(submit(1'000).get()), "none");
}

TEST_F(FileTest, AMissingDirectoryIsToldAsSuch) {
  options_.path = directory_.path() / "nowhere" / "store.db";
  options_.clock = &clock_;
  const auto store = SqliteStore::open(options_);
  ASSERT_EQ(error_of(store), "io");
  EXPECT_THAT(store.error().detail, HasSubstr("nowhere"));
}

TEST_F(FileTest, AStoreOfTheFirstVersionIsBroughtUpToDate) {
  auto store = must(open());
  const auto write = [&](auto work) {
    return must(store->write_and_wait(WritePriority::accept, std::move(work)));
  };
  fill(*store, 1);
  const std::vector<NewRecipient> to{{"a@example.jp", "example.jp", {}},
                                     {"b@example.jp", "example.jp", {}}};
  const AccountKey owner =
      write([](WriteTransaction& t) { return t.read().account_by_name("account0"); }).key;
  must(store->perform_and_wait(Accept{
      .delivery = {.account = owner}, .recipients = to, .signing = "", .life_time = kLifeTime}));
  write([&](WriteTransaction& t) -> Result<void> {
    must(t.put_dkim_key({.account = owner,
                         .domain = "example.jp",
                         .selector = "s1",
                         .algorithm = "rsa-sha256",
                         .sealed_private_key = "sealed",
                         .dns_record = "v=DKIM1",
                         .created = {}}));
    const auto made =
        must(t.create_draft({.account = owner, .traffic = TrafficClass::bulk}, kDraftsMax));
    must(t.append_recipients(made.key, std::span(to).first(1)));
    must(t.commit_draft(made.key, std::nullopt, {}));
    return t.start_delivery(made.key, "", kLifeTime);
  });
  store->close();
  tamper(
      "DROP TABLE domains; DROP TABLE mail_counts;"
      "ALTER TABLE accounts DROP COLUMN requests_per_minute;"
      "ALTER TABLE accounts DROP COLUMN mails_per_minute;"
      "ALTER TABLE accounts DROP COLUMN mails_per_day;"
      "ALTER TABLE accounts DROP COLUMN mails_per_month;"
      "ALTER TABLE api_keys DROP COLUMN scopes; ALTER TABLE api_keys DROP COLUMN networks;"
      "ALTER TABLE api_keys DROP COLUMN expires; ALTER TABLE api_keys DROP COLUMN life;"
      "ALTER TABLE api_keys DROP COLUMN used; ALTER TABLE api_keys DROP COLUMN made_by;"
      "ALTER TABLE import_jobs DROP COLUMN asked_by;"
      "ALTER TABLE import_jobs DROP COLUMN asked_person; DROP TABLE approvals; DROP INDEX "
      "api_keys_account; DROP INDEX "
      "accounts_suspended;"
      "ALTER TABLE accounts DROP COLUMN text_from_html;"
      "ALTER TABLE contents DROP COLUMN text_from_html; ALTER TABLE contents DROP COLUMN headers;"
      "ALTER TABLE contents DROP COLUMN envelope; DROP TABLE smtp_credentials;"
      "DROP TABLE event_readers;"
      "DROP TABLE audit; DROP TABLE domain_reports; DROP TABLE report_lines;"
      "DROP TABLE sts_policies; DROP TABLE tls_counts; DROP TABLE key_slots;"
      "DROP TABLE delivery_outcomes; DROP TABLE hourly_outcomes;"
      "DROP TABLE lane_paces;"
      "DROP TABLE rate_counts;"
      "DROP TABLE probes;"
      "DROP TABLE template_ids; DROP TABLE templates; DROP TABLE template_versions;"
      "ALTER TABLE contents DROP COLUMN escaping; ALTER TABLE contents DROP COLUMN template;"
      "ALTER TABLE contents DROP COLUMN template_version;"
      "DROP TABLE rate_states;"
      "DROP TABLE warm_up;"
      "ALTER TABLE accounts DROP COLUMN sandbox;"
      "ALTER TABLE accounts DROP COLUMN allowed_recipients;"
      "DROP TABLE steering;"
      "DROP TABLE resends;"
      "DROP TABLE people; DROP TABLE sign_ins; DROP TABLE sign_in_links;"
      "DROP TABLE sign_in_rules; DROP TABLE kept_texts;"
      "DROP TABLE smtp_habits; ALTER TABLE deliveries DROP COLUMN credential;"
      "ALTER TABLE attachments DROP COLUMN content_id;"
      "ALTER TABLE attachments DROP COLUMN relayed;"
      "DROP TABLE relayed; DROP TABLE relayed_pieces;"
      "ALTER TABLE deliveries DROP COLUMN life; DROP INDEX deliveries_held;"
      "ALTER TABLE deliveries DROP COLUMN course;"
      "DROP TABLE webhooks; DROP TABLE webhook_set_aside; DROP TABLE webhook_calls;"
      "DROP TABLE kept_answers; DROP TABLE leadership; DROP TABLE source_owners;"
      "DROP TABLE changes; DROP TABLE bells; DROP TABLE news; DROP TABLE event_sheets;"
      "DROP TABLE not_sent; DROP TABLE usages; DROP INDEX batches_log; DROP INDEX deliveries_late;"
      "DROP TABLE opens; DROP TABLE open_counts;"
      "ALTER TABLE accounts DROP COLUMN open_tracking;"
      "ALTER TABLE contents DROP COLUMN open_tracking;"
      "DROP TABLE domain_counts; ALTER TABLE sections DROP COLUMN domains;"
      "ALTER TABLE accounts DROP COLUMN told_of_day;"
      "ALTER TABLE accounts DROP COLUMN told_of_month;"
      "ALTER TABLE accounts DROP COLUMN preflight; ALTER TABLE contents DROP COLUMN one_click;"
      "DROP TABLE suppressions; DROP TABLE suppression_removals; DROP TABLE export_jobs;"
      "ALTER TABLE deliveries DROP COLUMN purpose; ALTER TABLE deliveries DROP COLUMN list_id;"
      "ALTER TABLE deliveries DROP COLUMN tags;"
      "DROP TABLE on_its_way; DROP TABLE nodes; DROP INDEX suspects_aside; DROP TABLE suspects;"
      "DROP INDEX deliveries_newest; ALTER TABLE deliveries DROP COLUMN expires;"
      "ALTER TABLE batches DROP COLUMN losses; ALTER TABLE batches DROP COLUMN alone;"
      "ALTER TABLE batches DROP COLUMN begun; ALTER TABLE batches DROP COLUMN underway;"
      "ALTER TABLE batches DROP COLUMN doubted; ALTER TABLE batches DROP COLUMN lost_at;"
      "ALTER TABLE batches DROP COLUMN late_until; ALTER TABLE import_jobs DROP COLUMN node;"
      "ALTER TABLE import_jobs DROP COLUMN keep_duplicates;"
      "ALTER TABLE import_jobs DROP COLUMN language;"
      "ALTER TABLE import_jobs DROP COLUMN folded; ALTER TABLE import_jobs DROP COLUMN form;"
      "ALTER TABLE import_jobs DROP COLUMN dry_run; ALTER TABLE import_jobs DROP COLUMN findings;"
      "ALTER TABLE import_jobs DROP COLUMN dry_file;"
      "INSERT INTO import_jobs(account, id, delivery, section, status, ignore_errors, immediate,"
      " percentage, staged, success, failed, total, upload_file, error_file, created)"
      " SELECT account, 1, key, 0, 2, 0, 0, 100, 5, 5, 1, 8, '', '', 0 FROM deliveries LIMIT 1;"
      "UPDATE batches SET holder = 77, ready_at = 9000000000000 WHERE traffic = 0;"
      "DROP INDEX deliveries_started; DROP INDEX deliveries_few; DROP INDEX batches_held;"
      "DROP INDEX batches_urgent; DROP INDEX batches_waiting; DROP INDEX address_recent_hash;"
      "DROP INDEX batches_ready; DELETE FROM meta WHERE name LIKE 'waiting%' OR name LIKE 'event%';"
      "CREATE INDEX batches_ready ON batches(traffic, ready_at) WHERE ready_at IS NOT NULL;"
      "PRAGMA user_version = 1");
  store = must(open());
  const auto figures =
      must(store->read_and_wait([&](ReadTransaction& t) { return t.queue_figures(); }));
  EXPECT_EQ(figures[0].waiting, 2);
  EXPECT_EQ(figures[1].waiting, 1);
  const auto all = deliveries_of(*store, {.account = owner});
  ASSERT_THAT(all, SizeIs(2));
  for (const Delivery& delivery : all) {
    EXPECT_EQ(delivery.expires, *delivery.started + std::chrono::hours(240))
        << "the default of that version";
  }
  const auto domain =
      must(store->read_and_wait([&](ReadTransaction& t) { return t.domain(owner, "example.jp"); }));
  EXPECT_EQ(domain.state, DomainState::proven) << "it had a key of that domain";
  EXPECT_TRUE(domain.vouched);
  const auto job =
      must(store->read_and_wait([&](ReadTransaction& t) { return t.import_job(owner, 1); }));
  EXPECT_EQ(job.folded, 2) << "what its three counts left";
  // What a process of that version held is due.
  const auto due = must(store->perform_and_wait(Due{}));
  ASSERT_THAT(due.domains, SizeIs(1));
  EXPECT_EQ(due.domains[0].batches.at(0).recipients, 2U);
}

TEST_F(FileTest, ANewerDatabaseIsNotTouched) {
  must(open());
  tamper("PRAGMA user_version = 99");
  const auto store = open();
  ASSERT_EQ(error_of(store), "unsupported");
  EXPECT_THAT(store.error().detail, HasSubstr("version 99"));
  EXPECT_THAT(store.error().detail, HasSubstr("newer todoku"));
}

TEST_F(FileTest, AnotherProgramsDatabaseIsNotTouched) {
  tamper("CREATE TABLE theirs(x); PRAGMA application_id = 7");
  const auto store = open();
  ASSERT_EQ(error_of(store), "corrupt");
  EXPECT_THAT(store.error().detail, HasSubstr("another program"));
}

TEST_F(FileTest, WhatIsNoDatabaseIsRefusedWithWhatToDo) {
  {
    std::ofstream out(path());
    for (int i = 0; i < 1'000; ++i) out << "this is no database\n";
  }
  const auto store = open();
  ASSERT_EQ(error_of(store), "corrupt");
  EXPECT_THAT(store.error().detail, HasSubstr("restore it from a backup"));
}

TEST_F(FileTest, ADamagedDatabaseIsRefusedWithWhatToDo) {
  fill(*must(open()));
  const auto size = std::filesystem::file_size(path());
  // A page in the middle overwritten; then the end cut off.
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(4096 * 5));
    file << std::string(4096, '\x5a');
  }
  auto store = open();
  ASSERT_EQ(error_of(store), "corrupt");
  EXPECT_THAT(store.error().detail, HasSubstr("restore it from a backup"));
  std::filesystem::resize_file(path(), size / 2);
  EXPECT_EQ(error_of(open()), "corrupt");
}

TEST_F(FileTest, TheLogBeginsAnewUnderLoadThatNeverCeases) {
  options_.checkpoint_pages = 50;
  options_.log_pages_max = 200;
  auto store = must(open());
  fill(*store, 1);
  const Account acme =
      must(store->read_and_wait([](ReadTransaction& t) { return t.account_by_name("account0"); }));
  std::atomic<bool> done{false};
  std::atomic<std::uintmax_t> largest{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      NewDelivery delivery;
      delivery.account = acme.key;
      delivery.content.text_part = std::string(3'000, 'x');
      const std::vector<NewRecipient> to{{"a@example.jp", "example.jp", {}}};
      while (!done) {
        must(store->perform_and_wait(
            Accept{.delivery = delivery, .recipients = to, .signing = "", .life_time = kLifeTime}));
      }
    });
  }
  // Until the log would have grown to fifty times its bound; on a disk that others keep busy until
  // it has begun anew, however large it had become by then.
  constexpr std::uintmax_t kBound = 200U * 4096U;
  const auto wal = path().string() + "-wal";
  std::uintmax_t written = 0;
  while (written < 50 * kBound || (largest > written / 2 && written < 1'000 * kBound)) {
    const auto before = store->figures().commits;
    while (store->figures().commits < before + 20) std::this_thread::yield();
    written += 20U * 6U * 4096U;  // each commit changes more than six pages
    std::error_code gone;
    const auto size = std::filesystem::file_size(wal, gone);
    if (!gone) largest = std::max(largest.load(), size);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  // It grows while the disk syncs what was moved; one that never began anew would be all of it.
  EXPECT_LE(largest, written / 2);
  EXPECT_GT(std::filesystem::file_size(path()), 1'000'000U) << "the log was moved meanwhile";
}

TEST_F(FileTest, AnOrderlyCloseLeavesOneFile) {
  auto store = must(open());
  fill(*store);
  store->close();
  std::error_code gone;
  EXPECT_FALSE(std::filesystem::exists(path().string() + "-wal", gone));
  store = must(open());
  EXPECT_THAT(must(store->read_and_wait([](ReadTransaction& t) { return t.accounts({}, 1'000); })),
              SizeIs(50));
}

TEST_F(FileTest, AQuestionThatTakesTooLongIsInterrupted) {
  // The clock says that any time is too long.
  options_.question_max = Milliseconds(-1);
  auto store = must(open());
  fill(*store, 1);
  const Account acme = must(store->write_and_wait(WritePriority::accept, [](WriteTransaction& t) {
    return t.read().account_by_name("account0");
  }));
  constexpr int kDrafts = 2'000;
  std::latch done(kDrafts);
  for (int i = 0; i < kDrafts; ++i) {
    store->submit_write(
        WritePriority::accept,
        [&](WriteTransaction& t) -> Result<void> {
          NewDelivery delivery;
          delivery.account = acme.key;
          const auto made = t.create_draft(delivery, kDraftsMax);
          return made ? Result<void>() : fail(made.error());
        },
        [&](Result<void>) { done.count_down(); });
  }
  done.wait();
  DeliveryFilter filter;
  filter.account = acme.key;
  filter.sort = {DeliverySort::updated_time_descending};
  DeliveryList list(filter);
  const auto walked = walk_and_wait(*store, list);
  ASSERT_EQ(error_of(walked), "unavailable");
  EXPECT_THAT(walked.error().detail, HasSubstr("given up"));
  EXPECT_THAT(walked.error().detail, Not(HasSubstr("SELECT"))) << "it is told to clients";
}

// It would import what is only to be looked at.
TEST_F(FileTest, AProgramOfBeforeDoesNotFindTheListOfADryRun) {
  auto store = must(open());
  fill(*store, 1);
  const ImportJob job = must(
      store->write_and_wait(WritePriority::accept, [](WriteTransaction& t) -> Result<ImportJob> {
        const auto owner = t.read().account_by_name("account0");
        if (!owner) return fail(owner.error());
        const auto node = t.enter_node({.name = "a"});
        if (!node) return fail(node.error());
        const auto made =
            t.create_draft({.account = owner->key, .traffic = TrafficClass::bulk}, kDraftsMax);
        if (!made) return fail(made.error());
        return t.create_import(made->key, {.upload = "a.upload", .dry_run = true}, *node);
      }));
  EXPECT_EQ(job.upload, "a.upload");
  store.reset();
  const auto db = must(sqlite::Connection::open({.path = path().string()}));
  EXPECT_EQ(db->integer("SELECT count(*) FROM import_jobs WHERE status = 1 AND upload_file = ''"
                        " AND dry_file = 'a.upload'"),
            1);
}

}  // namespace
}  // namespace todoku::store
