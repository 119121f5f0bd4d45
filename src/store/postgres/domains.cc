// SPDX-License-Identifier: Apache-2.0
// Claims of domains (store/domains.h) and counts of mail (store/mail_counts.h).
#include <fmt/format.h>

#include "store/domain_rows.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define DOMAIN_COLUMNS                                                                    \
  "account, domain, token, state, vouched, consents, created, proven, answered, failing," \
  " failed_for, look_at"

const Sql kDomains{"domains: page", "SELECT " DOMAIN_COLUMNS
                                    " FROM domains WHERE (account, domain) > ($1, $2)"
                                    " ORDER BY account, domain LIMIT $3"};
const Sql kProvenDomains{"domains: proven", "SELECT " DOMAIN_COLUMNS
                                            " FROM domains WHERE state = 1"
                                            " AND (account, domain) > ($1, $2)"
                                            " ORDER BY account, domain LIMIT $3"};
const Sql kDomain{"domains: one",
                  "SELECT " DOMAIN_COLUMNS " FROM domains WHERE account = $1 AND domain = $2"};
const Sql kDomainHolders{"domains: holders", "SELECT " DOMAIN_COLUMNS
                                             " FROM domains WHERE domain = ANY($1) AND state = 1"};
const Sql kToLookAt{"domains: to look at", "SELECT " DOMAIN_COLUMNS
                                           " FROM domains WHERE look_at <= $1"
                                           " ORDER BY look_at LIMIT $2"};
const Sql kToCheck{"domains: to check",
                   "SELECT account, domain FROM domains WHERE state = 1"
                   " AND coalesce(check_at, 0) <= $1 ORDER BY coalesce(check_at, 0) LIMIT $2"};
const Sql kDomainCheck{"domains: check",
                       "SELECT check_at, check_found FROM domains WHERE account = $1"
                       " AND domain = $2"};
const Sql kTakeCheck{"domains: take check",
                     "UPDATE domains SET check_at = $3 WHERE account = $1 AND domain = $2"
                     " AND state = 1 AND coalesce(check_at, 0) <= $4"};
const Sql kKeepCheck{"domains: keep check",
                     "UPDATE domains SET check_at = $3, check_found = $4 WHERE account = $1"
                     " AND domain = $2"};
const Sql kHoldOwner{"domains: hold owner",
                     "SELECT key FROM accounts WHERE key = $1 FOR KEY SHARE"};
const Sql kAddDomain{"domains: add", "INSERT INTO domains(" DOMAIN_COLUMNS
                                     ")"
                                     " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                                     " ON CONFLICT DO NOTHING"};
const Sql kChangeDomain{"domains: change",
                        "UPDATE domains SET state = $3, vouched = $4, consents = $5, proven = $6,"
                        " answered = $7, failing = $8, failed_for = $9, look_at = $10"
                        " WHERE account = $1 AND domain = $2"};
const Sql kNoteLook{"domains: note look",
                    "UPDATE domains SET answered = $3, failing = $4, failed_for = $5, look_at = $6"
                    " WHERE account = $1 AND domain = $2"};
const Sql kRemoveDomain{"domains: remove",
                        "DELETE FROM domains WHERE account = $1 AND domain = $2"};

const Sql kMailCounts{"mail counts: of accounts",
                      "SELECT account, day, sum(mails)::bigint FROM mail_counts"
                      " WHERE account = ANY($1) AND day >= $2 GROUP BY account, day"};
const Sql kCountMails{"mail counts: add",
                      "INSERT INTO mail_counts(account, day, node, mails)"
                      " SELECT u.account, u.day, $1, u.mails"
                      " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[])"
                      " u(account, day, mails) ON CONFLICT(account, day, node)"
                      " DO UPDATE SET mails = mail_counts.mails + excluded.mails"};
const Sql kToldOfDay{"limits: told of a day",
                     "UPDATE accounts SET told_of_day = $2 WHERE key = $1 AND told_of_day < $2"};
const Sql kToldOfMonth{
    "limits: told of a month",
    "UPDATE accounts SET told_of_month = $2 WHERE key = $1 AND told_of_month < $2"};
const Sql kDropCounts{"mail counts: drop",
                      "DELETE FROM mail_counts WHERE ctid = ANY(ARRAY(SELECT ctid FROM mail_counts"
                      " WHERE day < $1 ORDER BY day LIMIT $2))"};

Domain domain_in(const Table& rows, int row) {
  Domain domain;
  domain.account = AccountKey{rows.integer(row, 0)};
  domain.domain = rows.text(row, 1);
  domain.token = rows.text(row, 2);
  domain.state = static_cast<DomainState>(rows.integer(row, 3));
  domain.vouched = rows.flag(row, 4);
  domain.consents = unpack_consents(rows.text(row, 5));
  domain.created = rows.instant(row, 6);
  domain.proven = rows.optional_instant(row, 7);
  domain.answered = rows.optional_instant(row, 8);
  domain.failing = rows.optional_instant(row, 9);
  domain.failed_for = Milliseconds(rows.integer(row, 10));
  domain.look_at = rows.optional_instant(row, 11);
  return domain;
}

Result<std::vector<Domain>> domains_in(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  std::vector<Domain> domains;
  for (int i = 0; i < rows->size(); ++i) domains.push_back(domain_in(*rows, i));
  return domains;
}

std::unexpected<Error> no_such_domain(std::string_view domain) {
  return fail(ErrorKind::not_found, fmt::format("the account has no domain {}", domain));
}

Result<void> done_or_none(const Result<Table>& done, std::string_view domain) {
  if (!done) return fail(done.error());
  if (done->changes() == 0) return no_such_domain(domain);
  return {};
}

}  // namespace

