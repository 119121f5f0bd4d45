// SPDX-License-Identifier: Apache-2.0
// How connections are made: with whose password, to whom, how often.
#include "store/postgres/connections.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

class ConnectionsTest : public PostgresStoreTest {
 protected:
  void SetUp() override {
    database_.execute("CREATE ROLE rotated SUPERUSER LOGIN PASSWORD 'first'");
  }
  void TearDown() override { database_.execute("DROP ROLE rotated"); }

  // A secret that somebody else keeps, and may have changed.
  class Secret {
   public:
    explicit Secret(std::vector<std::string> answers) : answers_(std::move(answers)) {}
    Result<std::string> operator()() {
      const std::lock_guard lock(mutex_);
      ++asked_;
      if (answers_.size() > 1) {
        auto first = answers_.front();
        answers_.erase(answers_.begin());
        return first;
      }
      return answers_.front();
    }
    void set(std::string answer) {
      const std::lock_guard lock(mutex_);
      answers_ = {std::move(answer)};
    }
    [[nodiscard]] int asked() const {
      const std::lock_guard lock(mutex_);
      return asked_;
    }

   private:
    mutable std::mutex mutex_;
    std::vector<std::string> answers_;
    int asked_ = 0;
  };

  [[nodiscard]] postgres::DialOptions options(Secret& secret) const {
    std::string address = database_.address();
    const auto user = address.find("user=todoku");
    address.replace(user, 11, "user=rotated");
    return {.address = address, .password = [&secret] { return secret(); }};
  }
};

TEST_F(ConnectionsTest, APasswordThatWasChangedMeanwhileIsAskedForOnceMore) {
  Secret secret({"stale", "first"});
  postgres::Dialer dialer(options(secret));
  EXPECT_TRUE(dialer.dial());
  EXPECT_EQ(secret.asked(), 2);
}

TEST_F(ConnectionsTest, AWrongPasswordIsTriedTwiceAndSaid) {
  Secret secret({"wrong"});
  postgres::Dialer dialer(options(secret));
  const auto refused = dialer.dial();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(refused.error().detail, HasSubstr("password authentication failed"));
  EXPECT_EQ(secret.asked(), 2);
}

TEST_F(ConnectionsTest, ThePasswordIsRotatedUnderLoadWithoutAFailedCall) {
  Secret secret({"first"});
  const auto store =
      must(PostgresStore::open({.dial = options(secret), .connection_life = 20ms}));  // often anew
  const Account acme = account(*store);
  const NodeKey me = enter(*store);
  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  std::atomic<int> done{0};
  std::vector<std::thread> load;
  for (int n = 0; n < 4; ++n) {
    load.emplace_back([&] {
      while (!over) {
        if (!store->perform_and_wait(acceptance(acme.key, me))) ++failed;
        if (!store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); })) ++failed;
        ++done;
      }
    });
  }
  for (const char* const next : {"second", "third"}) {
    const int before = done;
    while (done < before + 100) std::this_thread::yield();
    // As a rotation does it: the new one is there before the old one ends.
    database_.execute(std::string("ALTER ROLE rotated PASSWORD '") + next + "'");
    secret.set(next);
  }
  const int before = done;
  while (done < before + 100) std::this_thread::yield();
  over = true;
  for (std::thread& thread : load) thread.join();
  EXPECT_EQ(failed, 0) << "between the two statements above a password is refused for a moment";
}

TEST_F(ConnectionsTest, AnAddressThatCannotBeReadIsSaid) {
  postgres::Dialer dialer({.address = "nonsense=1", .password = {}});
  const auto refused = dialer.dial();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
}

TEST_F(ConnectionsTest, OfSeveralHostsTheOneThatAnswersIsTaken) {
  std::uint16_t away = 0;
  {
    const PostgresProxy gone(PostgresServer::running().socket());
    away = gone.port();
  }
  const PostgresProxy there(PostgresServer::running().socket());
  postgres::Dialer dialer(
      {.address = fmt::format("host=127.0.0.1,127.0.0.1 port={},{} user=todoku dbname={} "
                              "sslmode=disable gssencmode=disable",
                              away, there.port(), database_.name()),
       .password = {}});
  EXPECT_TRUE(dialer.dial());
}

