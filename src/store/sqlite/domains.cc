// SPDX-License-Identifier: Apache-2.0
// Claims of domains (store/domains.h) and counts of mail (store/mail_counts.h).
#include <fmt/format.h>

#include "store/domain_rows.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Domain domain_in(const Query& row) {
  Domain domain;
  domain.account = AccountKey{row.integer(0)};
  domain.domain = row.text(1);
  domain.token = row.text(2);
  domain.state = static_cast<DomainState>(row.integer(3));
  domain.vouched = row.flag(4);
  domain.consents = unpack_consents(row.text(5));
  domain.created = row.instant(6);
  domain.proven = row.optional_instant(7);
  domain.answered = row.optional_instant(8);
  domain.failing = row.optional_instant(9);
  domain.failed_for = Milliseconds(row.integer(10));
  domain.look_at = row.optional_instant(11);
  return domain;
}

Result<std::vector<Domain>> domains_in(Query& query) {
  std::vector<Domain> domains;
  while (query.next()) domains.push_back(domain_in(query));
  if (query.failed()) return fail(query.error());
  return domains;
}

std::unexpected<Error> no_such_domain(std::string_view domain) {
  return fail(ErrorKind::not_found, fmt::format("the account has no domain {}", domain));
}

}  // namespace

Result<std::vector<Domain>> Queries::domains(const DomainPlace& after, std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain, token, state, vouched, consents, created, proven, answered, failing,"
      " failed_for, look_at FROM domains WHERE (account, domain) > (?, ?)"
      " ORDER BY account, domain LIMIT ?");
  query.bind(after.account, std::string_view(after.domain), limit);
  return domains_in(query);
}

Result<std::vector<Domain>> Queries::proven_domains(const DomainPlace& after, std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain, token, state, vouched, consents, created, proven, answered, failing,"
      " failed_for, look_at FROM domains INDEXED BY domains_proven WHERE state = 1"
      " AND (account, domain) > (?, ?) ORDER BY account, domain LIMIT ?");
  query.bind(after.account, std::string_view(after.domain), limit);
  return domains_in(query);
}

Result<Domain> Queries::domain(AccountKey account, std::string_view domain) {
  auto query = db_.query(
      "SELECT account, domain, token, state, vouched, consents, created, proven, answered, failing,"
      " failed_for, look_at FROM domains WHERE account = ? AND domain = ?");
  query.bind(account, domain);
  if (query.next()) return domain_in(query);
  if (query.failed()) return fail(query.error());
  return no_such_domain(domain);
}

Result<std::vector<Domain>> Queries::holders(std::span<const std::string> domains) {
  std::vector<Domain> held;
  for (const std::string& name : domains) {
    auto query = db_.query(
        "SELECT account, domain, token, state, vouched, consents, created, proven, answered,"
        " failing, failed_for, look_at FROM domains WHERE domain = ? AND state = 1");
    query.bind(std::string_view(name));
    while (query.next()) held.push_back(domain_in(query));
    if (query.failed()) return fail(query.error());
  }
  return held;
}

Result<std::vector<Domain>> Queries::domains_to_look_at(std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain, token, state, vouched, consents, created, proven, answered, failing,"
      " failed_for, look_at FROM domains WHERE look_at <= ? ORDER BY look_at LIMIT ?");
  query.bind(now_, limit);
  return domains_in(query);
}

Result<std::vector<DomainPlace>> Queries::domains_to_check(std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain FROM domains INDEXED BY domains_check WHERE state = 1"
      " AND coalesce(check_at, 0) <= ? ORDER BY coalesce(check_at, 0) LIMIT ?");
  query.bind(now_, limit);
  std::vector<DomainPlace> due;
  while (query.next()) {
    due.push_back({AccountKey{query.integer(0)}, std::string(query.text(1))});
  }
  if (query.failed()) return fail(query.error());
  return due;
}

Result<DomainCheck> Queries::domain_check(AccountKey account, std::string_view domain) {
  auto query =
      db_.query("SELECT check_at, check_found FROM domains WHERE account = ? AND domain = ?");
  query.bind(account, domain);
  if (query.next()) {
    return DomainCheck{.next = query.optional_instant(0), .found = std::string(query.blob(1))};
  }
  if (query.failed()) return fail(query.error());
  return no_such_domain(domain);
}

Result<std::vector<MailCount>> Queries::mail_counts(std::span<const AccountKey> accounts,
                                                    DayNumber first) {
  std::vector<MailCount> counts;
  for (const AccountKey account : accounts) {
    auto query = db_.query("SELECT day, mails FROM mail_counts WHERE account = ? AND day >= ?");
    query.bind(account, first);
    while (query.next()) counts.push_back({account, query.integer(0), query.integer(1)});
    if (query.failed()) return fail(query.error());
  }
  return counts;
}

