// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/fitness.h"

#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/log.h"
#include "store/postgres/schema.h"

namespace todoku::store::postgres {
namespace {

constexpr std::int64_t kOldest = 15;
constexpr std::int64_t kOfVersion = 10'000;  // server_version_num of 15.4 is 150004
constexpr Milliseconds kFitnessMost = std::chrono::seconds(10);

const Sql kFacts{"fitness: database",
                 "SELECT current_setting('server_version_num')::bigint,"
                 " current_setting('server_encoding'), current_database()::text,"
                 " current_user::text, (current_schema() IS NOT NULL)::int::bigint"};
const Sql kDurability{"fitness: durability",
                      "SELECT current_setting('synchronous_commit'), current_setting('fsync'),"
                      " current_setting('full_page_writes')"};
const Sql kRights{
    "fitness: rights",
    "SELECT coalesce(string_agg(c.relname::text, ', ' ORDER BY c.relname), ''),"
    " current_user::text, coalesce(current_schema()::text, '') FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname = ANY($1)"
    " AND to_regclass('todoku_schema') IS NOT NULL"  // else it is not ours to judge
    " AND NOT (has_table_privilege(c.oid, 'SELECT') AND (c.relname = 'todoku_schema' OR"
    " (has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')"
    " AND has_table_privilege(c.oid, 'DELETE'))))"};
const Sql kMayMake{"fitness: may make tables",
                   "SELECT has_schema_privilege(current_schema(), 'CREATE')::int::bigint,"
                   " current_user::text, current_schema()::text"};

const Sql kCarrying{"fitness: unfinished", "SELECT name FROM meta WHERE name = 'carrying'"};

// What the schema makes.
constexpr std::array<std::string_view, 72> kTables{"accounts",
                                                   "api_keys",
                                                   "approvals",
                                                   "attachments",
                                                   "audit",
                                                   "batches",
                                                   "bells",
                                                   "changes",
                                                   "contents",
                                                   "deliveries",
                                                   "delivery_outcomes",
                                                   "dkim_keys",
                                                   "domain_counts",
                                                   "domain_reports",
                                                   "domains",
                                                   "event_readers",
                                                   "event_sheets",
                                                   "export_jobs",
                                                   "flights",
                                                   "hourly_outcomes",
                                                   "import_jobs",
                                                   "kept_answers",
                                                   "kept_texts",
                                                   "key_slots",
                                                   "lane_paces",
                                                   "leadership",
                                                   "mail_counts",
                                                   "meta",
                                                   "news",
                                                   "node_leases",
                                                   "nodes",
                                                   "not_sent",
                                                   "numbers",
                                                   "on_its_way",
                                                   "open_counts",
                                                   "opens",
                                                   "people",
                                                   "probes",
                                                   "progress",
                                                   "rate_counts",
                                                   "rate_states",
                                                   "recipient_marks",
                                                   "recipients",
                                                   "relayed",
                                                   "relayed_pieces",
                                                   "report_lines",
                                                   "resends",
                                                   "sections",
                                                   "settings",
                                                   "sign_in_links",
                                                   "sign_in_rules",
                                                   "sign_ins",
                                                   "smtp_credentials",
                                                   "smtp_habits",
                                                   "source_owners",
                                                   "steering",
                                                   "sts_policies",
                                                   "suppression_removals",
                                                   "suppressions",
                                                   "suspects",
                                                   "template_ids",
                                                   "template_versions",
                                                   "templates",
                                                   "tls_counts",
                                                   "todoku_schema",
                                                   "upload_pieces",
                                                   "uploads",
                                                   "usages",
                                                   "warm_up",
                                                   "webhook_calls",
                                                   "webhook_set_aside",
                                                   "webhooks"};

Column our_tables() {
  Column tables(kText);
  for (const std::string_view table : kTables) tables.add(table);
  return tables;
}

// The first eight digits of the name of the file that is being written.
const Sql kTimeline{"fitness: timeline",
                    "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"};

constexpr std::string_view kNotKept =
    "synchronous_commit is off in the database, so that what was accepted could be lost: set it to "
    "on (ALTER DATABASE ... SET synchronous_commit = on, or ALTER ROLE, or postgresql.conf)";

}  // namespace

const Sql kNewConnection{"fitness: new connection",
                         "SELECT current_setting('synchronous_commit'),"
                         " current_setting('transaction_read_only')"};

Result<void> check_new(const Table& said, bool must_keep) {
  if (said.text(0, 1) == "on") {
    return fail(ErrorKind::unavailable, "the database is read-only");
  }
  if (must_keep && said.text(0, 0) == "off") {
    return fail(ErrorKind::unavailable, std::string(kNotKept));
  }
  return {};
}

Result<std::int64_t> ask_timeline(Link& link, Milliseconds most) {
  const auto told = link.fly_one(kTimeline, {}, most);
  if (!told && !link.usable()) return fail(told.error());
  if (!told) return 0;
  const std::string_view digits = told->text(0, 0);
  std::int64_t timeline = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), timeline, 16);
  return read.ec == std::errc() ? timeline : 0;
}