// Those that wait for a host that has fallen silent keep nobody from the next one.
TEST_F(ConnectionsTest, AHostThatFallsSilentTakesNoPlaceOfTheNext) {
  for (const bool is_alone : {false, true}) {
    PostgresProxy silent(PostgresServer::running().socket());
    PostgresProxy next(PostgresServer::running().socket());
    const std::string names =
        is_alone ? fmt::format("host=127.0.0.1 port={}", silent.port())
                 : fmt::format("host=127.0.0.1,127.0.0.1 port={},{}", silent.port(), next.port());
    postgres::Dialer dialer({.address = fmt::format("{} user=todoku dbname={} sslmode=disable "
                                                    "gssencmode=disable",
                                                    names, database_.name()),
                             .password = {}});
    postgres::Connections connections(dialer, {.most = 1, .wait_max = 50ms}, 1);
    connections.adopt(*connections.first(1s));
    silent.fail_next_commit(PostgresProxy::Fault::silence);
    auto lent = connections.take(postgres::Use::change);
    ASSERT_TRUE(lent) << lent.error().detail;
    lent->link->add(postgres::kBegin).add(postgres::kCommit);
    EXPECT_FALSE(lent->link->fly(100ms));
    ASSERT_TRUE(lent->link->awaits_commit());
    connections.give_back(std::move(*lent));
    auto question = connections.take(postgres::Use::question);
    EXPECT_NE(question.has_value(), is_alone);
    if (!question) continue;
    EXPECT_EQ(question->link->host(), 1U);
    EXPECT_FALSE(connections.take(postgres::Use::question)) << "of the next there is but one";
    connections.give_back(std::move(*question));
  }
}

// A server that has no room for all connections of a process: it works with those it has.
TEST_F(ConnectionsTest, AServerWithoutRoomForAllIsWorkedWithByFewer) {
  database_.execute("CREATE ROLE limited LOGIN CONNECTION LIMIT 3");
  database_.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited");
  std::string address = database_.address();
  address.replace(address.find("user=todoku"), 11, "user=limited");
  {
    const auto store = must(PostgresStore::open(
        {.dial = {.address = address, .password = {}}, .writers = 4, .readers = 1}));
    must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
    const Account acme = account(*store);
    const NodeKey me = enter(*store);
    std::vector<std::thread> threads;
    std::atomic<int> failed{0};
    for (int n = 0; n < 8; ++n) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          if (!store->perform_and_wait(acceptance(acme.key, me))) ++failed;
          if (!store->write_and_wait(WritePriority::claims,
                                     [&](WriteTransaction& t) { return t.renew_node(me); })) {
            ++failed;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failed, 0);
  }
  database_.execute("DROP OWNED BY limited");
  database_.execute("DROP ROLE limited");
}

// As todoku's own processes have them; not who asks here.
constexpr const char* kOurs =
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'todoku'"
    " AND datname = current_database()";

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

TEST_F(ConnectionsTest, AllButOneAreGivenBackWhenTheyRest) {
  const auto store = must(PostgresStore::open(
      {.dial = {.address = database_.address(), .password = {}}, .connection_rest = 100ms}));
  const Account acme = account(*store);
  std::vector<std::thread> load;
  for (int n = 0; n < 4; ++n) {
    load.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        must(store->perform_and_wait(acceptance(acme.key, kNobody)));
        must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
      }
    });
  }
  for (std::thread& thread : load) thread.join();
  while (lines_of(database_.ask(kOurs)).size() != 1) std::this_thread::yield();
  must(store->perform_and_wait(acceptance(acme.key, kNobody)));
}

TEST_F(ConnectionsTest, OneThatHasLivedLongEnoughIsReplaced) {
  const auto store = must(PostgresStore::open(
      {.dial = {.address = database_.address(), .password = {}}, .connection_life = 50ms}));
  std::set<std::string> seen;
  while (seen.size() < 6) {
    must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
    const auto now = lines_of(database_.ask(kOurs));
    EXPECT_THAT(now.size(), Le(5U));
    seen.insert(now.begin(), now.end());
  }
}

TEST_F(ConnectionsTest, AStoreThatIsClosedHasNone) {
  const auto store = open();
  const Account acme = account(*store);
  must(store->perform_and_wait(acceptance(acme.key, kNobody)));
  must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
  store->close();
  std::string left = database_.ask(kOurs);
  for (int i = 0; i < 500 && !left.empty(); ++i) left = database_.ask(kOurs);  // they are leaving
  EXPECT_EQ(left, "");
}

// Whatever is thrown while one is made: who waits is told, and the next one is made.
TEST_F(ConnectionsTest, WhatIsThrownWhileOneIsMadeIsOver) {
  std::atomic<bool> throws{false};
  PostgresStore::Options options;
  options.dial = {.address = database_.address(), .password = [&]() -> Result<std::string> {
                    if (throws) throw std::bad_alloc();
                    return "anything";
                  }};
  options.connections = 1;
  const auto store = must(PostgresStore::open(std::move(options)));
  const auto ask = [&] {
    return store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); });
  };
  const auto put = [&] {
    return store->write_and_wait(WritePriority::accept,
                                 [](WriteTransaction& t) { return t.put_setting("a", "b"); });
  };
  must(ask());
  throws = true;
  database_.execute(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  auto asked = ask();
  while (asked) asked = ask();  // its session is ending
  EXPECT_EQ(asked.error().kind, ErrorKind::unavailable);
  const auto refused = put();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  throws = false;
  const auto within = std::chrono::steady_clock::now() + 20s;
  auto done = put();
  while (!done && std::chrono::steady_clock::now() < within) done = put();
  EXPECT_TRUE(done) << done.error().detail;
  must(ask());
}

