// SPDX-License-Identifier: Apache-2.0
// Memory is refused to the store's threads, at the first, second, third, ... time they ask for
// some: whoever waits is answered, the threads go on, and what was answered with success is there.
#include <atomic>
#include <filesystem>
#include <future>
#include <new>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/sqlite/sqlite_store.h"
#include "support/asked_for_memory.h"

namespace todoku::store {
namespace {

thread_local bool is_victim = false;   // this thread is refused memory
std::atomic<std::int64_t> left{-1};    // allocations until then; negative: never
std::atomic<std::int64_t> refused{0};  // how often

void ask_for_memory() {
  if (!is_victim || left.load() < 0) return;
  if (left.fetch_sub(1) != 0) return;
  ++refused;
  throw std::bad_alloc();
}

}  // namespace
}  // namespace todoku::store

void todoku::before_memory_is_given(std::size_t /*octets*/) {
  store::ask_for_memory();
}

namespace todoku::store {
namespace {

class MemoryTest : public ::testing::Test {
 protected:
  MemoryTest() {
    char name[] = "/tmp/todoku-memory-XXXXXX";
    folder_ = ::mkdtemp(name);
    SqliteStore::Options options;
    options.path = folder_ / "store.db";
    options.clock = &clock_;
    options.synchronous = SqliteStore::Synchronous::off;
    options.readers = 1;
    auto opened = SqliteStore::open(options);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }
  ~MemoryTest() override {
    left = -1;
    store_->close();
    std::filesystem::remove_all(folder_);
  }
  template <class Work>
  auto write(Work work) {
    return store_->write_and_wait(WritePriority::accept, std::move(work));
  }
  // An account of each name was made or was not, as its answer said.
  void check_account(const std::string& name, bool made) {
    left = -1;
    const auto found = store_->read_and_wait(
        [&](ReadTransaction& reader) { return reader.account_by_name(name); });
    EXPECT_EQ(found.has_value(), made) << name;
  }

  SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(MemoryTest, AFunctionThatThrowsIsAnsweredWithAnError) {
  const auto thrown = write([](WriteTransaction& writer) -> Result<void> {
    (void)writer.create_account("half");
    throw std::bad_alloc();
  });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error(), (Error{ErrorKind::unavailable, "out of memory"}));
  check_account("half", false);
  const auto other =
      write([](WriteTransaction&) -> Result<void> { throw std::runtime_error("a mistake"); });
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::io);
  EXPECT_TRUE(write([](WriteTransaction& writer) { return writer.create_account("whole"); }));
  const auto read =
      store_->read_and_wait([](ReadTransaction&) -> Result<void> { throw std::bad_alloc(); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::unavailable);
  check_account("whole", true);
}

TEST_F(MemoryTest, TheWriterGoesOnWhereverMemoryIsRefused) {
#ifdef TODOKU_MEMORY_IS_NEVER_REFUSED
  GTEST_SKIP();
#endif
  const auto owner = write([](WriteTransaction& writer) {
    is_victim = true;  // the writer's thread
    return writer.create_account("owner");
  });
  ASSERT_TRUE(owner);
  int untouched = 0;
  for (std::int64_t n = 0; untouched < 3; ++n) {
    ASSERT_LT(n, 5'000);
    const std::int64_t before = refused;
    const std::string name = fmt::format("account{}", n);
    Accept accept{
        .delivery = {}, .recipients = {}, .signing = "", .life_time = std::chrono::hours(1)};
    accept.delivery.account = owner->key;
    accept.delivery.content.from = {"news@example.com", ""};
    accept.delivery.content.subject = name;
    accept.recipients.push_back({name + "@example.jp", "example.jp", {}});
    left = n;
    // Two of different kinds in turn, so that a group may have both.
    std::promise<Result<Accepted>> told;
    store_->submit(std::move(accept),
                   [&](Result<Accepted> result) { told.set_value(std::move(result)); });
    const auto made = write([&](WriteTransaction& writer) { return writer.create_account(name); });
    const auto accepted = told.get_future().get();
    untouched = refused == before ? untouched + 1 : 0;
    left = -1;
    check_account(name, made.has_value());
    if (!made) EXPECT_EQ(made.error().kind, ErrorKind::unavailable) << made.error().detail;
    if (!accepted) EXPECT_EQ(accepted.error().kind, ErrorKind::unavailable);
  }
  EXPECT_GT(refused, 5);
  fmt::print("memory was refused {} times\n", refused.load());
}

}  // namespace
}  // namespace todoku::store
