// SPDX-License-Identifier: Apache-2.0
// Memory is refused to the thread that writes: anywhere, and above all after its COMMIT went out.
// Whoever waits is answered, what was answered with success is stored once, and what was not is
// not, or is said to be in doubt.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/numbers.h"
#include "store/postgres/dialer.h"
#include "store/postgres/store_fixture.h"
#include "support/asked_for_memory.h"

namespace todoku::store {
namespace {

namespace memory {

using Moment = std::chrono::steady_clock::time_point;

thread_local bool is_victim = false;   // this thread is refused memory
std::atomic<std::int64_t> left{-1};    // allocations until then; negative: never
std::atomic<std::int64_t> refused{0};  // how often
std::atomic<int> flights{0};           // that the victim sends before `then_left` counts
std::atomic<std::int64_t> then_left{-1};
std::atomic<std::int64_t> lasts_ms{0};  // each is refused for so long, once one is
std::atomic<Moment> until{Moment{}};

void ask_for_memory() {
  if (!is_victim) return;
  if (std::chrono::steady_clock::now() >= until.load()) {
    if (left.load() < 0 || left.fetch_sub(1) != 0) return;
    until = std::chrono::steady_clock::now() + std::chrono::milliseconds(lasts_ms.load());
  }
  ++refused;
  throw std::bad_alloc();
}

}  // namespace memory
}  // namespace
}  // namespace todoku::store

void todoku::before_memory_is_given(std::size_t /*octets*/) {
  store::memory::ask_for_memory();
}

// libpq's, by which a flight goes out.
extern "C" int PQpipelineSync(PGconn* connection) {
  using Sync = int (*)(PGconn*);
  static const auto sync = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "PQpipelineSync"));
  const int sent = sync(connection);
  if (todoku::store::memory::is_victim && todoku::store::memory::flights > 0 &&
      --todoku::store::memory::flights == 0) {
    todoku::store::memory::left = todoku::store::memory::then_left.load();
  }
  return sent;
}

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

class PostgresMemoryTest : public PostgresStoreTest {
 protected:
  void SetUp() override {
#ifdef TODOKU_MEMORY_IS_NEVER_REFUSED
    GTEST_SKIP();
#endif
    store_ = must(PostgresStore::open(
        {.dial = {.address = database_.address(), .password = {}}, .writers = 1}));
    acme_ = must(store_->write_and_wait(WritePriority::accept, [](WriteTransaction& t) {
      memory::is_victim = true;
      return t.create_account("acme");
    }));
    me_ = enter(*store_);
    // Blocks of ids are reserved: the next flight is the one that is meant.
    must(store_->perform_and_wait(acceptance(acme_.key, me_, "warm")));
    memory::refused = 0;
  }
  void TearDown() override { relent(); }
  static void relent() {
    memory::flights = 0;
    memory::left = -1;
    memory::lasts_ms = 0;
    memory::until = memory::Moment{};
  }
  // The nth allocation after so many flights more went out.
  static void refuse_after(int sent, std::int64_t nth) {
    memory::then_left = nth;
    memory::flights = sent;
  }
  // Runs `round` with memory refused at each place after the `sent`th flight in turn, until there
  // are no more.
  template <class Round>
  static void refuse_everywhere_after(int sent, const Round& round) {
    int untouched = 0;
    for (std::int64_t nth = 0; untouched < 2; ++nth) {
      ASSERT_LT(nth, 500);
      const std::int64_t before = memory::refused;
      refuse_after(sent, nth);
      round(nth);
      relent();
      untouched = memory::refused == before ? untouched + 1 : 0;
    }
    EXPECT_GT(memory::refused, 0);
  }
  [[nodiscard]] std::int64_t stored_of(std::string_view local) const {
    return std::stoll(
        database_.ask(fmt::format("SELECT count(*) FROM recipients WHERE address = '{}@'", local)));
  }
  [[nodiscard]] Claim claim_of(const Accepted& accepted) const {
    const std::string number = database_.ask(
        fmt::format("SELECT number FROM batches WHERE delivery = {}", key_of(accepted)));
    return {.node = me_, .batches = {batch_key(key_of(accepted), std::stoll(number))}};
  }
  static std::int64_t key_of(const Accepted& accepted) {
    return static_cast<std::int64_t>(accepted.delivery.key);
  }
  // What is accepted meanwhile flies together, when it is destroyed.
  class HeldUp {
   public:
    explicit HeldUp(const PostgresMemoryTest& test)
        : dialer_({.address = test.database_.address(), .password = {}}),
          holder_(must(dialer_.dial())) {
      const postgres::Sql hold{postgres::Sql::Once{}, "hold", "SELECT key FROM nodes FOR UPDATE"};
      must(holder_->add(postgres::kBegin).add(hold).fly(5s));
      first_ = test.store_->perform_soon(acceptance(test.acme_.key, test.me_, "first"));
      while (test.database_.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type ="
                                " 'Lock' AND datname = current_database()") != "1\n") {
      }
    }
    ~HeldUp() {
      (void)holder_->roll_back(5s);
      (void)first_.get();
    }

