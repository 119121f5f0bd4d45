// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.h"
#include "cli/fake_host.h"

namespace todoku::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(CommandLineTest, TellsWhichStepsOfTheSchemaAreMissing) {
  EXPECT_EQ(run({"migrate", "status", "--config", "a.toml"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("a.toml"));
  EXPECT_EQ(out.str(),
            "the database\n   1  tables                   not taken yet\n"
            "1 to take: todoku migrate up\n");
  EXPECT_EQ(run({"migrate", "status", "--json"}), 0);
  EXPECT_EQ(out.str(), R"({"kind":"postgres","by_itself":false,"missing":1,)"
                       R"("contractions":0,"worked_on_by":1,"steps":[{"step":1,"name":"tables"}]})"
                       "\n");
  EXPECT_EQ(run({"migrate"}), 2);
  host.its_schema = {.kind = "sqlite", .place = "todoku.db", .by_itself = true, .steps = {}};
  EXPECT_EQ(run({"migrate", "up"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("todoku.db: nothing to do"));
  EXPECT_EQ(run({"migrate", "status", "--lang", "ja"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("何もする必要はありません"));
}

TEST_F(CommandLineTest, TakesStepsAndNamesWhoIsInTheWay) {
  EXPECT_EQ(run({"migrate", "up", "--wait", "5"}), 0);
  EXPECT_THAT(host.seen, ElementsAre("-"));
  EXPECT_EQ(out.str(), "the database: 1 taken\n");
  EXPECT_THAT(err.str(), HasSubstr("held by process 4711 (night report), its transaction runs for "
                                   "62 s: SELECT ?[2J 1"));
  EXPECT_EQ(run({"migrate", "status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("2026-01-01 09:00:00 JST\nnothing is missing\n"));
  EXPECT_EQ(run({"migrate", "up", "--wait", "0"}), 2);
}

TEST_F(CommandLineTest, TakesAwayOnlyWhereItIsAskedTo) {
  host.its_schema.steps.push_back({2, "no colour", {}, true});
  EXPECT_EQ(run({"migrate", "up"}), 0);
  EXPECT_EQ(out.str(), "the database: 1 taken\n");
  EXPECT_EQ(run({"migrate", "status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("nothing is missing\n1 that take away what the version before "
                                   "needs, once none of it runs: todoku migrate contract\n"));
  EXPECT_EQ(run({"migrate", "status", "--json"}), 0);
  EXPECT_THAT(out.str(), HasSubstr(R"("missing":0,"contractions":1)"));
  EXPECT_THAT(out.str(), HasSubstr(R"({"step":2,"name":"no colour","contracts":true})"));
  EXPECT_EQ(run({"migrate", "contract", "--wait", "7"}), 0);
  EXPECT_EQ(out.str(), "the database: 1 taken\n");
  EXPECT_EQ(run({"migrate", "status"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("nothing is missing\n"));
}

TEST_F(CommandLineTest, AStoreIsCarriedOver) {
  EXPECT_EQ(run({"migrate", "--from", "sqlite:/var/lib/todoku", "--to", "postgres"}), 0);
  EXPECT_EQ(host.seen, std::vector<std::string>{"sqlite:/var/lib/todoku"});
  EXPECT_THAT(out.str(), HasSubstr("recipients  1000000  00ff"));
  EXPECT_THAT(out.str(), HasSubstr("from the old one to the new one in 61.5 s"));
  EXPECT_THAT(err.str(), HasSubstr("carrying recipients: 50000 rows so far\ncomparing"));
  EXPECT_EQ(run({"migrate", "--from", "sqlite:x", "--json"}), 0);
  EXPECT_THAT(out.str(), HasSubstr(R"("tables":[{"table":"recipients","rows":1000000)"));
  EXPECT_EQ(err.str(), "");
  EXPECT_EQ(run({"migrate", "--from", "sqlite:nothing"}), 1);
  EXPECT_THAT(err.str(), HasSubstr("nothing is there"));
  EXPECT_EQ(run({"migrate"}), 2);
  EXPECT_EQ(run({"migrate", "--to", "postgres"}), 2);
  EXPECT_EQ(run({"migrate", "--from", "sqlite:x", "up"}), 2);
  EXPECT_EQ(run({"migrate", "--from", "sqlite:x", "--to", "sqlite"}), 2);
}

}  // namespace
}  // namespace todoku::cli
