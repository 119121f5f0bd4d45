// SPDX-License-Identifier: Apache-2.0
// What is reported of domains (store/domain_reports.h). Who adds to a domain's holds the row of its
// claim: of two who bring the same report the second finds it there, and the lines of a day stay
// within their number.
#include "store/domain_reports.h"

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kReportsOfDomain{
    "domain reports: page",
    "SELECT account, domain, day, id, kind, organization, reported, policy, begins, ends, messages,"
    " received FROM domain_reports WHERE account = $1 AND domain = $2 AND (day, id) > ($3, $4)"
    " ORDER BY day, id LIMIT $5"};
const Sql kLinesOfDomain{
    "domain reports: lines",
    "SELECT day, words, messages, failed FROM report_lines WHERE account = $1 AND domain = $2"
    " AND (day, words) > ($3, $4) ORDER BY day, words LIMIT $5"};
const Sql kHoldClaim{"domain reports: hold",
                     "SELECT state FROM domains WHERE account = $1 AND domain = $2"
                     " FOR NO KEY UPDATE"};
const Sql kInsertReport{
    "domain reports: insert",
    "INSERT INTO domain_reports(account, domain, day, id, kind, organization, reported, policy,"
    " begins, ends, messages, received) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    " ON CONFLICT DO NOTHING"};
const Sql kCountReports{"domain reports: count",
                        "SELECT count(*) FROM domain_reports WHERE account = $1 AND domain = $2"
                        " AND day = $3"};
const Sql kLinesOfDay{"domain reports: lines of a day",
                      "SELECT words FROM report_lines WHERE account = $1 AND domain = $2"
                      " AND day = $3"};
const Sql kAddLines{
    "domain reports: add lines",
    "INSERT INTO report_lines AS l(account, domain, day, words, messages, failed)"
    " SELECT $1, $2, $3, u.words, u.messages, u.failed"
    " FROM unnest($4::bytea[], $5::bigint[], $6::bigint[]) u(words, messages, failed)"
    " ORDER BY u.words ON CONFLICT(account, domain, day, words) DO UPDATE SET"
    " messages = least(l.messages + excluded.messages, $7),"
    " failed = least(l.failed + excluded.failed, $7)"};
const Sql kDropLines{"domain reports: drop lines",
                     "DELETE FROM report_lines WHERE ctid = ANY(ARRAY(SELECT ctid FROM report_lines"
                     " WHERE day < $1 ORDER BY day LIMIT $2))"};
const Sql kDropReports{"domain reports: drop",
                       "DELETE FROM domain_reports WHERE ctid = ANY(ARRAY(SELECT ctid"
                       " FROM domain_reports WHERE day < $1 ORDER BY day LIMIT $2))"};

DomainReport report_in(const Table& rows, int row) {
  DomainReport report;
  report.account = AccountKey{rows.integer(row, 0)};
  report.domain = rows.text(row, 1);
  report.day = rows.integer(row, 2);
  report.id = rows.text(row, 3);
  report.kind = static_cast<ReportKind>(rows.integer(row, 4));
  report.organization = rows.text(row, 5);
  report.reported = rows.text(row, 6);
  report.policy = rows.text(row, 7);
  report.begin = rows.instant(row, 8);
  report.end = rows.instant(row, 9);
  report.messages = rows.integer(row, 10);
  report.received = rows.instant(row, 11);
  return report;
}

}  // namespace

Result<std::vector<DomainReport>> Questions::domain_reports(AccountKey account,
                                                            std::string_view domain,
                                                            const ReportPlace& after,
                                                            std::int64_t limit) {
  const auto rows = session_.ask(
      kReportsOfDomain, Params() << account << domain << after.day << Octets{after.after} << limit);
  if (!rows) return fail(rows.error());
  std::vector<DomainReport> reports;
  for (int row = 0; row < rows->size(); ++row) reports.push_back(report_in(*rows, row));
  return reports;
}

Result<std::vector<DatedLine>> Questions::report_lines(AccountKey account, std::string_view domain,
                                                       const ReportPlace& after,
                                                       std::int64_t limit) {
  const auto rows = session_.ask(
      kLinesOfDomain, Params() << account << domain << after.day << Octets{after.after} << limit);
  if (!rows) return fail(rows.error());
  std::vector<DatedLine> lines;
  for (int row = 0; row < rows->size(); ++row) {
    lines.push_back({.day = rows->integer(row, 0),
                     .line = {.words = std::string(rows->text(row, 1)),
                              .messages = rows->integer(row, 2),
                              .failed = rows->integer(row, 3)}});
  }
  return lines;
}

Result<void> Changes::hold_domain_reports(AccountKey account, std::string_view domain) {
  const auto claim = session_.ask(kHoldClaim, Params() << account << domain);
  if (!claim) return fail(claim.error());
  const bool proven =
      !claim->empty() && claim->integer(0, 0) == static_cast<std::int64_t>(DomainState::proven);
  if (proven) return {};
  return fail(ErrorKind::not_found, "the account has not proven this domain");
}

Result<bool> Changes::insert_report(const DomainReport& report) {
  const auto done = session_.ask(
      kInsertReport,
      Params() << report.account << std::string_view(report.domain) << report.day
               << Octets{report.id} << report.kind << std::string_view(report.organization)
               << std::string_view(report.reported) << std::string_view(report.policy)
               << report.begin << report.end << report.messages << session_.now());
  if (!done) return fail(done.error());
  if (done->changes() == 0) return false;
  const auto count = session_.ask(
      kCountReports, Params() << report.account << std::string_view(report.domain) << report.day);
  if (!count) return fail(count.error());
  if (count->integer(0, 0) > kReportsOfDayMax) return too_many_reports();
  return true;
}

Result<bool> Changes::add_domain_report(const DomainReport& report,
                                        std::span<const ReportLine> lines) {
  auto fit = check_sound(report, lines);
  if (fit) fit = hold_domain_reports(report.account, report.domain);
  if (!fit) return fail(std::move(fit.error()));
  const auto inserted = insert_report(report);
  if (!inserted || !*inserted) return inserted;
  const auto there = session_.ask(
      kLinesOfDay, Params() << report.account << std::string_view(report.domain) << report.day);
  if (!there) return fail(there.error());
  std::vector<std::string> known;
  for (int row = 0; row < there->size(); ++row) known.emplace_back(there->text(row, 0));
  Column words(kBytea);
  Column messages(kInt8);
  Column failed(kInt8);
  for (const ReportLine& line : within_lines_max(known, lines)) {
    words.add(Octets{line.words});
    messages.add(line.messages);
    failed.add(line.failed);
  }
  if (words.empty()) return true;
  const auto added = session_.ask(
      kAddLines, Params() << report.account << std::string_view(report.domain) << report.day
                          << words << messages << failed << kReportSumMax);
  if (!added) return fail(added.error());
  return true;
}

Result<bool> Changes::drop_domain_reports(std::int64_t day, std::int64_t rows) {
  const auto lines = session_.ask(kDropLines, Params() << day << rows);
  if (!lines) return fail(lines.error());
  const auto reports = session_.ask(kDropReports, Params() << day << rows);
  if (!reports) return fail(reports.error());
  return lines->changes() >= rows || reports->changes() >= rows;
}

}  // namespace todoku::store::postgres
