// SPDX-License-Identifier: Apache-2.0
// What is looked at before a database is worked on, what is said of one that cannot be, and how its
// tables are made.
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/address.h"
#include "store/postgres/database_clock.h"
#include "store/postgres/fitness.h"
#include "store/postgres/migration.h"
#include "store/postgres/peek.h"
#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using namespace std::chrono_literals;
using postgres::check_address;
using postgres::DatabaseClock;
using postgres::Migration;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string said_of(const std::string& address) {
  const auto checked = check_address(address);
  return checked ? "fine" : checked.error().detail;
}

TEST(PostgresAddress, IsWhatLibpqTakesWithoutAPassword) {
  for (const char* fine :
       {"postgresql://todoku@db.example.jp/todoku", "host=/run/postgresql dbname=todoku",
        "host=db1.example.jp,db2.example.jp port=5432,5433 target_session_attrs=read-write",
        "postgres://db.example.jp:5432/todoku?sslmode=verify-full"}) {
    EXPECT_EQ(said_of(fine), "fine") << fine;
  }
  for (const char* with_password :
       {"postgresql://todoku:hush@db.example.jp/todoku", "host=db.example.jp password=hush",
        "host=db.example.jp password = 'hush'", "postgresql://db.example.jp/todoku?password=hush",
        "postgresql://db.example.jp/todoku?pass%77ord=hush", "sslpassword=hush"}) {
    EXPECT_THAT(said_of(with_password), HasSubstr("password")) << with_password;
    EXPECT_THAT(said_of(with_password), Not(HasSubstr("hush"))) << with_password;
  }
  EXPECT_THAT(said_of("host=db.example.jp password=hu sh"), Not(HasSubstr("sh\"")));
  EXPECT_THAT(said_of("hots=db.example.jp"), HasSubstr("hots"));
  EXPECT_THAT(said_of("host=a target_session_attrs=any"), HasSubstr("must be read-write"));
  EXPECT_THAT(said_of("host=a,b,c,d,e,f,g,h,i"), HasSubstr("names 9 hosts, but may name 8"));
  EXPECT_THAT(said_of("host=a client_encoding=EUC_JP"), HasSubstr("UTF8"));
  EXPECT_THAT(postgres::describe_address("host=db.example.jp dbname=mail password=hush"),
              ::testing::StrEq("the PostgreSQL database mail at db.example.jp"));
}

TEST(DatabaseClockTest, FollowsWhatItIsTold) {
  DatabaseClock clock;
  const SystemClock machine;
  const auto tell = [&](Instant said, Milliseconds took) {
    const SteadyInstant now = machine.steady_now();
    clock.told(said, now - took, now);
  };
  const Instant said = from_epoch_ms(1'700'000'000'000);
  tell(said, 2ms);
  EXPECT_GE(clock.now(), said);
  EXPECT_LT(clock.now(), said + 5s);
  tell(said + 1h, 500ms);
  EXPECT_GE(clock.now(), said + 1h) << "it leapt ahead";
  const Instant before = clock.now();
  tell(said + 1h - 2s, 10s);
  EXPECT_GE(clock.now(), before) << "an answer that took long says nothing new";
  tell(said, 2ms);
  EXPECT_LT(clock.now(), said + 5s) << "it leapt back";
}

TEST(DialerTest, SaysAtOnceThatNobodyListens) {
  postgres::Dialer dialer({.address = "host=/nowhere/at/all", .password = {}});
  const auto refused = dialer.dial();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("No such file"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("no answer within")));
}

class OpeningTest : public PostgresStoreTest {
 protected:
  static PostgresServer& server() { return PostgresServer::running(); }
  [[nodiscard]] std::string refused(const std::string& address, bool must_keep = false) const {
    const auto opened =
        PostgresStore::open({.dial = {.address = address, .password = {}}, .must_keep = must_keep});
    return opened ? "opened" : opened.error().detail;
  }
};

