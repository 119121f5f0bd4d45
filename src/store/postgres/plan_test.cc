// SPDX-License-Identifier: Apache-2.0
// No statement of the store may cost more because more is stored: every statement in the source is
// given to the planner of a database with much in it, at two sizes, and must find an index for it.
// No clock decides, and a new statement is held to it the day it is written.
#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/postgres/link.h"
#include "store/postgres/store_fixture.h"

namespace todoku::store {
namespace {

using postgres::Sql;
using ::testing::Gt;
using ::testing::IsEmpty;

// What a statement may go through from end to end, because it is short.
bool may_be_scanned(std::string_view table) {
  static const std::set<std::string_view> kShort{
      "numbers",    "meta",          "settings", "todoku_schema",  // a handful of figures
      "nodes",      "node_leases",                                 // one row a process
      "leadership", "source_owners",                               // one row, and one a source
      "suspects",   "on_its_way",                                  // a few mails
      "changes",    "news",          "pg_class", "pg_namespace"};
  return kShort.contains(table);
}

class PlanTest : public PostgresStoreTest {
 protected:
  // `size` transactions of which a tenth waits, and bulk deliveries of which a few go out.
  void fill(std::int64_t size) {
    database_.execute(fmt::format(R"sql(
INSERT INTO accounts SELECT n, 'account' || n, 1, 0, 1, 0, {0}, {0}, {0}
  FROM generate_series(1, {0} / 2) n;
INSERT INTO api_keys SELECT n, n, 'label', md5(n::text), 0, NULL
  FROM generate_series(1, {0} / 10) n;
INSERT INTO dkim_keys SELECT n, 'd' || n || '.example', 's1', 'rsa-sha256', '\x00', 'v=DKIM1', 0
  FROM generate_series(1, {0} / 10) n;
INSERT INTO domains SELECT n, 'd' || n || '.example', md5(n::text), n % 3, 0, '', 0, NULL, NULL,
  NULL, 0, CASE WHEN n % 100 = 0 THEN n END FROM generate_series(1, {0} / 10) n;
INSERT INTO mail_counts SELECT n / 30, n % 30, 1, n FROM generate_series(1, {0} / 10) n;
INSERT INTO flights SELECT n, n, 0 FROM generate_series(1, {0}) n;
INSERT INTO deliveries(key, account, id, type, traffic, status, phase, deleted, at_most_once,
  created, updated, started, expires, finished, total, delivered, bounced, dropped, expired,
  cancelled, unknown, deferred, signing, failure_reason)
  SELECT 1000000 + n, n % ({0} / 10) + 1, n, 1, 0, 6, NULL, 0, 0, n, n, n, n, n, 1, 1, 0, 0, 0, 0,
  0, 0, '', '' FROM generate_series(1, {0}) n;
INSERT INTO contents SELECT 1000000 + n, 'a@example.com', '', NULL, NULL, '', '', 0, '', '', 0, 's',
  't', '', 1 FROM generate_series(1, {0}) n;
INSERT INTO attachments SELECT n, 1000000 + n, 'f', 'text/plain', 1, 0, '\x00'
  FROM generate_series(1, {0}) n;
INSERT INTO batches SELECT 1000000 + n, 1000000 + n, n % ({0} / 10) + 1, NULL, 0,
  'd' || n % 1000 || '.example', n, 1, 1, 0, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, n,
  CASE WHEN n % 10 = 0 THEN n END, 1, 0, 0, NULL, 0, NULL FROM generate_series(1, {0}) n;
INSERT INTO recipients SELECT 1000000 + n, 0, 'user' || n || '@', n * 7919, NULL, NULL, NULL
  FROM generate_series(1, {0}) n;
INSERT INTO recipient_marks SELECT 1000000 + n, 0, n * 7919, CASE WHEN n % 2 = 0 THEN n * 10007 END
  FROM generate_series(1, {0}) n;
INSERT INTO progress SELECT 1000000 + n, 0, 2, 1, NULL, '\x00' FROM generate_series(1, {0}) n;
INSERT INTO deliveries(key, account, id, type, traffic, status, phase, deleted, at_most_once,
  created, updated, started, expires, total, delivered, bounced, dropped, expired, cancelled,
  unknown,  deferred, signing, failure_reason)
  SELECT 10000000 + n * 1000, n, 5000000 + n, 2, 1, CASE WHEN n % 200 = 0 THEN 5 ELSE 6 END,
  CASE WHEN n % 200 = 0 THEN 5 ELSE 6 END, 0, 0, n, n, n, n, 100, 0, 0, 0, 0, 0, 0, 0,
  '', '' FROM generate_series(1, {0} / 10) n;
INSERT INTO sections SELECT 10000000 + n * 1000, 10000000 + n * 1000, 1, NULL
  FROM generate_series(1, {0} / 10) n;
INSERT INTO domain_counts SELECT 10000000 + n * 1000, 'd' || k || '.example', k
  FROM generate_series(1, {0} / 10) n, generate_series(1, 10) k;
INSERT INTO import_jobs SELECT n, n, 10000000 + n * 1000, 10000000 + n * 1000, 2, 0, 0, 0, 0, 100,
  100, 0, 100, 0, 100, '', '', 0, 1 FROM generate_series(1, {0} / 10) n;
INSERT INTO approvals SELECT 10000000 + n * 1000, n, CASE WHEN n % 100 = 0 THEN 1 ELSE 2 END, 1,
  'api key 1', 0, n, n, '', 0, NULL, '' FROM generate_series(1, {0} / 10) n;
INSERT INTO uploads SELECT n, 'import-' || n || '.errors.zip', 1, 1, 1, 0, 1, 0
  FROM generate_series(1, {0} / 10) n;
INSERT INTO upload_pieces SELECT n, 0, '\x00' FROM generate_series(1, {0} / 10) n;
INSERT INTO relayed SELECT n, 1, 1, 1, 1, 1000000 + n, 0 FROM generate_series(1, {0}) n;
INSERT INTO relayed_pieces SELECT n, 0, '\x00' FROM generate_series(1, {0}) n;
INSERT INTO batches SELECT 10000000 + n * 1000 + k, 10000000 + n * 1000, n, 10000000 + n * 1000, 1,
  'd' || k || '.example', 5000000 + k * 10, 10, 10, 0, 10, 0, 0, 0,
  CASE WHEN k = 2 AND n % 50 = 0 THEN 7 ELSE 0 END, 0, NULL, 0, NULL
  FROM generate_series(1, {0} / 10) n, generate_series(1, 2) k;
INSERT INTO recipients SELECT 10000000 + n * 1000 + k, s, 'u' || s || '@', n * 104729 + s, NULL,
  NULL, NULL FROM generate_series(1, {0} / 10) n, generate_series(1, 2) k, generate_series(0, 9) s;
INSERT INTO kept_answers SELECT sha256(n::text::bytea), n % ({0} / 10) + 1, 1, '\x00', n, n
  FROM generate_series(1, {0}) n;
INSERT INTO event_sheets SELECT n % ({0} / 10) + 1, n, n, '\x00' FROM generate_series(1, {0}) n;
INSERT INTO not_sent SELECT n % ({0} / 10) + 1, 3, n, 550 FROM generate_series(1, {0}) n;
INSERT INTO opens SELECT n % ({0} / 10) + 1, n, n, n, 1, NULL, NULL FROM generate_series(1, {0}) n;
INSERT INTO open_counts SELECT 1000000 + n, 1, 0 FROM generate_series(1, {0}) n;
INSERT INTO usages SELECT n, 202604, 0, 1, 0 FROM generate_series(1, {0} / 2) n;
INSERT INTO webhooks SELECT 'w' || n, n / 10, 1, 1, 'https://example.com/', '\x00', '\x00', '\x00',
  0, 1, n, n FROM generate_series(1, {0} / 10) n;
INSERT INTO event_readers SELECT 'r' || n, 0, '\x00' FROM generate_series(1, {0} / 10) n;
INSERT INTO smtp_credentials SELECT 'u' || n, n / 10, '\x01', 's', '', NULL, n, NULL, n,
  CASE WHEN n % 1000 = 0 THEN n END, '', NULL FROM generate_series(1, {0}) n;
INSERT INTO smtp_habits SELECT 'u' || n, '\x01' FROM generate_series(1, {0}) n;
INSERT INTO webhook_calls SELECT 'w' || n, '\x00' FROM generate_series(1, {0} / 10) n;
INSERT INTO webhook_set_aside SELECT 'w' || n / 10, 'e' || n, n FROM generate_series(1, {0}) n;
INSERT INTO suppressions SELECT n * 7919, n % ({0} / 10), 'user' || n || '@example.jp', n % 5 + 1,
  '', 1, 1, 1, '', 550, 'words', n, n, n, CASE WHEN n % 2 = 0 THEN n END, n, n, 0
  FROM generate_series(1, {0}) n;
INSERT INTO suppression_removals SELECT n, n % ({0} / 10), 'user' || n || '@example.jp', 4, '', 'w',
  'a', n FROM generate_series(1, {0}) n;
INSERT INTO export_jobs SELECT n % ({0} / 10), n, 1, '', 0, CASE WHEN n % 100 = 0 THEN 1 ELSE 2 END,
  100, 1, 'f', 0, n, CASE WHEN n % 100 <> 0 THEN n END FROM generate_series(1, {0}) n;
INSERT INTO audit SELECT n, n, 'api key 1', 'content', n % ({0} / 10), n, n, n * 7919, '192.0.2.7'
  FROM generate_series(1, {0}) n;
INSERT INTO domain_reports SELECT n % ({0} / 10), 'd' || n % 100 || '.example', n % 400,
  n::text::bytea, 1, 'org', 'd.example', 'p=none', n, n, 1, n FROM generate_series(1, {0}) n;
INSERT INTO report_lines SELECT n % ({0} / 10), 'd' || n % 100 || '.example', n % 400,
  n::text::bytea, 1, 0 FROM generate_series(1, {0}) n;
INSERT INTO sts_policies SELECT 'd' || n || '.example', 'i', 'p', n, n
  FROM generate_series(1, {0}) n;
INSERT INTO tls_counts SELECT n % 60, 'd' || n || '.example', 1, 1, 1
  FROM generate_series(1, {0}) n;
INSERT INTO key_slots SELECT n, 'd' || n || '.example', 1, CASE WHEN n % 10 = 0 THEN n END, '\x00'
  FROM generate_series(1, {0}) n;
INSERT INTO delivery_outcomes SELECT 1000000 + n, 's' || k, 3, k, n, n
  FROM generate_series(1, {0} / 10) n, generate_series(1, 10) k;
INSERT INTO hourly_outcomes SELECT n % ({0} / 10), n, 0, 's' || n % 10, 3, n % 20, n, n
  FROM generate_series(1, {0}) n;
INSERT INTO warm_up SELECT 's' || n % 10, n, '', 1 FROM generate_series(1, {0}) n;
INSERT INTO lane_paces SELECT 's' || n % 10, 'd' || n || '.example', n, n, 1, 1, 1, 1, 1, 1, n, n,
  n, 1, 1, 1, 1 FROM generate_series(1, {0}) n;
INSERT INTO rate_counts SELECT n % ({0} / 10), n % 5, n, '', n % 300, 1, 1, 0, 0, 0, 0
  FROM generate_series(1, {0}) n;
INSERT INTO rate_states SELECT n % ({0} / 10), n % 5, n, '',
  CASE WHEN n % 100 = 0 THEN 2 ELSE 0 END, n, '', 0, 0, 0, 0, 0, 0, 0
  FROM generate_series(1, {0}) n;
INSERT INTO probes SELECT 't' || n, 'm' || n % 50, n, CASE WHEN n % 1000 = 0 THEN n END, '\x00'
  FROM generate_series(1, {0}) n;
INSERT INTO template_ids SELECT n, 10, 1000 FROM generate_series(1, {0} / 10) n;
INSERT INTO templates SELECT n / 10, n, 'n' || n, 2, n, n FROM generate_series(1, {0}) n;
INSERT INTO template_versions SELECT n / 20, n / 2, n % 2 + 1, n, 10, '\x00'
  FROM generate_series(1, {0}) n;
INSERT INTO steering SELECT 1000000 + n, 1, 1, 1, 0, 1, 'UTC', n, n + 1, 0
  FROM generate_series(1, {0}) n;
INSERT INTO resends SELECT n, n % ({0} / 10), n FROM generate_series(1, {0}) n;
INSERT INTO people SELECT n, n / 10, 'user' || n || '@example.jp', 'n', n % 5 + 1, 'ja', 'h',
  '\x00', '\x00', 0, '\x0100', 0, n, n, n FROM generate_series(1, {0}) n;
INSERT INTO sign_ins SELECT n, n / 10, md5(n::text), 0, 0, n, n, n, n, '192.0.2.7', 'agent'
  FROM generate_series(1, {0}) n;
INSERT INTO sign_in_links SELECT md5(n::text), n % 4 + 1, n / 4, n, n
  FROM generate_series(1, {0}) n;
INSERT INTO sign_in_rules SELECT n, 1, '192.0.2.0/24', 0 FROM generate_series(1, {0} / 10) n;
INSERT INTO kept_texts SELECT n / 10, 'compose:' || n, n, 'body' FROM generate_series(1, {0}) n;
INSERT INTO bells SELECT 's' || n % 10, n % 2, 1000000 + n, 0, n, 0, 1, n
  FROM generate_series(1, {0}) n;
)sql",
                                  size));
  }