Result<std::vector<Domain>> Questions::domains(const DomainPlace& after, std::int64_t limit) {
  return domains_in(
      session_.ask(kDomains, Params() << after.account << std::string_view(after.domain) << limit));
}

Result<std::vector<Domain>> Questions::proven_domains(const DomainPlace& after,
                                                      std::int64_t limit) {
  return domains_in(session_.ask(
      kProvenDomains, Params() << after.account << std::string_view(after.domain) << limit));
}

Result<Domain> Questions::domain(AccountKey account, std::string_view domain) {
  auto found = domains_in(session_.ask(kDomain, Params() << account << domain));
  if (!found) return fail(std::move(found.error()));
  if (found->empty()) return no_such_domain(domain);
  return std::move(found->front());
}

Result<std::vector<Domain>> Questions::holders(std::span<const std::string> domains) {
  Column names(kText);
  for (const std::string& name : domains) names.add(std::string_view(name));
  return domains_in(session_.ask(kDomainHolders, Params() << names));
}

Result<std::vector<Domain>> Questions::domains_to_look_at(std::int64_t limit) {
  return domains_in(session_.ask(kToLookAt, Params() << session_.now() << limit));
}

Result<std::vector<DomainPlace>> Questions::domains_to_check(std::int64_t limit) {
  const auto rows = session_.ask(kToCheck, Params() << session_.now() << limit);
  if (!rows) return fail(rows.error());
  std::vector<DomainPlace> due;
  for (int i = 0; i < rows->size(); ++i) {
    due.push_back({AccountKey{rows->integer(i, 0)}, std::string(rows->text(i, 1))});
  }
  return due;
}

Result<DomainCheck> Questions::domain_check(AccountKey account, std::string_view domain) {
  const auto rows = session_.ask(kDomainCheck, Params() << account << domain);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return no_such_domain(domain);
  return DomainCheck{.next = rows->optional_instant(0, 0), .found = std::string(rows->text(0, 1))};
}

Result<std::vector<MailCount>> Questions::mail_counts(std::span<const AccountKey> accounts,
                                                      DayNumber first) {
  Column keys(kInt8);
  for (const AccountKey account : accounts) keys.add(account);
  const auto rows = session_.ask(kMailCounts, Params() << keys << first);
  if (!rows) return fail(rows.error());
  std::vector<MailCount> counts;
  for (int i = 0; i < rows->size(); ++i) {
    counts.push_back({AccountKey{rows->integer(i, 0)}, rows->integer(i, 1), rows->integer(i, 2)});
  }
  return counts;
}

