// SPDX-License-Identifier: Apache-2.0
// DKIM keys that rotate by themselves (store/key_slots.h).
#include "store/key_slots.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Result<std::vector<KeySlotsRow>> key_slots_in(Query& query) {
  std::vector<KeySlotsRow> rows;
  while (query.next()) {
    rows.push_back({.account = AccountKey{query.integer(0)},
                    .domain = std::string(query.text(1)),
                    .revision = query.integer(2),
                    .look = query.optional_instant(3),
                    .state = std::string(query.blob(4))});
  }
  if (query.failed()) return fail(query.error());
  return rows;
}

}  // namespace

Result<std::vector<KeySlotsRow>> Queries::key_slots(const DomainPlace& after, std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain, revision, look, state FROM key_slots"
      " WHERE (account, domain) > (?, ?) ORDER BY account, domain LIMIT ?");
  query.bind(after.account, std::string_view(after.domain), limit);
  return key_slots_in(query);
}

Result<std::optional<KeySlotsRow>> Queries::key_slots_of(AccountKey account,
                                                         std::string_view domain) {
  auto query = db_.query(
      "SELECT account, domain, revision, look, state FROM key_slots"
      " WHERE account = ? AND domain = ?");
  query.bind(account, domain);
  auto rows = key_slots_in(query);
  if (!rows) return fail(std::move(rows.error()));
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

Result<std::vector<KeySlotsRow>> Queries::key_slots_due(std::int64_t limit) {
  auto query = db_.query(
      "SELECT account, domain, revision, look, state FROM key_slots WHERE look <= ?"
      " ORDER BY look LIMIT ?");
  query.bind(now_, limit);
  return key_slots_in(query);
}

Result<bool> SqliteWriteTransaction::put_key_slots(const KeySlotsRow& row) {
  if (auto sound = check_sound(row); !sound) return fail(std::move(sound.error()));
  const std::string_view domain = row.domain;
  auto done = row.revision == 0
                  ? db_.query(
                           "INSERT INTO key_slots(account, domain, revision, look, state)"
                           " VALUES(?, ?, 1, ?, ?) ON CONFLICT DO NOTHING")
                        .bind(row.account, domain, row.look, Blob{row.state})
                        .run()
                  : db_.query(
                           "UPDATE key_slots SET revision = revision + 1, look = ?, state = ?"
                           " WHERE account = ? AND domain = ? AND revision = ?")
                        .bind(row.look, Blob{row.state}, row.account, domain, row.revision)
                        .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

Result<bool> SqliteWriteTransaction::remove_key_slots(const KeySlotsRow& row) {
  auto done = db_.query("DELETE FROM key_slots WHERE account = ? AND domain = ? AND revision = ?")
                  .bind(row.account, std::string_view(row.domain), row.revision)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

}  // namespace todoku::store::sqlite
