// SPDX-License-Identifier: Apache-2.0
// No statement of the store may cost more because more is stored: every statement in its source is
// given to SQLite's planner, which must find an index for it. No clock decides, and a new statement
// is held to it the day it is written.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"

namespace todoku::store::sqlite {
namespace {

using ::testing::Gt;
using ::testing::IsEmpty;

// What a statement may go through from end to end, and why that is short.
const std::map<std::string, std::string>& allowed_scans() {
  static const std::map<std::string, std::string> kAllowed{
      {"meta", "a handful of figures"},
      {"changes", "the same"},
      {"nodes", "one row per process"},
      {"source_owners", "one row per source"},
      {"j VIRTUAL TABLE INDEX 1:", "the list that was asked for"},
      {"suspects", "a few mails that processes died with"},
      {"s USING INDEX suspects_aside", "the same"},
      {"page", "of one page, made by the statement itself"},
      {"parts", "sections of one delivery: a few imports"},
      {"batches USING INDEX batches_ready", "once, when the store is opened"},
      {"batches USING INDEX batches_held", "when the store is opened, and for an operator"},
      {"news USING INDEX news_at", "read up to a LIMIT"},
      {"smtp_credentials USING INDEX smtp_credentials_held", "those that are held now"},
      {"s USING INDEX rate_states_held", "receivers that deliveries are held at now; a LIMIT"},
      {"export_jobs USING INDEX export_jobs_running", "those that run: some of each account"},
      {"address_runs", "merged by the indexer into tens at most"},
      {"address_recent", "emptied by the indexer at some thousands; read up to a LIMIT"},
      {"deliveries USING INDEX deliveries_sending_bulk", "bulk deliveries that go out now"},
      {"d USING INDEX deliveries_sending_bulk", "the same"},
      {"deliveries USING COVERING INDEX deliveries_sending_bulk", "the same"},
  };
  return kAllowed;
}

// The string literals of C++ source, those next to each other joined as the compiler does.
std::vector<std::string> literals_of(const std::string& source) {
  std::vector<std::string> literals;
  std::string text;
  bool inside = false;
  bool adjacent = false;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (inside) {
      if (c == '\\') {
        text += source[++i];
      } else if (c == '"') {
        inside = false;
        adjacent = true;
      } else {
        text += c;
      }
    } else if (c == '"') {
      inside = true;
    } else if (adjacent && std::isspace(static_cast<unsigned char>(c)) == 0) {
      literals.push_back(std::move(text));
      text.clear();
      adjacent = false;
    } else if (c == '/' && i + 1 < source.size() && source[i + 1] == '/') {
      i = source.find('\n', i);
      if (i == std::string::npos) break;
    }
  }
  return literals;
}

bool is_statement(std::string_view text) {
  return text.starts_with("SELECT ") || text.starts_with("UPDATE ") || text.starts_with("WITH ") ||
         text.starts_with("DELETE ") || text.starts_with("INSERT ");
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What several statements say in the same words is a macro of literals in keys.h.
std::map<std::string, std::string> macros_in(const std::string& header) {
  constexpr std::string_view kDefine = "#define ";
  std::map<std::string, std::string> macros;
  for (std::size_t at = header.find(kDefine); at != std::string::npos;
       at = header.find(kDefine, at)) {
    at += kDefine.size();
    const std::size_t name_end = header.find_first_of(" \\\n", at);
    const std::string name = header.substr(at, name_end - at);
    std::string text;
    bool goes_on = true;
    for (at = name_end; goes_on && at < header.size(); ++at) {
      goes_on = header[at] != '\n' || header[at - 1] == '\\';
      text += header[at] == '\\' || header[at] == '\n' ? ' ' : header[at];
    }
    macros[name] = text;
  }
  return macros;
}

void put_in(const std::map<std::string, std::string>& macros, std::string& source) {
  for (const auto& [name, text] : macros) {
    for (std::size_t at = source.find(name); at != std::string::npos;
         at = source.find(name, at + text.size())) {
      source.replace(at, name.size(), text);
    }
  }
}

std::set<std::string> statements_of_the_store() {
  std::set<std::string> statements;
  const std::filesystem::path folder =
      std::filesystem::path(TODOKU_SOURCE_DIR) / "src/store/sqlite";
  const auto macros = macros_in(text_of(folder / "keys.h"));
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".cc") continue;
    if (entry.path().string().ends_with("_test.cc")) continue;
    if (entry.path().filename() == "schema.cc") continue;        // run once, when a version is new
    if (entry.path().filename() == "carry_source.cc") continue;  // once, on a store that rests
    if (entry.path().filename().string().starts_with("backup")) continue;  // of a copy, whole
    std::string source = text_of(entry.path());
    put_in(macros, source);
    for (std::string& literal : literals_of(source)) {
      if (is_statement(literal)) statements.insert(std::move(literal));
    }
  }
  return statements;
}

class QueryPlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    db_ = must(Connection::open(
        {.path = (directory_.path() / "plan.db").string(), .vfs = {}, .create = true}));
    must(prepare_schema(*db_));
  }

  std::vector<std::string> plan_of(const std::string& statement) {
    std::vector<std::string> steps;
    const std::string explain = "EXPLAIN QUERY PLAN " + statement;
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v2(db_->raw(), explain.c_str(), -1, &prepared, nullptr);
    EXPECT_EQ(code, SQLITE_OK) << statement << ": " << sqlite3_errmsg(db_->raw());
    while (code == SQLITE_OK && sqlite3_step(prepared) == SQLITE_ROW) {
      steps.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(prepared, 3)));
    }
    sqlite3_finalize(prepared);
    return steps;
  }

  // Why a step of a plan grows with what is stored; empty if it does not.
  static std::string fault_of(std::string_view statement, const std::string& step) {
    if (step.find("TEMP B-TREE") != std::string::npos) {
      // Imports that run now: one per delivery that is being filled.
      const bool running = statement.find("WHERE j.status = 1") != std::string_view::npos;
      // What an account has to go, among kWorkLookedAt batches.
      const bool bounded =
          statement.find("batches_held WHERE holder <> 0 LIMIT ?2)") != std::string_view::npos;
      return running || bounded ? "" : "sorts what an index should order";
    }
    if (!step.starts_with("SCAN ")) return {};
    const std::string what = step.substr(5);
    if (what == "CONSTANT ROW" || what.starts_with("(subquery")) return {};
    // The first row of an index, in its order.
    if (statement.ends_with(" LIMIT 1") && what.find(" INDEX ") != std::string::npos) return {};
    return allowed_scans().contains(what) ? "" : "scans";
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Connection> db_;
};

TEST_F(QueryPlanTest, EveryStatementOfTheStoreFindsItsRowsByAnIndex) {
  const auto statements = statements_of_the_store();
  EXPECT_THAT(statements.size(), Gt(90U)) << "the statements are no longer where this test looks";
  for (const std::string& statement : statements) {
    for (const std::string& step : plan_of(statement)) {
      EXPECT_THAT(fault_of(statement, step), IsEmpty()) << statement << "\n  " << step;
    }
  }
  fmt::print("{} statements, none of which scans what grows\n", statements.size());
}

TEST_F(QueryPlanTest, AStatementWithoutAnIndexIsNoticed) {
  for (const char* statement :
       {"SELECT key FROM deliveries WHERE account = ? AND deleted = 0 ORDER BY updated LIMIT 1",
        "SELECT address FROM recipients WHERE address = ?",
        "UPDATE batches SET holder = 0 WHERE token = ?"}) {
    bool noticed = false;
    for (const std::string& step : plan_of(statement)) {
      noticed = noticed || !fault_of(statement, step).empty();
    }
    EXPECT_TRUE(noticed) << statement;
  }
}

}  // namespace
}  // namespace todoku::store::sqlite
