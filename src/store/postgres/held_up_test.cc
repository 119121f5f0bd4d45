// SPDX-License-Identifier: Apache-2.0
// Others who hold what is wanted: whoever waits is answered in time, that nothing is stored, and in
// our words.
#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/log.h"
#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class HeldUpTest : public PostgresStoreTest {
 protected:
  // Until unlock().
  void lock(const std::string& table) {
    const std::string lock = "LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE";
    const postgres::Sql sql{postgres::Sql::Once{}, "test: lock", lock.c_str()};
    holder_ = must(dialer_.dial());
    must(holder_->add(postgres::kBegin).add(sql).fly(5s));
  }
  void unlock() { holder_.reset(); }

  template <class T>
  static void expect_refused(const Result<T>& answer, std::chrono::steady_clock::time_point asked) {
    EXPECT_LT(std::chrono::steady_clock::now() - asked, 5s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable) << answer.error().detail;
    EXPECT_THAT(answer.error().detail, Not(AnyOf(HasSubstr("ERROR"), HasSubstr("timeout"))));
  }

  postgres::Dialer dialer_{{.address = database_.address(), .password = {}}};
  std::unique_ptr<postgres::Link> holder_;
};

TEST_F(HeldUpTest, WhoAcceptsIsToldInTimeThatNothingIsStored) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  must(store->perform_and_wait(acceptance(acme.key, me)));
  for (const char* table : {"batches", "nodes", "flights"}) {
    lock(table);
    const auto asked = std::chrono::steady_clock::now();
    std::vector<std::future<Result<Accepted>>> answers;
    for (int i = 0; i < 12; ++i) answers.push_back(store->perform_soon(acceptance(acme.key, me)));
    for (auto& answer : answers) expect_refused(answer.get(), asked);
    unlock();
  }
  must(store->perform_and_wait(acceptance(acme.key, me)));
  EXPECT_EQ(database_.ask("SELECT count(*) FROM deliveries"), "2\n");
}

TEST_F(HeldUpTest, WhoeverWaitsForAFunctionIsToldInTime) {
  const auto store = open();
  account(*store);
  lock("accounts");
  const auto asked = std::chrono::steady_clock::now();
  std::vector<std::future<Result<Account>>> answers;
  for (int i = 0; i < 12; ++i) {
    answers.push_back(std::async(std::launch::async, [&store, i] {
      return store->write_and_wait(WritePriority::accept, [i](WriteTransaction& t) {
        return t.create_account("account" + std::to_string(i));
      });
    }));
  }
  for (auto& answer : answers) expect_refused(answer.get(), asked);
  expect_refused(store->read_and_wait([](ReadTransaction& t) { return t.account_by_name("acme"); }),
                 std::chrono::steady_clock::now());
  unlock();
  EXPECT_EQ(database_.ask("SELECT count(*) FROM accounts"), "1\n");
}

// A table that is gone, a right that was taken: whatever it is, it was said before the commit.
TEST_F(HeldUpTest, WhatIsRefusedBeforeItsCommitIsNoDoubt) {
  const auto store = open();
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  database_.execute("ALTER TABLE batches RENAME TO gone");
  const auto asked = std::chrono::steady_clock::now();
  expect_refused(store->perform_and_wait(acceptance(acme.key, me)), asked);
  expect_refused(store->write_and_wait(WritePriority::accept,
                                       [&](WriteTransaction& t) {
                                         return t.mark_begun({{DeliveryKey{1}, 0}, 1}, true);
                                       }),
                 asked);
  EXPECT_EQ(store->figures().doubts, 0U);
  database_.execute("ALTER TABLE gone RENAME TO batches");
  must(store->perform_and_wait(acceptance(acme.key, me)));
}

TEST_F(HeldUpTest, NoticesOfTheDatabaseAreLinesOfOurLogAndNotMany) {
  std::vector<std::string> told;
  log::capture_this_thread(
      [&told](log::Level, std::string_view event, log::Fields) { told.emplace_back(event); });
  const auto link = must(dialer_.dial());
  const postgres::Sql notice{postgres::Sql::Once{}, "test: notice",
                             "DO $$ BEGIN RAISE WARNING 'as the test wants it'; END $$"};
  for (int i = 0; i < 100; ++i) must(link->fly_one(notice, {}, 5s));
  log::capture_this_thread({});
  EXPECT_THAT(told, Contains("the database gives notice"));
  EXPECT_LT(told.size(), 30U);
}

}  // namespace
}  // namespace todoku::store