   private:
    postgres::Dialer dialer_;
    std::unique_ptr<postgres::Link> holder_;
    std::future<Result<Accepted>> first_;
  };
  // Three mails over one flight, after whose COMMIT memory is refused.
  [[nodiscard]] std::vector<Result<Accepted>> accept_three(std::int64_t nth) {
    std::vector<std::future<Result<Accepted>>> told;
    {
      const HeldUp held(*this);
      for (int i = 0; i < 3; ++i) {
        told.push_back(
            store_->perform_soon(acceptance(acme_.key, me_, fmt::format("three{}of{}", i, nth))));
      }
      refuse_after(1, nth);
    }
    std::vector<Result<Accepted>> results;
    for (auto& each : told) results.push_back(each.get());
    return results;
  }

  std::unique_ptr<PostgresStore> store_;
  Account acme_;
  NodeKey me_{};
};

TEST_F(PostgresMemoryTest, TheWriterGoesOnWhereverMemoryIsRefused) {
  int untouched = 0;
  for (std::int64_t nth = 0; untouched < 3; ++nth) {
    ASSERT_LT(nth, 5'000);
    const std::int64_t before = memory::refused;
    const std::string name = fmt::format("account{}", nth);
    memory::left = nth;
    auto accepted = store_->perform_soon(acceptance(acme_.key, me_, name));
    const auto made = store_->write_and_wait(
        WritePriority::accept, [&](WriteTransaction& t) { return t.create_account(name); });
    const auto told = accepted.get();
    untouched = memory::refused == before ? untouched + 1 : 0;
    relent();
    EXPECT_EQ(stored_of(name), told ? 1 : 0) << nth;
    const auto found =
        store_->read_and_wait([&](ReadTransaction& t) { return t.account_by_name(name); });
    EXPECT_EQ(found.has_value(), made.has_value()) << nth;
    if (!made) EXPECT_EQ(made.error().kind, ErrorKind::unavailable) << made.error().detail;
    if (!told) EXPECT_EQ(told.error().kind, ErrorKind::unavailable) << told.error().detail;
  }
  EXPECT_GT(memory::refused, 50);
}

TEST_F(PostgresMemoryTest, MailsThatFlyTogetherAreStoredOnce) {
  for (const std::int64_t nth : {0, 1, 2, 3, 4}) {
    const std::int64_t before = memory::refused;
    const auto told = accept_three(nth);
    relent();
    EXPECT_GT(memory::refused, before) << nth;
    for (std::size_t i = 0; i < told.size(); ++i) {
      EXPECT_TRUE(told[i]) << nth << told[i].error().detail;
      EXPECT_EQ(stored_of(fmt::format("three{}of{}", i, nth)), 1) << nth;
    }
  }
}

TEST_F(PostgresMemoryTest, WhatMayBeStoredIsSaidSoAndNotDoneAgain) {
  memory::lasts_ms = 1'700;  // longer than anybody looks for it
  const auto told = accept_three(0);
  relent();
  for (std::size_t i = 0; i < told.size(); ++i) {
    ASSERT_FALSE(told[i]);
    EXPECT_EQ(told[i].error().kind, ErrorKind::io) << told[i].error().detail;
    EXPECT_EQ(stored_of(fmt::format("three{}of0", i)), 1);
  }
  must(store_->perform_and_wait(acceptance(acme_.key, me_, "after")));
}

TEST_F(PostgresMemoryTest, AClaimIsAnsweredWithWhatItLeased) {
  refuse_everywhere_after(2, [&](std::int64_t nth) {
    const auto accepted =
        store_->perform_and_wait(acceptance(acme_.key, kNobody, fmt::format("claim{}", nth)));
    ASSERT_TRUE(accepted) << accepted.error().detail;
    const auto claimed = store_->perform_and_wait(claim_of(*accepted));
    ASSERT_TRUE(claimed) << nth << claimed.error().detail;
    ASSERT_TRUE(claimed->batches.at(0)) << nth << claimed->batches[0].error().detail;
    EXPECT_THAT(claimed->batches[0]->recipients, SizeIs(1)) << nth;
  });
}

TEST_F(PostgresMemoryTest, AnOutcomeIsRecordedOnceAndToldSo) {
  refuse_everywhere_after(3, [&](std::int64_t nth) {
    const auto accepted =
        store_->perform_and_wait(acceptance(acme_.key, me_, fmt::format("outcome{}", nth)));
    ASSERT_TRUE(accepted) << accepted.error().detail;
    OutcomeRecord record;
    record.key = {accepted->batches.at(0).key.delivery, accepted->batches.at(0).key.batch, 0};
    record.outcome.state = RecipientState::delivered;
    const auto settled =
        store_->perform_and_wait(Settle{.outcomes = std::span(&record, 1), .releases = {}});
    ASSERT_TRUE(settled) << nth << settled.error().detail;
    EXPECT_THAT(settled->finished, SizeIs(1)) << nth;
    EXPECT_EQ(database_.ask(fmt::format("SELECT delivered FROM deliveries WHERE key = {}",
                                        key_of(*accepted))),
              "1\n");
  });
}

TEST_F(PostgresMemoryTest, AFunctionIsDoneOnceAndToldSo) {
  int runs = 0;
  int rounds = 0;
  refuse_everywhere_after(3, [&](std::int64_t nth) {  // begin, the statement, COMMIT
    ++rounds;
    const auto put = store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
      ++runs;
      return t.put_setting("colour", fmt::format("green{}", nth));
    });
    EXPECT_TRUE(put) << nth << put.error().detail;
    EXPECT_EQ(
        database_.ask("SELECT convert_from(value, 'UTF8') FROM settings WHERE name = 'colour'"),
        fmt::format("green{}\n", nth));
  });
  EXPECT_EQ(runs, rounds);
}

