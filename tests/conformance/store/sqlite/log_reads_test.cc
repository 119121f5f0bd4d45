// SPDX-License-Identifier: Apache-2.0
// How many pages of the database a page of the log costs whose mails lie in as many places: each is
// a read of the disk where nothing is in memory. SQLite counts those that its cache has not; no
// clock decides.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/log_search.h"
#include "store/sqlite/address_indexer.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

using ::testing::SizeIs;

class LogReadsTest : public ::testing::Test {
 protected:
  static constexpr int kMails = 120;    // to the address that is looked for
  static constexpr int kBetween = 100;  // others between two of them: more than a page holds
  static constexpr const char* kAddress = "watch@example.jp";

  void SetUp() override {
    SqliteStore::Options options;
    options.path = directory_.path() / "store.db";
    options.clock = &clock_;
    options.synchronous = SqliteStore::Synchronous::off;
    const auto store = must(SqliteStore::open(options));
    for (const char* name : {"acme", "other"}) {
      accounts_.push_back(must(account(*store, name)));
    }
    std::vector<OutcomeRecord> outcomes;
    for (int i = 0; i < kMails * kBetween; ++i) {
      const bool wanted = i % kBetween == 0;
      // Of three mails to the address one is another account's.
      const DeliveryKey made = accept(*store, accounts_[wanted && i / kBetween % 3 == 0 ? 1 : 0],
                                      wanted ? kAddress : fmt::format("user{}@example.jp", i));
      outcomes.push_back({.key = {made, 0, 0}});
      outcomes.back().outcome.state = RecipientState::delivered;
      if (outcomes.size() < kBetween) continue;
      must(store->perform_and_wait(Settle{.outcomes = outcomes, .releases = {}}));
      outcomes.clear();
    }
  }

  static Result<AccountKey> account(Store& store, const char* name) {
    AccountKey key{};
    auto made = store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
      const auto account = t.create_account(name);
      if (account) key = account->key;
      return account;
    });
    if (!made) return fail(std::move(made.error()));
    return key;
  }

  static DeliveryKey accept(Store& store, AccountKey account, const std::string& address) {
    NewDelivery made{.account = account,
                     .type = DeliveryType::transaction,
                     .traffic = TrafficClass::transactional,
                     .content = {}};
    made.content.from = {"news@example.com", ""};
    made.content.subject = "hello";
    made.content.text_part = std::string(200, 'x');
    const auto accepted =
        must(store.perform_and_wait(Accept{.delivery = std::move(made),
                                           .recipients = {{address, "example.jp", {}}},
                                           .signing = "",
                                           .life_time = kLifeTime}));
    return accepted.delivery.key;
  }

  [[nodiscard]] std::unique_ptr<Connection> connect() const {
    return must(Connection::open(
        {.path = (directory_.path() / "store.db").string(), .vfs = {}, .cache_kib = 65'536}));
  }

  // All recipients into the index: what it has not is looked through one by one.
  void index() const {
    const auto db = connect();
    AddressIndexer indexer(*db, must(load_address_hash(*db)),
                           [&](AddressIndexer::Change change) { return change(*db); },
                           {.run_entries_min = 1});
    while (must(indexer.step())) {
    }
  }

  struct Page {
    std::vector<Story> stories;
    int reads = 0;
  };
  // A page of the log by a connection that knows nothing yet.
  [[nodiscard]] Page page(AccountKey account, std::int64_t limit) const {
    const auto db = connect();
    const LiveFigures figures;
    SqliteReadTransaction transaction(*db, figures, must(load_address_hash(*db)));
    must(db->execute("BEGIN"));
    (void)reads_of(*db);
    LogSearch search({.account = account, .limit = limit, .address = kAddress});
    while (!must(search.step(transaction))) {
    }
    return {search.take(), reads_of(*db)};
  }
  // Since it was asked last.
  static int reads_of(Connection& db) {
    int reads = 0;
    int highest = 0;
    sqlite3_db_status(db.raw(), SQLITE_DBSTATUS_CACHE_MISS, &reads, &highest, 1);
    return reads;
  }

  SharedClock clock_;
  TemporaryDirectory directory_;
  std::vector<AccountKey> accounts_;
};

TEST_F(LogReadsTest, AMailOfAnAddressCostsAPageOfEachTableThatTellsOfIt) {
  index();
  // Its batch, and the entry that leads from its id there; recipient, progress, delivery.
  constexpr int kAMail = 5;
  const Page ten = page(accounts_[0], 10);
  const Page thirty = page(accounts_[0], 30);
  ASSERT_THAT(ten.stories, SizeIs(10));
  ASSERT_THAT(thirty.stories, SizeIs(30));
  fmt::print("pages read for 10 mails: {}, for 30: {}\n", ten.reads, thirty.reads);
  // Those of the other account are found out by their batch.
  constexpr int kOthers = 10;
  EXPECT_LE(thirty.reads - ten.reads, 20 * kAMail + kOthers + 20);
  EXPECT_LE(ten.reads, 10 * kAMail + kOthers + 40);
}

}  // namespace
}  // namespace todoku::store::sqlite