TEST_F(ConnectionsTest, WhatIsThrownWhileOneIsReplacedLeavesTheOldOne) {
  std::atomic<bool> throws{false};
  PostgresStore::Options options;
  options.dial = {.address = database_.address(), .password = [&]() -> Result<std::string> {
                    if (throws) throw std::bad_alloc();
                    return "anything";
                  }};
  options.connections = 1;
  options.connection_life = 20ms;
  const auto store = must(PostgresStore::open(std::move(options)));
  for (int i = 0; i < 200; ++i) {
    throws = i % 20 < 15;
    must(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
    must(store->write_and_wait(WritePriority::accept,
                               [](WriteTransaction& t) { return t.put_setting("a", "b"); }));
  }
}

// A server that was set up otherwise meanwhile, or that has taken over from one that kept more.
TEST_F(ConnectionsTest, EachNewOneIsAskedWhetherItKeepsWhatIsCommitted) {
  const auto set = [&](std::string_view value) {
    database_.execute(
        fmt::format("ALTER DATABASE {} SET synchronous_commit = {}", database_.name(), value));
  };
  set("on");
  PostgresStore::Options options;
  options.dial.address = database_.address();
  options.must_keep = true;
  const auto store = must(PostgresStore::open(std::move(options)));
  const auto put = [&] {
    return store->write_and_wait(WritePriority::accept,
                                 [](WriteTransaction& t) { return t.put_setting("a", "b"); });
  };
  must(put());
  set("off");
  database_.execute(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  auto refused = put();
  for (int i = 0; i < 20 && (refused || !refused.error().detail.contains("synchronous")); ++i) {
    refused = put();
  }
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("synchronous_commit is off"));
  set("on");
  const auto within = std::chrono::steady_clock::now() + 20s;
  auto done = put();
  while (!done && std::chrono::steady_clock::now() < within) done = put();
  EXPECT_TRUE(done) << done.error().detail;
}

// More processes than a server has room for with all their connections, started at once: each comes
// up, reads and writes, and nobody is told of the others.
TEST_F(ConnectionsTest, TwelveProcessesShareAServerOfTwentyConnections) {
  PostgresServer server({"max_connections=20"});
  const std::string database = server.make_database();
  server.execute(database, "CREATE ROLE ordinary LOGIN");
  server.execute(database, "GRANT ALL ON ALL TABLES IN SCHEMA public TO ordinary");
  std::string address = server.address(database);
  address.replace(address.find("user=todoku"), 11, "user=ordinary");
  std::atomic<int> failed{0};
  std::vector<std::thread> processes;
  for (int n = 0; n < 12; ++n) {
    processes.emplace_back([&, n] {
      auto opened = PostgresStore::open({.dial = {.address = address, .password = {}}});
      if (!opened) {
        ++failed;
        ADD_FAILURE() << opened.error().detail;
        return;
      }
      const auto store = std::move(*opened);
      const auto told = [&](const auto& result) {
        if (result) return;
        ++failed;
        ADD_FAILURE() << result.error().detail;
      };
      const auto made = store->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
        return t.create_account(fmt::format("account{}", n));
      });
      told(made);
      if (!made) return;
      std::vector<std::thread> load;
      for (int k = 0; k < 4; ++k) {
        load.emplace_back([&] {
          for (int i = 0; i < 25; ++i) {
            told(store->perform_and_wait(acceptance(made->key, kNobody)));
            told(store->read_and_wait([](ReadTransaction& t) { return t.setting("a"); }));
          }
        });
      }
      for (std::thread& thread : load) thread.join();
    });
  }
  for (std::thread& process : processes) process.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(server.ask(database, "SELECT count(*) FROM deliveries"), "1200\n");
}

TEST(WaitBeforeDialing, GrowsUpToFiveSecondsAndIsSpread) {
  EXPECT_EQ(postgres::wait_before_dialing(0, 0.0), 0ms);
  EXPECT_THAT(postgres::wait_before_dialing(0, 0.999), AllOf(Ge(95ms), Le(100ms)));
  EXPECT_THAT(postgres::wait_before_dialing(3, 0.999), AllOf(Ge(795ms), Le(800ms)));
  EXPECT_THAT(postgres::wait_before_dialing(1'000, 0.999), AllOf(Ge(4'990ms), Le(5'000ms)));
}

}  // namespace
}  // namespace todoku::store