// Without any want of memory.
using DamagedTest = PostgresStoreTest;

TEST_F(DamagedTest, ABatchThatCannotBeReadIsItsOwnErrorAndHeldByNobody) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  Claim claim{.node = me, .batches = {}};
  for (const char* local : {"sound", "bad", "well"}) {
    const Accepted accepted = must(store->perform_and_wait(acceptance(acme.key, kNobody, local)));
    const auto key = static_cast<std::int64_t>(accepted.delivery.key);
    const std::string number =
        database_.ask(fmt::format("SELECT number FROM batches WHERE delivery = {}", key));
    claim.batches.push_back(batch_key(key, std::stoll(number)));
  }
  database_.execute("UPDATE recipients SET codes = '\\xffffffff' WHERE address = 'bad@'");
  const Claimed claimed = must(store->perform_and_wait(claim));
  ASSERT_THAT(claimed.batches, SizeIs(3));
  EXPECT_TRUE(claimed.batches[0]);
  ASSERT_FALSE(claimed.batches[1]);
  EXPECT_EQ(claimed.batches[1].error().kind, ErrorKind::corrupt);
  EXPECT_TRUE(claimed.batches[2]);
  EXPECT_EQ(database_.ask("SELECT count(*) FROM batches WHERE holder <> 0"), "2\n");
  EXPECT_EQ(database_.ask("SELECT count(*) FROM batches WHERE holder = 0 AND ready_at >"
                          " (extract(epoch FROM now()) * 1000)::bigint + 60000"),
            "1\n");
  // It is not taken for one that is in hand.
  const Claimed again = must(store->perform_and_wait(claim));
  ASSERT_FALSE(again.batches[1]);
  EXPECT_EQ(again.batches[1].error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace todoku::store
