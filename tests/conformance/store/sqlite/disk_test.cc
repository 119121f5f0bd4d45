// SPDX-License-Identifier: Apache-2.0
// What becomes of promises when the disk is full, fails, or loses power. SqliteStore on a
// FaultDisk.
#include <atomic>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/sqlite/fault_disk.h"
#include "conformance/store/store_suite.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::store {
namespace {

using sqlite::FaultDisk;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::int64_t kPlenty = std::numeric_limits<std::int64_t>::max();

class DiskTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> open(
      const std::filesystem::path& directory, const std::string& vfs,
      SqliteStore::Synchronous synchronous = SqliteStore::Synchronous::full,
      std::int64_t checkpoint_pages = 4'000) {
    SqliteStore::Options options;
    options.path = directory / "store.db";
    options.clock = &clock_;
    options.vfs = vfs;
    options.synchronous = synchronous;
    options.checkpoint_pages = checkpoint_pages;
    options.log_pages_max = checkpoint_pages * 2;
    options.unindexed_max = checkpoint_pages;
    return SqliteStore::open(options);
  }
  Result<Account> make_account(Store& store) {
    return store.write_and_wait(WritePriority::accept,
                                [&](WriteTransaction& t) { return t.create_account("acme"); });
  }
  Result<Accepted> accept(Store& store, AccountKey account, const std::string& local,
                          std::size_t size = 100) {
    NewDelivery delivery;
    delivery.account = account;
    delivery.content.from = {"news@example.com", ""};
    delivery.content.subject = local;
    delivery.content.text_part = std::string(size, 'x');
    return store.perform_and_wait(Accept{.delivery = std::move(delivery),
                                         .recipients = {{local + "@example.jp", "example.jp", {}}},
                                         .signing = "",
                                         .life_time = kLifeTime});
  }
  std::vector<Story> stories(Store& store, const std::string& local) {
    return stories_of(store, local + "@example.jp");
  }

  SharedClock clock_;
};