Result<Domain> Changes::add_domain(const Domain& domain) {
  const auto owner = session_.ask(kHoldOwner, Params() << domain.account);
  if (!owner) return fail(owner.error());
  if (owner->empty()) return fail(ErrorKind::not_found, "there is no such account");
  Domain made = domain;
  made.created = session_.now();
  const std::string consents = pack_consents(made.consents);
  const auto added = session_.ask(
      kAddDomain, Params() << made.account << std::string_view(made.domain)
                           << std::string_view(made.token) << made.state << made.vouched
                           << std::string_view(consents) << made.created << made.proven
                           << made.answered << made.failing << made.failed_for << made.look_at);
  if (!added) return fail(added.error());
  if (added->changes() == 0) {
    return fail(ErrorKind::conflict,
                fmt::format("the account has the domain {} already", made.domain));
  }
  if (auto told = changed(Topic::domains); !told) return fail(std::move(told.error()));
  return made;
}

Result<void> Changes::change_domain(const Domain& domain) {
  const std::string consents = pack_consents(domain.consents);
  auto done = done_or_none(
      session_.ask(kChangeDomain, Params() << domain.account << std::string_view(domain.domain)
                                           << domain.state << domain.vouched
                                           << std::string_view(consents) << domain.proven
                                           << domain.answered << domain.failing << domain.failed_for
                                           << domain.look_at),
      domain.domain);
  return done ? changed(Topic::domains) : done;
}

Result<void> Changes::note_look(const Domain& domain) {
  return done_or_none(
      session_.ask(kNoteLook, Params() << domain.account << std::string_view(domain.domain)
                                       << domain.answered << domain.failing << domain.failed_for
                                       << domain.look_at),
      domain.domain);
}

Result<bool> Changes::take_domain_check(AccountKey account, std::string_view domain,
                                        Instant until) {
  const auto done =
      session_.ask(kTakeCheck, Params() << account << domain << until << session_.now());
  if (!done) return fail(done.error());
  return done->changes() > 0;
}

Result<void> Changes::keep_domain_check(AccountKey account, std::string_view domain,
                                        const DomainCheck& check) {
  if (auto sound = check_sound(check); !sound) return sound;
  return done_or_none(
      session_.ask(kKeepCheck, Params() << account << domain << check.next << Octets{check.found}),
      domain);
}

void Changes::tell_of_domain_check(EventKind kind, AccountKey account, std::string_view domain,
                                   std::string_view because) {
  events_.add(account, event_of_credential(kind, domain, because, session_.now()));
}

Result<void> Changes::remove_domain(AccountKey account, std::string_view domain) {
  auto done = done_or_none(session_.ask(kRemoveDomain, Params() << account << domain), domain);
  return done ? changed(Topic::domains) : done;
}

// The row of the topic: what is asked once it is ours is asked after whoever had it committed.
Result<void> Changes::hold_domains() {
  return changed(Topic::domains);
}

Result<void> Changes::count_mails(NodeKey node, std::span<const MailCount> counts) {
  Column accounts(kInt8);
  Column days(kInt8);
  Column mails(kInt8);
  for (const MailCount& count : counts) {
    accounts.add(count.account);
    days.add(count.day);
    mails.add(count.mails);
  }
  const auto done = session_.ask(kCountMails, Params() << node << accounts << days << mails);
  if (!done) return fail(done.error());
  return {};
}

Result<bool> Changes::tell_of_limit(const LimitNotice& notice) {
  const auto done = session_.ask(notice.span == LimitSpan::day ? kToldOfDay : kToldOfMonth,
                                 Params() << notice.account << mark_of(notice));
  if (!done) return fail(done.error());
  if (done->changes() == 0) return false;
  events_.add(notice.account,
              event_of_credential(notice.reached ? EventKind::limit_reached : EventKind::limit_near,
                                  notice.name, notice.because, session_.now()));
  return true;
}

Result<bool> Changes::drop_mail_counts(DayNumber before, std::int64_t rows) {
  const auto done = session_.ask(kDropCounts, Params() << before << rows);
  if (!done) return fail(done.error());
  return done->changes() < rows;
}

}  // namespace todoku::store::postgres
