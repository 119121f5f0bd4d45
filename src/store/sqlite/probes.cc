// SPDX-License-Identifier: Apache-2.0
// Probes of receivers' mailboxes (store/probes.h).
#include "store/probes.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

constexpr Instant kEver = from_epoch_ms(std::int64_t{1} << 52U);

}  // namespace

Result<std::vector<Probe>> Queries::probes(const ProbeQuestion& question) {
  std::vector<Probe> probes;
  auto query = question.mailbox
                   ? db_.query(
                         "SELECT token, mailbox, asked, due, news FROM probes WHERE asked < ?1"
                         " AND mailbox = ?3 ORDER BY asked DESC, token DESC LIMIT ?2")
                   : db_.query(
                         "SELECT token, mailbox, asked, due, news FROM probes WHERE asked < ?1"
                         " ORDER BY asked DESC, token DESC LIMIT ?2");
  const Instant before = question.before.value_or(kEver);
  if (question.mailbox) {
    query.bind(before, question.limit, *question.mailbox);
  } else {
    query.bind(before, question.limit);
  }
  while (query.next()) {
    probes.push_back({.token = std::string(query.text(0)),
                      .mailbox = std::string(query.text(1)),
                      .asked = query.instant(2),
                      .due = query.optional_instant(3),
                      .news = probe_news_in(query.blob(4))});
  }
  if (query.failed()) return fail(query.error());
  return probes;
}

Result<std::int64_t> Queries::probes_open() {
  auto query =
      db_.query("SELECT count(*) FROM (SELECT 1 FROM probes WHERE due > 0 ORDER BY due LIMIT ?)");
  query.bind(kProbesOpenMax);
  if (query.next()) return query.integer(0);
  return fail(query.error());
}

Result<bool> SqliteWriteTransaction::ask_probe(const Probe& probe) {
  const std::string news = pack_probe_news(probe.news);
  auto done = db_.query(
                     "INSERT INTO probes(token, mailbox, asked, due, news) VALUES(?, ?, ?, ?, ?)"
                     " ON CONFLICT DO NOTHING")
                  .bind(probe.token, probe.mailbox, probe.asked, probe.due, Blob{news})
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

Result<std::vector<Probe>> SqliteWriteTransaction::take_probes(Instant now, Instant until,
                                                               std::int64_t limit) {
  std::vector<Probe> taken;
  {
    auto query = db_.query(
        "SELECT token, mailbox, asked, news FROM probes WHERE due <= ? ORDER BY due LIMIT ?");
    query.bind(now, limit);
    while (query.next()) {
      taken.push_back({.token = std::string(query.text(0)),
                       .mailbox = std::string(query.text(1)),
                       .asked = query.instant(2),
                       .due = until,
                       .news = probe_news_in(query.blob(3))});
    }
    if (query.failed()) return fail(query.error());
  }
  for (const Probe& probe : taken) {
    auto done =
        db_.query("UPDATE probes SET due = ? WHERE token = ?").bind(until, probe.token).run();
    if (!done) return fail(std::move(done.error()));
  }
  return taken;
}

Result<bool> SqliteWriteTransaction::keep_probe(const Probe& probe, Instant taken) {
  const std::string news = pack_probe_news(probe.news);
  auto done = db_.query("UPDATE probes SET due = ?, news = ? WHERE token = ? AND due = ?")
                  .bind(probe.due, Blob{news}, probe.token, taken)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

Result<std::int64_t> SqliteWriteTransaction::drop_probes(Instant before) {
  auto done = db_.query(
                     "DELETE FROM probes WHERE token IN (SELECT token FROM probes WHERE asked < ?"
                     " ORDER BY asked LIMIT 1000)")
                  .bind(before)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes();
}

}  // namespace todoku::store::sqlite
