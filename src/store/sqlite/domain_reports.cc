// SPDX-License-Identifier: Apache-2.0
// What is reported of domains (store/domain_reports.h).
#include "store/domain_reports.h"

#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

DomainReport report_in(const Query& row) {
  DomainReport report;
  report.account = AccountKey{row.integer(0)};
  report.domain = row.text(1);
  report.day = row.integer(2);
  report.id = row.blob(3);
  report.kind = static_cast<ReportKind>(row.integer(4));
  report.organization = row.text(5);
  report.reported = row.text(6);
  report.policy = row.text(7);
  report.begin = row.instant(8);
  report.end = row.instant(9);
  report.messages = row.integer(10);
  report.received = row.instant(11);
  return report;
}

}  // namespace

Result<std::vector<DomainReport>> Queries::domain_reports(AccountKey account,
                                                          std::string_view domain,
                                                          const ReportPlace& after,
                                                          std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain, day, id, kind, organization, reported, policy, begins, ends,"
      " messages, received FROM domain_reports WHERE account = ? AND domain = ?"
      " AND (day, id) > (?, ?) ORDER BY day, id LIMIT ?");
  query.bind(account, domain, after.day, Blob{after.after}, limit);
  std::vector<DomainReport> reports;
  while (query.next()) reports.push_back(report_in(query));
  if (query.failed()) return fail(query.error());
  return reports;
}

Result<std::vector<DatedLine>> Queries::report_lines(AccountKey account, std::string_view domain,
                                                     const ReportPlace& after, std::int64_t limit) {
  auto query = db_.query(
      "SELECT day, words, messages, failed FROM report_lines WHERE account = ? AND domain = ?"
      " AND (day, words) > (?, ?) ORDER BY day, words LIMIT ?");
  query.bind(account, domain, after.day, Blob{after.after}, limit);
  std::vector<DatedLine> lines;
  while (query.next()) {
    lines.push_back({.day = query.integer(0),
                     .line = {.words = std::string(query.blob(1)),
                              .messages = query.integer(2),
                              .failed = query.integer(3)}});
  }
  if (query.failed()) return fail(query.error());
  return lines;
}

// There is one writer.
Result<void> SqliteWriteTransaction::hold_domain_reports(AccountKey account,
                                                         std::string_view domain) {
  const auto claim = queries_.domain(account, domain);
  if (!claim) return fail(claim.error());
  if (claim->state == DomainState::proven) return {};
  return fail(ErrorKind::not_found, "the account has not proven this domain");
}

Result<bool> SqliteWriteTransaction::insert_report(const DomainReport& report) {
  auto done =
      db_.query(
             "INSERT INTO domain_reports(account, domain, day, id, kind, organization, reported,"
             " policy, begins, ends, messages, received) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
             " ON CONFLICT DO NOTHING")
          .bind(report.account, std::string_view(report.domain), report.day, Blob{report.id},
                report.kind, std::string_view(report.organization),
                std::string_view(report.reported), std::string_view(report.policy), report.begin,
                report.end, report.messages, now_)
          .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return false;
  auto count =
      db_.query("SELECT count(*) FROM domain_reports WHERE account = ? AND domain = ? AND day = ?");
  count.bind(report.account, std::string_view(report.domain), report.day);
  if (!count.next()) return fail(count.error());
  if (count.integer(0) > kReportsOfDayMax) return too_many_reports();
  return true;
}

Result<bool> SqliteWriteTransaction::add_domain_report(const DomainReport& report,
                                                       std::span<const ReportLine> lines) {
  auto fit = check_sound(report, lines);
  if (fit) fit = hold_domain_reports(report.account, report.domain);
  if (!fit) return fail(std::move(fit.error()));
  const auto inserted = insert_report(report);
  if (!inserted || !*inserted) return inserted;
  std::vector<std::string> known;
  auto there =
      db_.query("SELECT words FROM report_lines WHERE account = ? AND domain = ? AND day = ?");
  there.bind(report.account, std::string_view(report.domain), report.day);
  while (there.next()) known.emplace_back(there.blob(0));
  if (there.failed()) return fail(there.error());
  for (const ReportLine& line : within_lines_max(known, lines)) {
    auto done = db_.query(
                       "INSERT INTO report_lines(account, domain, day, words, messages, failed)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
                       " messages = min(messages + ?5, ?7), failed = min(failed + ?6, ?7)")
                    .bind(report.account, std::string_view(report.domain), report.day,
                          Blob{line.words}, line.messages, line.failed, kReportSumMax)
                    .run();
    if (!done) return fail(std::move(done.error()));
  }
  return true;
}

Result<bool> SqliteWriteTransaction::drop_domain_reports(std::int64_t day, std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM report_lines WHERE (account, domain, day, words) IN"
                     " (SELECT account, domain, day, words FROM report_lines WHERE day < ?"
                     " LIMIT ?)")
                  .bind(day, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  bool more = db_.changes() >= rows;
  done = db_.query(
                "DELETE FROM domain_reports WHERE (account, domain, day, id) IN"
                " (SELECT account, domain, day, id FROM domain_reports WHERE day < ? LIMIT ?)")
             .bind(day, rows)
             .run();
  if (!done) return fail(std::move(done.error()));
  more = more || db_.changes() >= rows;
  return more;
}

}  // namespace todoku::store::sqlite
