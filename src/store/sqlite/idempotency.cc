// SPDX-License-Identifier: Apache-2.0
// Answers to requests that may be repeated (store/idempotency.h).
#include <algorithm>

#include "base/bytes.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// Zeros for what is no digest: nothing has that one.
Sha256 digest_in(std::string_view octets) {
  Sha256 digest{};
  if (octets.size() == digest.size()) std::ranges::copy(as_octets(octets), digest.begin());
  return digest;
}

}  // namespace

Result<std::optional<KeptAnswer>> Queries::kept_answer(const IdempotencyKey& key) {
  auto query = db_.query(
      "SELECT fingerprint, answer FROM kept_answers WHERE key = ? AND account = ? AND route = ?"
      " AND until > ?");
  query.bind(Blob{as_text(key.hash)}, key.account, key.route, now_);
  std::optional<KeptAnswer> kept;
  if (query.next()) kept = {digest_in(query.blob(0)), query.integer(1)};
  if (query.failed()) return fail(query.error());
  return kept;
}

Result<void> SqliteWriteTransaction::keep_answer(const IdempotencyRecord& record) {
  auto done =
      db_.query(
             "INSERT INTO kept_answers(key, account, route, fingerprint, answer, until)"
             " VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(key, account, route) DO UPDATE SET"
             " fingerprint = excluded.fingerprint, answer = excluded.answer,"
             " until = excluded.until WHERE kept_answers.until <= ?")
          .bind(Blob{as_text(record.key.hash)}, record.key.account, record.key.route,
                Blob{as_text(record.fingerprint)}, record.answer, kept_until(record, now_), now_)
          .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::conflict, "an answer is kept under this key");
  return {};
}

Result<bool> SqliteWriteTransaction::purge_answers(std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM kept_answers WHERE +until <= ? AND key IN (SELECT key FROM"
                     " kept_answers WHERE until <= ? ORDER BY until LIMIT ?)")
                  .bind(now_, now_, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() < rows;
}

}  // namespace todoku::store::sqlite