  // The plan of a statement whose parameters are not known.
  [[nodiscard]] static std::string plan_of(const Sql& sql, const PostgresSession& session) {
    const std::string text = sql.text;
    int parameters = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '$' && std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0) {
        parameters = std::max(parameters, std::atoi(text.c_str() + i + 1));
      }
    }
    std::string nulls;
    for (int i = 0; i < parameters; ++i) nulls += i == 0 ? "(NULL" : ", NULL";
    if (parameters > 0) nulls += ")";
    return session.ask(
        fmt::format("DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; PREPARE statement "
                    "AS {}; EXPLAIN EXECUTE statement{}",
                    text, nulls));
  }
};

bool is_planned(const Sql& sql) {
  const std::string_view text = sql.text;
  return text.starts_with("SELECT") || text.starts_with("INSERT") || text.starts_with("UPDATE") ||
         text.starts_with("DELETE") || text.starts_with("WITH");
}

// Those that a plan goes through from end to end and may not.
std::vector<std::string> scanned_tables(const std::string& plan) {
  constexpr std::string_view kScan = "Seq Scan on ";
  std::vector<std::string> tables;
  std::istringstream lines(plan);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(kScan);
    if (at == std::string::npos) continue;
    const std::string rest = line.substr(at + kScan.size());
    std::string table = rest.substr(0, rest.find(' '));
    if (!may_be_scanned(table)) tables.push_back(std::move(table));
  }
  return tables;
}