Result<void> check_database(Link& link) {
  const auto facts = link.fly_one(kFacts, {}, kFitnessMost);
  if (!facts) return fail(facts.error());
  const std::int64_t version = facts->integer(0, 0) / kOfVersion;
  const std::string_view database = facts->text(0, 2);
  if (version < kOldest) {
    return fail(ErrorKind::unsupported,
                fmt::format("the server of the database {} is PostgreSQL {}, but must be {} or "
                            "later",
                            database, version, kOldest));
  }
  if (facts->text(0, 1) != "UTF8") {
    return fail(ErrorKind::unsupported,
                fmt::format("the encoding of the database {} is {}, but must be UTF8: make one "
                            "with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
                            database, facts->text(0, 1)));
  }
  if (facts->flag(0, 4)) return {};
  return fail(ErrorKind::unauthorized,
              fmt::format("the user {0} has no schema in the database {1}: GRANT USAGE ON SCHEMA "
                          "public TO {0}, or set its search_path",
                          facts->text(0, 3), database));
}

Result<void> check_rights(Link& link) {
  const auto rights = link.fly_one(kRights, Params() << our_tables(), kFitnessMost);
  if (!rights) return fail(rights.error());
  if (rights->text(0, 0).empty()) return {};
  return fail(ErrorKind::unauthorized,
              fmt::format("the user {0} may not read and write the tables {1}: GRANT SELECT, "
                          "INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {2} TO {0}",
                          rights->text(0, 1), rights->text(0, 0), rights->text(0, 2)));
}

Result<void> check_right_to_migrate(Link& link) {
  const auto may = link.fly_one(kMayMake, {}, kFitnessMost);
  if (!may) return fail(may.error());
  if (may->flag(0, 0)) return {};
  return fail(ErrorKind::unauthorized,
              fmt::format("the user {0} may not make tables: GRANT CREATE ON SCHEMA {1} TO {0}, or "
                          "migrate as the owner of the database (store.postgres.address)",
                          may->text(0, 1), may->text(0, 2)));
}

Result<void> check_durability(Link& link) {
  const auto kept = link.fly_one(kDurability, {}, kFitnessMost);
  if (!kept) return fail(kept.error());
  if (kept->text(0, 0) == "off") {
    return fail(ErrorKind::unsupported, std::string(kNotKept));
  }
  if (kept->text(0, 1) == "off" || kept->text(0, 2) == "off") {
    log::warning("the database loses what was accepted if its machine stops",
                 {{"fsync", kept->text(0, 1)}, {"full_page_writes", kept->text(0, 2)}});
  }
  return {};
}

Result<void> check_whole(Link& link) {
  const auto mark = link.fly_one(kCarrying, {}, kFitnessMost);
  if (!mark) return fail(mark.error());
  if (mark->empty()) return {};
  return fail(ErrorKind::unsupported,
              "a store was being carried into this database, and that is unfinished: run `todoku "
              "migrate --from sqlite:...` again");
}

Result<void> check_fit(Link& link, bool must_keep) {
  auto fit = check_database(link);
  if (fit) fit = check_rights(link);
  if (fit) fit = check_schema(link);
  if (fit) fit = check_whole(link);
  if (fit && must_keep) fit = check_durability(link);
  return fit;
}

}  // namespace todoku::store::postgres
