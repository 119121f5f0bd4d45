// SPDX-License-Identifier: Apache-2.0
// Questions of the scheduler about deliveries, and figures of what waits. None of them reads
// recipients, and none grows with their number.
#include <algorithm>
#include <utility>

#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/steering_row.h"

namespace todoku::store::sqlite {

Result<std::vector<StartingDelivery>> Queries::deliveries_to_start(std::int64_t limit) {
  std::vector<StartingDelivery> starting;
  auto query = db_.query(
      "SELECT d.key, d.account, d.id, type, traffic, status, at_most_once, d.created, updated,"
      " reservation, started, expires, finished, signing, failure_reason, total, delivered,"
      " bounced, dropped, expired, cancelled, unknown, deferred, purpose, list_id, tags, course,"
      " from_address, from_name, subject, coalesce(p.state = 1, 0)"
      " FROM deliveries d JOIN accounts a ON a.key = d.account"
      " LEFT JOIN contents c ON c.delivery = d.key"
      " LEFT JOIN approvals p ON p.delivery = d.key"
      " WHERE agenda IS NOT NULL AND agenda <= ? AND a.suspended = 0"
      " ORDER BY agenda, d.key LIMIT ?");
  query.bind(wall_, limit);
  while (query.next()) {
    StartingDelivery& next = starting.emplace_back();
    next.delivery = delivery_in(query);
    next.delivery.content.from = {std::string(query.text(27)), std::string(query.text(28))};
    next.delivery.content.subject = query.text(29);
    next.lapsed = query.flag(30);
    if (next.delivery.reservation) next.late = wall_ - *next.delivery.reservation;
  }
  if (query.failed()) return fail(query.error());
  return starting;
}

Result<std::optional<Milliseconds>> Queries::next_reservation() {
  auto query = db_.query(
      "SELECT agenda FROM deliveries WHERE agenda IS NOT NULL AND agenda > ?"
      " ORDER BY agenda LIMIT 1");
  query.bind(wall_);
  if (query.next()) return query.instant(0) - wall_;
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<ReservedWork> Queries::reserved_work() {
  ReservedWork work;
  auto query = db_.query(
      "SELECT count(*), coalesce(sum(total), 0), min(agenda) FROM (SELECT total, agenda"
      " FROM deliveries WHERE agenda IS NOT NULL AND agenda > ? ORDER BY agenda LIMIT ?)");
  query.bind(wall_, kReservedLookedAt);
  if (query.next()) {
    work.deliveries = query.integer(0);
    work.recipients = query.integer(1);
    work.first = query.optional_instant(2);
    work.more = work.deliveries == kReservedLookedAt;
  }
  if (query.failed()) return fail(query.error());
  return work;
}

Result<std::vector<SendingDelivery>> Queries::sending_bulk() {
  std::vector<SendingDelivery> sending;
  auto query = db_.query(
      "SELECT d.key, d.account, a.weight, d.expires, t.mails, t.minutes, t.used_to, t.goes_from,"
      " t.goes_until FROM deliveries d JOIN accounts a ON a.key = d.account"
      " LEFT JOIN steering t ON t.delivery = d.key"
      " WHERE status = 5 AND traffic = 1 AND deleted = 0"
      " AND ((a.suspended = 0 AND d.course <> 1 AND NOT " CREDENTIAL_IS_HELD
      ") OR d.expires <= ?) ORDER BY d.key");
  query.bind(now_);
  while (query.next()) {
    sending.push_back({.key = DeliveryKey{query.integer(0)},
                       .account = AccountKey{query.integer(1)},
                       .weight = static_cast<std::uint32_t>(query.integer(2)),
                       .expires_in = query.instant(3) - now_});
    if (query.is_null(4)) continue;
    note_steering(sending.back(),
                  {.mails = query.integer(4),
                   .minutes = query.integer(5),
                   .goes_from = query.instant(7),
                   .goes_until = query.optional_instant(8),
                   .used_to = query.integer(6)},
                  now_);
  }
  if (query.failed()) return fail(query.error());
  return sending;
}

Result<std::vector<std::int64_t>> Queries::live_sections(DeliveryKey delivery) {
  std::vector<std::int64_t> sections;
  auto query = db_.query("SELECT id FROM sections WHERE delivery = ? AND state = 1");
  query.bind(delivery);
  while (query.next()) sections.push_back(query.integer(0));
  if (query.failed()) return fail(query.error());
  return sections;
}

// ---- figures -----------------------------------------------------------------------------------

Result<std::vector<QueueFigures>> Queries::queue_figures() {
  std::vector<QueueFigures> figures(2);
  QueueFigures& urgent = figures[0];
  QueueFigures& bulk = figures[1];
  urgent.traffic = TrafficClass::transactional;
  urgent.waiting = figures_.transactional_waiting;
  bulk.traffic = TrafficClass::bulk;
  {
    auto query = db_.query(
        "SELECT ready_at FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL AND ready_at <= ?"
        " ORDER BY ready_at LIMIT 1");
    query.bind(now_);
    if (query.next()) urgent.oldest = now_ - query.instant(0);
    if (query.failed()) return fail(query.error());
  }
  {
    auto query = db_.query(
        "SELECT coalesce(sum(open), 0) FROM (SELECT open FROM batches WHERE traffic = 0"
        " AND ready_at IS NOT NULL AND ready_at <= ? ORDER BY ready_at LIMIT ?)");
    // Of one process, which has no other couriers to ask for: a few tell that there are some.
    constexpr std::int64_t kFew = 8;
    query.bind(now_, kFew);
    if (query.next()) urgent.ready = query.integer(0);
    if (query.failed()) return fail(query.error());
  }
  {
    auto query = db_.query(
        "SELECT coalesce(sum(total - delivered - bounced - dropped - expired - cancelled"
        " - unknown), 0), coalesce(sum(deferred), 0) FROM deliveries"
        " WHERE status = 5 AND traffic = 1 AND deleted = 0");
    if (query.next()) {
      bulk.waiting = query.integer(0);
      bulk.ready = bulk.waiting - query.integer(1);
    }
    if (query.failed()) return fail(query.error());
  }
  {
    auto query = db_.query(
        "SELECT max(d.started, coalesce(t.goes_from, 0), (SELECT ready_at FROM batches WHERE "
        "section = s.id"
        " AND ready_at IS NOT NULL AND ready_at <= ?1 ORDER BY ready_at LIMIT 1))"
        " FROM deliveries d JOIN sections s ON s.delivery = d.key AND s.state = 1"
        " JOIN accounts a ON a.key = d.account AND a.suspended = 0"
        " LEFT JOIN steering t ON t.delivery = d.key"
        " WHERE d.status = 5 AND d.traffic = 1 AND d.deleted = 0 AND d.course = 0"
        " AND coalesce(t.mails, 0) = 0"
        " AND coalesce(t.goes_from <= ?1 AND coalesce(t.goes_until > ?1, 1), 1)"
        " AND NOT " CREDENTIAL_IS_HELD);
    query.bind(now_);
    while (query.next()) {
      const auto since = query.optional_instant(0);
      if (since && (!bulk.oldest || now_ - *since > *bulk.oldest)) bulk.oldest = now_ - *since;
    }
    if (query.failed()) return fail(query.error());
  }
  auto query = db_.query(
      "SELECT sum(b.traffic = 0), sum(b.traffic = 1) FROM suspects s"
      " JOIN progress p ON p.id = s.recipient AND (p.info & 7) <= 1"
      " JOIN batches b ON b.number = s.recipient >> ?1"
      " JOIN deliveries d ON d.key = b.delivery AND d.deleted = 0 WHERE s.aside IS NOT NULL");
  query.bind(kSeqBits);
  if (query.next()) {
    urgent.set_aside = query.integer(0);
    bulk.set_aside = query.integer(1);
  }
  if (query.failed()) return fail(query.error());
  return figures;
}

Result<AccountWork> Queries::work_of(AccountKey account) {
  AccountWork work;
  // Of each: deliveries, recipients, those in hand, what was looked at.
  auto query = db_.query(
      "SELECT count(*), coalesce(sum(total - delivered - bounced - dropped - expired - cancelled"
      " - unknown), 0), 0, 0 FROM deliveries"
      " WHERE status = 5 AND traffic = 1 AND deleted = 0 AND account = ?1"
      " UNION ALL SELECT count(DISTINCT iif(account = ?1, delivery, NULL)),"
      " coalesce(sum(iif(account = ?1, open, 0)), 0), 0, count(*) FROM"
      " (SELECT account, delivery, open FROM batches INDEXED BY batches_ready"
      " WHERE traffic = 0 AND ready_at IS NOT NULL LIMIT ?2)"
      " UNION ALL SELECT count(DISTINCT iif(account = ?1 AND traffic = 0, delivery, NULL)),"
      " coalesce(sum(iif(account = ?1 AND traffic = 0, open, 0)), 0),"
      " coalesce(sum(iif(account = ?1, open, 0)), 0), count(*) FROM"
      " (SELECT account, delivery, traffic, open FROM batches INDEXED BY batches_held"
      " WHERE holder <> 0 LIMIT ?2)");
  query.bind(account, kWorkLookedAt);
  while (query.next()) {
    work.deliveries += query.integer(0);
    work.recipients += query.integer(1);
    work.in_hand += query.integer(2);
    work.more = work.more || query.integer(3) >= kWorkLookedAt;
  }
  if (query.failed()) return fail(query.error());
  return work;
}

Result<bool> Queries::begun_before(AccountKey account, Instant at) {
  // Of each: what is looked for, what was looked at.
  auto query = db_.query(
      "SELECT count(*), 0 FROM deliveries INDEXED BY deliveries_sending_bulk"
      " WHERE status = 5 AND traffic = 1 AND deleted = 0"
      " AND account = ?1 AND started < ?2"
      " UNION ALL SELECT count(d.key), count(*) FROM"
      " (SELECT account, delivery FROM batches INDEXED BY batches_ready"
      " WHERE traffic = 0 AND ready_at IS NOT NULL LIMIT ?3) page LEFT JOIN deliveries d"
      " ON page.account = ?1 AND d.key = page.delivery AND d.started < ?2"
      " UNION ALL SELECT count(d.key), count(*) FROM"
      " (SELECT account, delivery FROM batches INDEXED BY batches_held"
      " WHERE holder <> 0 LIMIT ?3) page LEFT JOIN deliveries d"
      " ON page.account = ?1 AND d.key = page.delivery AND d.started < ?2");
  query.bind(account, at, kBegunLookedAt);
  bool some = false;
  while (query.next()) {
    some = some || query.integer(0) > 0 || query.integer(1) >= kBegunLookedAt;
  }
  if (query.failed()) return fail(query.error());
  return some;
}

// Of a row: recipient, since when, delivery, account, first email id, domain, address, delivery id.
SetAside Queries::set_aside_in(const Query& row) {
  const std::int64_t recipient = row.integer(0);
  const BatchKey batch = batch_key(row.integer(2), batch_of(recipient));
  SetAside aside;
  aside.key = {batch.delivery, batch.batch, seq_of(recipient)};
  aside.since = row.instant(1);
  aside.account = AccountKey{row.integer(3)};
  aside.email_id = row.integer(4) + seq_of(recipient);
  aside.address = full_address(row.text(6), row.text(5));
  aside.delivery_id = row.integer(7);
  return aside;
}

Result<std::vector<SetAside>> Queries::set_aside(std::int64_t limit) {
  std::vector<SetAside> list;
  auto query = db_.query(
      "SELECT s.recipient, s.aside, b.delivery, b.account, b.first_email_id, b.domain, r.address,"
      " d.id FROM suspects s JOIN progress p ON p.id = s.recipient AND (p.info & 7) <= 1"
      " JOIN batches b ON b.number = s.recipient >> ?1"
      " JOIN recipients r ON r.id = s.recipient JOIN deliveries d ON d.key = b.delivery"
      " WHERE s.aside IS NOT NULL AND d.deleted = 0 ORDER BY s.aside LIMIT ?2");
  query.bind(kSeqBits, limit);
  while (query.next()) list.push_back(set_aside_in(query));
  if (query.failed()) return fail(query.error());
  return list;
}

Result<std::optional<SetAside>> Queries::set_aside_of(std::int64_t row) {
  auto query = db_.query(
      "SELECT s.recipient, s.aside, b.delivery, b.account, b.first_email_id, b.domain, r.address,"
      " d.id FROM suspects s JOIN batches b ON b.number = s.recipient >> ?1"
      " JOIN recipients r ON r.id = s.recipient JOIN deliveries d ON d.key = b.delivery"
      " WHERE s.recipient = ?2 AND s.aside IS NOT NULL");
  query.bind(kSeqBits, row);
  if (query.next()) return set_aside_in(query);
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

}  // namespace todoku::store::sqlite