Result<Domain> SqliteWriteTransaction::add_domain(const Domain& domain) {
  const auto owner = queries_.account(domain.account);
  if (!owner) return fail(owner.error());
  Domain made = domain;
  made.created = now_;
  const std::string consents = pack_consents(made.consents);
  auto done =
      db_.query(
             "INSERT INTO domains(account, domain, token, state, vouched, consents, created,"
             " proven, answered, failing, failed_for, look_at)"
             " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
          .bind(made.account, std::string_view(made.domain), std::string_view(made.token),
                made.state, made.vouched, std::string_view(consents), made.created, made.proven,
                made.answered, made.failing, made.failed_for.count(), made.look_at)
          .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) {
    return fail(ErrorKind::conflict,
                fmt::format("the account has the domain {} already", made.domain));
  }
  if (auto told = changed(Topic::domains); !told) return fail(std::move(told.error()));
  return made;
}

Result<void> SqliteWriteTransaction::change_domain(const Domain& domain) {
  const std::string consents = pack_consents(domain.consents);
  auto done =
      db_.query(
             "UPDATE domains SET state = ?, vouched = ?, consents = ?, proven = ?, answered = ?,"
             " failing = ?, failed_for = ?, look_at = ? WHERE account = ? AND domain = ?")
          .bind(domain.state, domain.vouched, std::string_view(consents), domain.proven,
                domain.answered, domain.failing, domain.failed_for.count(), domain.look_at,
                domain.account, std::string_view(domain.domain))
          .run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_domain(domain.domain);
  return changed(Topic::domains);
}

Result<void> SqliteWriteTransaction::note_look(const Domain& domain) {
  auto done = db_.query(
                     "UPDATE domains SET answered = ?, failing = ?, failed_for = ?, look_at = ?"
                     " WHERE account = ? AND domain = ?")
                  .bind(domain.answered, domain.failing, domain.failed_for.count(), domain.look_at,
                        domain.account, std::string_view(domain.domain))
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_domain(domain.domain);
  return {};
}

Result<bool> SqliteWriteTransaction::take_domain_check(AccountKey account, std::string_view domain,
                                                       Instant until) {
  auto done = db_.query(
                     "UPDATE domains SET check_at = ? WHERE account = ? AND domain = ?"
                     " AND state = 1 AND coalesce(check_at, 0) <= ?")
                  .bind(until, account, domain, now_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

Result<void> SqliteWriteTransaction::keep_domain_check(AccountKey account, std::string_view domain,
                                                       const DomainCheck& check) {
  if (auto sound = check_sound(check); !sound) return sound;
  auto done = db_.query(
                     "UPDATE domains SET check_at = ?, check_found = ? WHERE account = ?"
                     " AND domain = ?")
                  .bind(check.next, Blob{check.found}, account, domain)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_domain(domain);
  return {};
}

void SqliteWriteTransaction::tell_of_domain_check(EventKind kind, AccountKey account,
                                                  std::string_view domain,
                                                  std::string_view because) {
  events_.add(account, event_of_credential(kind, domain, because, now_));
}

Result<void> SqliteWriteTransaction::remove_domain(AccountKey account, std::string_view domain) {
  auto done =
      db_.query("DELETE FROM domains WHERE account = ? AND domain = ?").bind(account, domain).run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_domain(domain);
  return changed(Topic::domains);
}

// There is one writer.
Result<void> SqliteWriteTransaction::hold_domains() {
  return changed(Topic::domains);
}

Result<void> SqliteWriteTransaction::count_mails(NodeKey node, std::span<const MailCount> counts) {
  for (const MailCount& count : counts) {
    auto done = db_.query(
                       "INSERT INTO mail_counts(account, day, node, mails) VALUES(?, ?, ?, ?)"
                       " ON CONFLICT(account, day, node) DO UPDATE SET mails = mails + ?4")
                    .bind(count.account, count.day, node, count.mails)
                    .run();
    if (!done) return done;
  }
  return {};
}

Result<bool> SqliteWriteTransaction::tell_of_limit(const LimitNotice& notice) {
  const std::int64_t mark = mark_of(notice);
  auto done =
      notice.span == LimitSpan::day
          ? db_.query("UPDATE accounts SET told_of_day = ?2 WHERE key = ?1 AND told_of_day < ?2")
                .bind(notice.account, mark)
                .run()
          : db_.query(
                   "UPDATE accounts SET told_of_month = ?2"
                   " WHERE key = ?1 AND told_of_month < ?2")
                .bind(notice.account, mark)
                .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return false;
  events_.add(notice.account,
              event_of_credential(notice.reached ? EventKind::limit_reached : EventKind::limit_near,
                                  notice.name, notice.because, now_));
  return true;
}

Result<bool> SqliteWriteTransaction::drop_mail_counts(DayNumber before, std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM mail_counts WHERE (account, day, node) IN (SELECT account, day,"
                     " node FROM mail_counts WHERE day < ? LIMIT ?)")
                  .bind(before, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() < rows;
}

}  // namespace todoku::store::sqlite
