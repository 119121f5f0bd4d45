// SPDX-License-Identifier: Apache-2.0
// Answers to requests that may be repeated (store/idempotency.h), as functions keep and read them;
// those of transactions are kept by their flight (accept.cc).
#include <algorithm>

#include "base/bytes.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kKept{"answers: kept",
                "SELECT fingerprint, answer FROM kept_answers WHERE key = $1 AND account = $2"
                " AND route = $3 AND until > $4"};
// Waits for another that keeps one under the same key: it is seen if it is committed.
const Sql kKeep{"answers: keep",
                "INSERT INTO kept_answers(key, account, route, fingerprint, answer, until)"
                " VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT(key, account, route) DO UPDATE SET"
                " fingerprint = excluded.fingerprint, answer = excluded.answer,"
                " until = excluded.until WHERE kept_answers.until <= $7"};
// What is renewed meanwhile is looked at once more, and stays.
const Sql kPurge{"answers: purge",
                 "DELETE FROM kept_answers WHERE until <= $1 AND key = ANY(ARRAY(SELECT key FROM"
                 " kept_answers WHERE until <= $1 ORDER BY until LIMIT $2))"};

// Zeros for what is no digest: nothing has that one.
Sha256 digest_in(std::string_view octets) {
  Sha256 digest{};
  if (octets.size() == digest.size()) std::ranges::copy(as_octets(octets), digest.begin());
  return digest;
}

}  // namespace

Result<std::optional<KeptAnswer>> Questions::kept_answer(const IdempotencyKey& key) {
  const auto rows = session_.ask(
      kKept, Params() << Octets{as_text(key.hash)} << key.account << key.route << session_.now());
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return KeptAnswer{digest_in(rows->text(0, 0)), rows->integer(0, 1)};
}

Result<void> Changes::keep_answer(const IdempotencyRecord& record) {
  const Instant now = session_.now();
  const auto kept =
      session_.ask(kKeep, Params() << Octets{as_text(record.key.hash)} << record.key.account
                                   << record.key.route << Octets{as_text(record.fingerprint)}
                                   << record.answer << kept_until(record, now) << now);
  if (!kept) return fail(kept.error());
  if (kept->changes() == 0) return fail(ErrorKind::conflict, "an answer is kept under this key");
  return {};
}

Result<bool> Changes::purge_answers(std::int64_t rows) {
  const auto purged = session_.ask(kPurge, Params() << session_.now() << rows);
  if (!purged) return fail(purged.error());
  return purged->changes() < rows;
}

}  // namespace todoku::store::postgres
