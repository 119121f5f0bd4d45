// SPDX-License-Identifier: Apache-2.0
// Which tables the rights are asked of: every one that the schema makes, and no other.
#include "store/postgres/fitness.h"

#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using ::testing::HasSubstr;

class RightsTest : public PostgresStoreTest {
 protected:
  RightsTest() {
    PostgresServer::running().execute("postgres",
                                      "DROP ROLE IF EXISTS visitor; CREATE ROLE visitor LOGIN");
    database_.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO visitor");
  }
  ~RightsTest() override { database_.execute("DROP OWNED BY visitor"); }
  [[nodiscard]] std::string told() const {
    const auto opened = PostgresStore::open(
        {.dial = {.address = database_.address() + " user=visitor", .password = {}}});
    return opened ? "opened" : opened.error().detail;
  }
};

TEST_F(RightsTest, OfWhatIsNotOursNoneAreAsked) {
  database_.execute("CREATE TABLE backup_of_somebody(a bigint)");
  EXPECT_EQ(told(), "opened");
}

TEST_F(RightsTest, OfEveryTableThatIsMadeTheyAreAsked) {
  std::istringstream tables(
      database_.ask("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "
                    "relkind = 'r'"));
  int asked = 0;
  for (std::string table; std::getline(tables, table);) {
    if (table.empty()) continue;
    database_.execute(fmt::format("REVOKE SELECT ON {} FROM visitor", table));
    EXPECT_THAT(told(), HasSubstr(fmt::format("the tables {}:", table)));
    database_.execute(fmt::format("GRANT SELECT ON {} TO visitor", table));
    ++asked;
  }
  EXPECT_GE(asked, 20);
  EXPECT_EQ(told(), "opened");
}

}  // namespace
}  // namespace todoku::store