TEST_F(PlanTest, NoStatementGoesThroughATableFromEndToEnd) {
  std::vector<std::string> scans;
  int statements = 0;
  const PostgresSession session(database_.address());
  const auto explain_all = [&](std::string_view state) {
    for (const Sql* sql = Sql::first; sql != nullptr; sql = sql->next) {
      if (!is_planned(*sql)) continue;
      ++statements;
      try {
        const std::string plan = plan_of(*sql, session);
        for (const std::string& table : scanned_tables(plan)) {
          scans.push_back(fmt::format("{} ({}): {}\n{}", sql->name, state, table, plan));
        }
      } catch (const std::runtime_error& refused) {
        scans.emplace_back(refused.what());
      }
    }
  };
  fill(20'000);
  explain_all("before ANALYZE");
  database_.execute("ANALYZE");
  explain_all("small");
  database_.execute(
      "TRUNCATE accounts, api_keys, approvals, dkim_keys, domains, mail_counts, flights, "
      "deliveries, "
      "contents, attachments,"
      " batches, recipients, recipient_marks, progress, sections, domain_counts, import_jobs, "
      "uploads, "
      "upload_pieces, relayed, "
      "relayed_pieces,"
      " kept_answers, webhooks, webhook_calls, webhook_set_aside, smtp_credentials, smtp_habits, "
      "bells, news, "
      "changes,"
      " event_sheets, event_readers, not_sent, usages,"
      " suppressions, suppression_removals, export_jobs, opens, open_counts, audit,"
      " domain_reports, report_lines, sts_policies, tls_counts, key_slots, delivery_outcomes,"
      " hourly_outcomes,"
      " lane_paces,"
      " rate_counts,"
      " rate_states, warm_up,"
      " probes, template_ids, templates, template_versions,"
      " steering,"
      " resends, people, sign_ins, sign_in_links, sign_in_rules, kept_texts");
  fill(60'000);
  database_.execute("ANALYZE");
  explain_all("large");
  EXPECT_THAT(scans, IsEmpty());
  EXPECT_THAT(statements, Gt(300));
}

TEST_F(PlanTest, EveryStatementHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Sql* sql = Sql::first; sql != nullptr; sql = sql->next) {
    EXPECT_TRUE(names.insert(sql->name).second) << sql->name;
  }
}

}  // namespace
}  // namespace todoku::store