TEST_F(OpeningTest, ADatabaseOfAnotherEncodingIsRefused) {
  server().execute("postgres",
                   "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  EXPECT_THAT(refused(server().address("ascii")), HasSubstr("must be UTF8"));
  Migration migration({.address = server().address("ascii"), .password = {}});
  EXPECT_FALSE(migration.up(1s, [](auto, const auto&) {}));
  server().drop_database("ascii");
}

TEST_F(OpeningTest, AUserWithoutRightsIsToldWhichAreMissing) {
  server().execute("postgres", "DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN");
  const std::string address = database_.address() + " user=guest";
  EXPECT_THAT(refused(address), HasSubstr("may not read and write the tables accounts, api_keys"));
  EXPECT_THAT(refused(address), HasSubstr("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN "
                                          "SCHEMA public TO guest"));
  database_.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest");
  EXPECT_EQ(refused(address), "opened");
  database_.execute("REVOKE DELETE ON recipients FROM guest");
  EXPECT_THAT(refused(address), HasSubstr("the tables recipients:"));
  database_.execute("DELETE FROM todoku_schema");
  Migration migration({.address = address, .password = {}});
  const auto moved = migration.up(1s, [](auto, const auto&) {});
  ASSERT_FALSE(moved);
  EXPECT_THAT(moved.error().detail, HasSubstr("GRANT CREATE ON SCHEMA public TO guest"));
  database_.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC");
  EXPECT_THAT(refused(address), HasSubstr("GRANT USAGE ON SCHEMA"));
  database_.execute("DROP OWNED BY guest");
}

TEST_F(OpeningTest, ADatabaseThatOnlyReadsIsRefused) {
  database_.execute(
      fmt::format("ALTER DATABASE {} SET default_transaction_read_only = on", database_.name()));
  EXPECT_THAT(refused(database_.address()), HasSubstr("read-only"));
}

TEST_F(OpeningTest, WhatIsCommittedMustBeKept) {
  EXPECT_THAT(refused(database_.address(), true), HasSubstr("synchronous_commit is off"));
  database_.execute(fmt::format("ALTER DATABASE {} SET synchronous_commit = on", database_.name()));
  EXPECT_EQ(refused(database_.address(), true), "opened");
}

TEST_F(OpeningTest, ASettingIsSeenWithoutOpeningAStore) {
  const postgres::DialOptions dial{.address = database_.address(), .password = {}};
  EXPECT_EQ(must(postgres::peek_setting(dial, "colour")), std::nullopt);
  const auto store = open();
  must(store->write_and_wait(WritePriority::accept,
                             [](WriteTransaction& t) { return t.put_setting("colour", "green"); }));
  EXPECT_EQ(must(postgres::peek_setting(dial, "colour")), "green");
}

class MigrationTest : public OpeningTest {
 protected:
  MigrationTest() { server().execute("postgres", "CREATE DATABASE fresh"); }
  ~MigrationTest() override { server().drop_database("fresh"); }
  [[nodiscard]] static postgres::DialOptions fresh() {
    return {.address = server().address("fresh"), .password = {}};
  }
};

TEST_F(MigrationTest, TakesEachStepOnce) {
  Migration migration(fresh());
  const auto before = must(migration.status());
  ASSERT_THAT(before, SizeIs(static_cast<std::size_t>(postgres::schema_steps())));
  EXPECT_EQ(before.front().number, 1);
  EXPECT_EQ(before.front().taken, std::nullopt);
  EXPECT_THAT(refused(fresh().address), HasSubstr("is empty; run `todoku migrate up`"));
  for (int time = 0; time < 2; ++time) {
    must(migration.up(1s, [](auto, const auto&) { FAIL() << "nobody is in the way"; }));
    EXPECT_TRUE(must(migration.status()).back().taken);
  }
  EXPECT_EQ(refused(fresh().address), "opened");
}

TEST_F(MigrationTest, AnotherProgramsTablesAndAHoleInOursAreRefusedAndLeftAlone) {
  const auto up_refused = [] {
    const auto up = Migration(fresh()).up(1s, [](auto, const auto&) {});
    return up ? std::string("taken") : up.error().detail;
  };
  server().execute("fresh", "CREATE TABLE accounts(name text)");
  EXPECT_THAT(refused(fresh().address), HasSubstr("belongs to another program"));
  EXPECT_THAT(up_refused(), HasSubstr("belongs to another program"));
  server().execute("fresh", "DROP TABLE accounts");
  must(Migration(fresh()).up(1s, [](auto, const auto&) {}));
  server().execute("fresh", "DELETE FROM todoku_schema WHERE step = 3");
  EXPECT_THAT(refused(fresh().address), HasSubstr("lacks a step of its schema"));
  EXPECT_THAT(up_refused(), HasSubstr("lacks a step of its schema"));
}

// Two versions side by side, and the way back to the one before.
TEST_F(MigrationTest, AProgramWorksOnTablesOfALaterOneThatSaysSo) {
  Migration migration(fresh());
  must(migration.up(1s, [](auto, const auto&) {}));
  const auto later = [](std::int64_t worked_on_by) {
    server().execute(
        "fresh",
        fmt::format("UPDATE meta SET value = '{}' WHERE name = 'worked_on_by'", worked_on_by));
  };
  const std::int64_t known = postgres::schema_steps();
  server().execute("fresh", fmt::format("INSERT INTO todoku_schema VALUES({}, 0);"
                                        "ALTER TABLE accounts ADD COLUMN of_a_later_version bigint",
                                        known + 1));
  later(known);
  EXPECT_EQ(refused(fresh().address), "opened");
  must(migration.up(1s, [](auto, const auto&) { FAIL() << "nothing is missing"; }));
  EXPECT_THAT(must(migration.status()), SizeIs(static_cast<std::size_t>(known)));
  // Whose later steps take away what this program uses.
  later(known + 1);
  const std::string sentence =
      fmt::format("has schema step {} and this program knows up to {}", known + 1, known);
  EXPECT_THAT(refused(fresh().address), HasSubstr(sentence));
  const auto up = migration.up(1s, [](auto, const auto&) {});
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().detail, HasSubstr(sentence));
  // Who says nothing means no.
  server().execute("fresh", "DELETE FROM meta WHERE name = 'worked_on_by'");
  EXPECT_THAT(refused(fresh().address), HasSubstr(sentence));
}