TEST_F(DiskTest, AFullDiskRefusesAndRecoversByItself) {
  const TemporaryDirectory directory;
  FaultDisk disk;
  auto store = must(open(directory.path(), disk.name()));
  const Account acme = must(make_account(*store));
  std::set<std::string> accepted;
  disk.limit_bytes(disk.bytes() + 800'000);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string local = fmt::format("full{}", i);
    const auto result = accept(*store, acme.key, local, 10'000);
    if (result) {
      accepted.insert(local);
      continue;
    }
    EXPECT_EQ(result.error().kind, ErrorKind::unavailable);
    EXPECT_THAT(result.error().detail, HasSubstr("disk"));
    ++refused;
  }
  EXPECT_GT(refused, 50);
  EXPECT_GT(accepted.size(), 5U);
  EXPECT_GT(store->figures().failed_commits, 0U);
  // Questions are answered all the time.
  for (const std::string& local : accepted) EXPECT_THAT(stories(*store, local), SizeIs(1));
  EXPECT_THAT(stories(*store, "full199"), SizeIs(0));

  disk.limit_bytes(kPlenty);
  for (int i = 200; i < 220; ++i) {
    const std::string local = fmt::format("full{}", i);
    must(accept(*store, acme.key, local, 10'000));
    accepted.insert(local);
  }
  store->close();
  store = must(open(directory.path(), disk.name()));
  for (const std::string& local : accepted) EXPECT_THAT(stories(*store, local), SizeIs(1));
  EXPECT_THAT(stories(*store, "full199"), SizeIs(0));
}

TEST_F(DiskTest, AGroupThatCannotBeCommittedIsRefusedAsAWhole) {
  const TemporaryDirectory directory;
  FaultDisk disk;
  auto store = must(open(directory.path(), disk.name()));
  const Account acme = must(make_account(*store));
  disk.limit_bytes(disk.bytes());
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < 5; ++i) {
        const auto result = accept(*store, acme.key, fmt::format("t{}n{}", n, i), 20'000);
        if (!result && result.error().kind == ErrorKind::unavailable) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(refused, 0);
  disk.limit_bytes(kPlenty);
  const auto all = deliveries_of(*store, {.account = acme.key});
  EXPECT_EQ(static_cast<int>(all.size()), 40 - refused);
  const auto figures =
      must(store->read_and_wait([&](ReadTransaction& t) { return t.queue_figures(); }));
  EXPECT_EQ(figures[0].waiting, 40 - refused);
}

// The n-th call to the disk fails, for n = 1, 2, 3, ... until a run passes untouched: every error
// is reported, nothing acknowledged is lost, nothing refused is kept, and the store opens again.
TEST_F(DiskTest, EveryCallToTheDiskMayFail) {
  for (const bool lasting : {false, true}) {
    for (std::int64_t n = 1;; n += n < 120 ? 1 : 7) {
      SCOPED_TRACE(fmt::format("call {}, {}", n, lasting ? "lasting" : "once"));
      const TemporaryDirectory directory;
      FaultDisk disk;
      disk.fail_call(n, lasting);
      std::set<std::string> accepted;
      std::set<std::string> refused;
      {
        auto store = open(directory.path(), disk.name());
        const auto acme = store ? make_account(**store) : fail(store.error());
        for (int i = 0; acme && i < 8; ++i) {
          const std::string local = fmt::format("n{}", i);
          const auto result = accept(**store, acme->key, local, i % 2 == 0 ? 100 : 30'000);
          if (result) {
            accepted.insert(local);
          } else if (result.error().kind == ErrorKind::unavailable) {
            refused.insert(local);
          }
        }
        if (store) (*store)->close();
      }
      const bool untouched = !disk.failed();
      disk.heal();
      auto store = must(open(directory.path(), disk.name()));
      for (const std::string& local : accepted) ASSERT_THAT(stories(*store, local), SizeIs(1));
      for (const std::string& local : refused) ASSERT_THAT(stories(*store, local), SizeIs(0));
      store->close();
      if (untouched) break;
      ASSERT_LT(n, 5'000);
    }
  }
}

// ---- power loss --------------------------------------------------------------------------------

// How many seeds a test tries: TODOKU_SEEDS=1000 for a long run.
std::uint64_t seeds(std::uint64_t usual) {
  const char* wanted = std::getenv("TODOKU_SEEDS");
  return wanted == nullptr ? usual : std::strtoull(wanted, nullptr, 10);
}

class PowerLossTest : public DiskTest {
 protected:
  // Runs a load, takes the power away at some call to the disk, and returns what is wrong with
  // what is found afterwards; empty if nothing is.
  std::string lose_power(std::uint64_t seed, SqliteStore::Synchronous synchronous) {
    const TemporaryDirectory directory;
    const TemporaryDirectory found;
    FaultDisk disk;
    SeededRandom random(seed);
    acknowledged_.clear();
    kept_.clear();
    {
      // Often small, so that checkpoints, new logs and new runs of the address index come often.
      const auto pages = static_cast<std::int64_t>(10 + random.below(300));
      auto store = must(open(directory.path(), disk.name(), synchronous, pages));
      const Account acme = must(make_account(*store));
      acknowledge("account");
      disk.lose_power_at(1 + static_cast<std::int64_t>(random.below(2'000)), seed, [&] {
        const std::lock_guard lock(mutex_);
        kept_ = acknowledged_;
      });
      load(*store, acme.key, disk, random);
      store->close();
    }
    if (!disk.power_lost()) return "the power was not lost";
    disk.restore(found.path());
    auto store = open(found.path(), "");
    if (!store) return "the store does not open: " + store.error().detail;
    return missing(**store);
  }

 private:
  void acknowledge(std::string what) {
    const std::lock_guard lock(mutex_);
    acknowledged_.insert(std::move(what));
  }

  // Four threads accept, one records outcomes of what they accepted, one appends to a draft.
  void load(Store& store, AccountKey account, FaultDisk& disk, SeededRandom& random) {
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n) {
      threads.emplace_back([&, n, size = random.below(9'000)] {
        for (int i = 0; i < 2'000 && !disk.power_lost(); ++i) {
          const std::string local = fmt::format("t{}n{}", n, i);
          const auto accepted = must(accept(store, account, local, size));
          acknowledge(local);
          OutcomeRecord record;
          record.key = {accepted.delivery.key, 0, 0};
          record.outcome.state = RecipientState::delivered;
          must(store.perform_and_wait(Settle{.outcomes = std::span(&record, 1), .releases = {}}));
          acknowledge("delivered " + local);
        }
      });
    }
    threads.emplace_back([&] { fill_draft(store, account, disk); });
    for (std::thread& thread : threads) thread.join();
  }

  void fill_draft(Store& store, AccountKey account, FaultDisk& disk) {
    NewDelivery bulk;
    bulk.account = account;
    bulk.type = DeliveryType::bulk;
    bulk.traffic = TrafficClass::bulk;
    const Delivery draft =
        must(store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
          return t.create_draft(bulk, kDraftsMax);
        }));
    for (int i = 0; i < 200 && !disk.power_lost(); ++i) {
      std::vector<NewRecipient> rows;
      for (int k = 0; k < 100; ++k) {
        rows.push_back({fmt::format("row{}k{}@example.jp", i, k), "example.jp", {}});
      }
      must(store.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
        return t.append_recipients(draft.key, rows);
      }));
      acknowledge(fmt::format("row{}k99", i));
    }
  }

  std::string missing(Store& store) {
    for (const std::string& what : kept_) {
      if (what == "account") {
        if (!store.read_and_wait([](ReadTransaction& t) { return t.account_by_name("acme"); })) {
          return "the account is lost";
        }
        continue;
      }
      const bool outcome = what.starts_with("delivered ");
      const std::string local = outcome ? what.substr(10) : what;
      const auto told = store.read_and_wait(
          [&](ReadTransaction& t) { return t.stories(local + "@example.jp", {}, 2, {}); });
      if (!told) return told.error().detail;
      const std::size_t times = told->stories.size();
      if (times != 1) return fmt::format("{} is there {} times", local, times);
      if (outcome && told->stories.front().state != RecipientState::delivered) {
        return "the outcome of " + local + " is lost";
      }
    }
    return {};
  }

  std::mutex mutex_;
  std::set<std::string> acknowledged_;
  std::set<std::string> kept_;  // acknowledged before the power was lost
};

TEST_F(PowerLossTest, NothingAcknowledgedIsLostWithThePower) {
  const std::uint64_t count = seeds(40);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    ASSERT_EQ(lose_power(seed, SqliteStore::Synchronous::full), "") << "seed " << seed;
  }
  fmt::print("{} power failures, nothing acknowledged lost\n", count);
}

TEST_F(PowerLossTest, WithoutSyncsSomethingIsLost) {
  std::uint64_t lost = 0;
  const std::uint64_t count = seeds(10);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    if (!lose_power(seed, SqliteStore::Synchronous::off).empty()) ++lost;
  }
  fmt::print("without syncs {} of {} power failures lost something\n", lost, count);
  EXPECT_GT(lost, 0) << "this test would not notice a missing sync";
}

}  // namespace
}  // namespace todoku::store
