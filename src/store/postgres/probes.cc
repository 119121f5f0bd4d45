// SPDX-License-Identifier: Apache-2.0
// Probes of receivers' mailboxes (store/probes.h).
#include "store/probes.h"

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define PROBES "SELECT token, mailbox, asked, due, news FROM probes WHERE asked < $1"
#define PROBES_ORDER " ORDER BY asked DESC, token DESC LIMIT $2"
const Sql kProbes{"probes: all", PROBES PROBES_ORDER};
const Sql kProbesOf{"probes: of a mailbox", PROBES " AND mailbox = $3" PROBES_ORDER};
const Sql kProbesOpen{"probes: open",
                      "SELECT count(*) FROM (SELECT 1 FROM probes WHERE due > 0 ORDER BY due"
                      " LIMIT $1) o"};
const Sql kAskProbe{"probes: ask",
                    "INSERT INTO probes(token, mailbox, asked, due, news)"
                    " VALUES($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"};
// Whoever comes second finds none of those that another takes.
const Sql kTakeProbes{"probes: take",
                      "UPDATE probes SET due = $2 WHERE token = ANY(ARRAY(SELECT token FROM probes"
                      " WHERE due IS NOT NULL AND due <= $1 ORDER BY due LIMIT $3"
                      " FOR UPDATE SKIP LOCKED)) RETURNING token, mailbox, asked, due, news"};
const Sql kKeepProbe{"probes: keep",
                     "UPDATE probes SET due = $2, news = $3 WHERE token = $1 AND due = $4"};
const Sql kDropProbes{"probes: drop",
                      "DELETE FROM probes WHERE ctid = ANY(ARRAY(SELECT ctid FROM probes"
                      " WHERE asked < $1 ORDER BY asked LIMIT 1000 FOR UPDATE SKIP LOCKED))"};

std::vector<Probe> probes_of(const Table& rows) {
  std::vector<Probe> probes;
  for (int i = 0; i < rows.size(); ++i) {
    probes.push_back({.token = std::string(rows.text(i, 0)),
                      .mailbox = std::string(rows.text(i, 1)),
                      .asked = rows.instant(i, 2),
                      .due = rows.optional_instant(i, 3),
                      .news = probe_news_in(rows.text(i, 4))});
  }
  return probes;
}

}  // namespace

Result<std::vector<Probe>> Questions::probes(const ProbeQuestion& question) {
  Params params;
  params << question.before.value_or(from_epoch_ms(std::int64_t{1} << 52U)) << question.limit;
  if (question.mailbox) params << *question.mailbox;
  const auto rows = session_.ask(question.mailbox ? kProbesOf : kProbes, params);
  if (!rows) return fail(rows.error());
  return probes_of(*rows);
}

Result<std::int64_t> Questions::probes_open() {
  const auto rows = session_.ask(kProbesOpen, Params() << kProbesOpenMax);
  if (!rows) return fail(rows.error());
  return rows->integer(0, 0);
}

Result<bool> Changes::ask_probe(const Probe& probe) {
  const std::string news = pack_probe_news(probe.news);
  const auto asked = session_.ask(kAskProbe, Params() << probe.token << probe.mailbox << probe.asked
                                                      << probe.due << Octets{news});
  if (!asked) return fail(asked.error());
  return asked->changes() > 0;
}

Result<std::vector<Probe>> Changes::take_probes(Instant now, Instant until, std::int64_t limit) {
  const auto rows = session_.ask(kTakeProbes, Params() << now << until << limit);
  if (!rows) return fail(rows.error());
  return probes_of(*rows);
}

Result<bool> Changes::keep_probe(const Probe& probe, Instant taken) {
  const std::string news = pack_probe_news(probe.news);
  const auto kept =
      session_.ask(kKeepProbe, Params() << probe.token << probe.due << Octets{news} << taken);
  if (!kept) return fail(kept.error());
  return kept->changes() > 0;
}

Result<std::int64_t> Changes::drop_probes(Instant before) {
  const auto dropped = session_.ask(kDropProbes, Params() << before);
  if (!dropped) return fail(dropped.error());
  return dropped->changes();
}

}  // namespace todoku::store::postgres