TEST_F(MigrationTest, TheReleaseBeforeCanWorkOnWhatThisOneMakes) {
  must(Migration(fresh()).up(1s, [](auto, const auto&) {}));
  postgres::Dialer dialer(fresh());
  const auto link = must(dialer.dial());
  const postgres::Sql told{postgres::Sql::Once{}, "test",
                           "SELECT convert_from(value, 'UTF8')::bigint FROM meta"
                           " WHERE name = 'worked_on_by'"};
  const auto rows = must(link->fly_one(told, {}, 5s));
  ASSERT_EQ(rows.size(), 1);
  const auto known = postgres::schema();
  EXPECT_EQ(rows.integer(0, 0), postgres::schema_worked_on_by(known, postgres::schema_steps()));
  EXPECT_LE(rows.integer(0, 0), postgres::schema_steps());
  EXPECT_GE(rows.integer(0, 0), 18) << "whoever knows fewer writes to those who opted out";
}

// A release that ceased to use something, and takes it away once the one before is gone.
class ContractionTest : public MigrationTest {
 protected:
  ContractionTest() {
    must(Migration(fresh()).up(1s, [](auto, const auto&) {}));
    server().execute("fresh", "ALTER TABLE accounts ADD COLUMN old_colour bigint");
    steps_.push_back({"a shade", "ALTER TABLE accounts ADD COLUMN shade bigint;\n"});
    steps_.push_back({"no colour", "ALTER TABLE accounts DROP COLUMN old_colour;\n",
                      postgres::StepKind::contraction});
  }
  [[nodiscard]] Migration migration() const {
    return Migration(fresh(), Migration::Limits(), steps_);
  }
  [[nodiscard]] Result<void> up() const {
    return migration().up(1s, [](auto, const auto&) {});
  }
  [[nodiscard]] Result<void> contract() const {
    return migration().contract("2.0", 1s, [](auto, const auto&) {});
  }
  [[nodiscard]] static bool has_colour() {
    postgres::Dialer dialer(fresh());
    const postgres::Sql sql{postgres::Sql::Once{}, "test",
                            "SELECT count(*) FROM information_schema.columns"
                            " WHERE table_name = 'accounts' AND column_name = 'old_colour'"};
    return must(must(dialer.dial())->fly_one(sql, {}, 5s)).integer(0, 0) == 1;
  }
  [[nodiscard]] Result<void> check() const {
    postgres::Dialer dialer(fresh());
    return postgres::check_schema(*must(dialer.dial()), steps_);
  }
  static void lives(int key, std::string_view version, std::int64_t seconds, int is_void = 0) {
    server().execute(
        "fresh",
        fmt::format("INSERT INTO nodes(key, name, roles, version, entered, void)"
                    " VALUES({0}, 'n{0}', '', '{1}', 0, {2});"
                    "INSERT INTO node_leases VALUES({0}, (extract(epoch FROM now()) * 1000)::bigint"
                    " + {3})",
                    key, version, is_void, seconds * 1'000));
  }

  std::vector<postgres::Step> steps_{postgres::schema().begin(), postgres::schema().end()};
  const std::int64_t known_ = postgres::schema_steps();
};

TEST_F(ContractionTest, UpTakesExpansionsAloneAndTheProgramWorksWithoutTheContraction) {
  EXPECT_FALSE(check());
  const auto early = contract();
  ASSERT_FALSE(early);
  EXPECT_THAT(early.error().detail, HasSubstr("run `todoku migrate up` first"));
  must(up());
  EXPECT_TRUE(has_colour());
  EXPECT_TRUE(check());
  EXPECT_EQ(refused(fresh().address), "opened") << "the version before";
  must(contract());
  EXPECT_FALSE(has_colour());
  EXPECT_TRUE(check());
  EXPECT_THAT(refused(fresh().address), HasSubstr("start the newer todoku"));
  must(contract());  // once more changes nothing
}

TEST_F(ContractionTest, NothingIsTakenAwayWhileAProcessOfAnotherVersionLives) {
  must(up());
  lives(1, "2.0", 10);
  lives(2, "1.9", -1);     // its lease has lapsed
  lives(3, "1.9", 10, 1);  // was made void
  lives(4, "1.9", 10);
  const auto refused_by = contract();
  ASSERT_FALSE(refused_by);
  EXPECT_EQ(refused_by.error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused_by.error().detail, HasSubstr("1 processes of other versions than 2.0"));
  EXPECT_THAT(refused_by.error().detail, HasSubstr("(1.9)"));
  EXPECT_TRUE(has_colour());
  server().execute("fresh", "UPDATE nodes SET void = 1 WHERE key = 4");
  must(contract());
  EXPECT_FALSE(has_colour());
}

TEST_F(ContractionTest, WhatComesBehindItWaitsForIt) {
  steps_.push_back({"a hue", "ALTER TABLE accounts ADD COLUMN hue bigint;\n"});
  const auto waits = up();
  ASSERT_FALSE(waits);
  EXPECT_EQ(waits.error().kind, ErrorKind::conflict);
  EXPECT_THAT(waits.error().detail, HasSubstr("run `todoku migrate contract`"));
  EXPECT_TRUE(has_colour());
  EXPECT_FALSE(check()) << "it needs what comes behind";
  must(contract());
  must(up());
  EXPECT_TRUE(check());
  // Nobody has ever worked on an empty one.
  server().drop_database("fresh");
  server().execute("postgres", "CREATE DATABASE fresh");
  steps_[static_cast<std::size_t>(known_) + 1].statements = "SELECT 1;\n";
  must(up());
  EXPECT_TRUE(must(migration().status()).back().taken);
}

TEST(SchemaSteps, AContractionSaysThatWhoKnowsItCanWorkOnTheTables) {
  using postgres::StepKind;
  std::vector<postgres::Step> steps(20, {"", ""});
  EXPECT_EQ(postgres::schema_worked_on_by(steps, 20), 18);
  EXPECT_EQ(postgres::schema_steps_needed(steps), 20);
  steps[18].kind = StepKind::contraction;
  EXPECT_EQ(postgres::schema_worked_on_by(steps, 18), 18);
  EXPECT_EQ(postgres::schema_worked_on_by(steps, 19), 19);
  EXPECT_EQ(postgres::schema_worked_on_by(steps, 20), 19);
  EXPECT_EQ(postgres::schema_steps_needed(steps), 20);
  steps[19].kind = StepKind::contraction;
  EXPECT_EQ(postgres::schema_steps_needed(steps), 18);
  EXPECT_EQ(postgres::schema_worked_on_by(steps, 20), 20);
}

// As several machines start at once, each with `todoku migrate up` first.
TEST_F(MigrationTest, SeveralAtOnceOnAnEmptyDatabaseAllSucceed) {
  for (int round = 0; round < 8; ++round) {
    server().drop_database("fresh");
    server().execute("postgres", "CREATE DATABASE fresh");
    // Whatever its default is.
    if (round % 2 == 1) {
      server().execute("postgres",
                       "ALTER DATABASE fresh SET default_transaction_isolation = 'serializable'");
    }
    std::latch ready(4);
    std::vector<std::thread> all;
    for (int n = 0; n < 4; ++n) {
      all.emplace_back([&] {
        Migration migration(fresh());
        ready.arrive_and_wait();
        const auto moved = migration.up(60s, [](auto, const auto&) {});
        EXPECT_TRUE(moved) << moved.error().detail;
      });
    }
    for (std::thread& each : all) each.join();
    EXPECT_EQ(refused(fresh().address), "opened");
  }
}

TEST_F(MigrationTest, WhoIsInTheWayIsNamedAndTheStepTriedAgain) {
  server().execute("fresh",
                   "CREATE TABLE todoku_schema(step bigint PRIMARY KEY, taken bigint NOT NULL)");
  postgres::Dialer dialer(
      {.address = fresh().address + " application_name=night_report", .password = {}});
  const auto other = must(dialer.dial());
  const postgres::Sql lock{postgres::Sql::Once{}, "lock",
                           "LOCK TABLE todoku_schema IN SHARE ROW EXCLUSIVE MODE"};
  ASSERT_TRUE(other->add(postgres::kBegin).add(lock).fly(5s));
  Migration migration(fresh(), {.lock_most = 500ms, .pause = 50ms});
  std::vector<postgres::Blocker> seen;
  int tries = 0;
  const auto note = [&](std::int64_t step, const std::vector<postgres::Blocker>& by) {
    EXPECT_EQ(step, 1);
    seen = by;
    if (++tries == 2) (void)other->roll_back(5s);  // it has ended
  };
  must(migration.up(20s, note));
  EXPECT_EQ(tries, 2);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_GT(seen[0].pid, 0);
  EXPECT_EQ(seen[0].application, "night_report");
  EXPECT_THAT(seen[0].query, HasSubstr("LOCK TABLE"));
}

TEST_F(MigrationTest, EndsAfterItsPatience) {
  server().execute("fresh",
                   "CREATE TABLE todoku_schema(step bigint PRIMARY KEY, taken bigint NOT NULL)");
  postgres::Dialer dialer(fresh());
  const auto other = must(dialer.dial());
  const postgres::Sql lock{postgres::Sql::Once{}, "lock",
                           "LOCK TABLE todoku_schema IN SHARE ROW EXCLUSIVE MODE"};
  ASSERT_TRUE(other->add(postgres::kBegin).add(lock).fly(5s));
  Migration migration(fresh(), {.lock_most = 50ms, .pause = 10ms});
  const auto moved = migration.up(200ms, [](auto, const auto&) {});
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(moved.error().detail, HasSubstr("schema step 1 was not taken"));
}

}  // namespace
}  // namespace todoku::store
