// SPDX-License-Identifier: Apache-2.0
// Mails that say once more what another said (store/resends.h).
#include "store/resends.h"

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<std::optional<PublicId>> Queries::resend_of(DeliveryKey key) {
  auto query = db_.query("SELECT email FROM resends WHERE delivery = ?");
  query.bind(key);
  if (query.next()) return query.integer(0);
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<std::vector<PublicId>> Queries::resends_of(AccountKey account, PublicId email,
                                                  std::int64_t limit) {
  std::vector<PublicId> ids;
  auto query = db_.query(
      "SELECT d.id FROM resends r JOIN deliveries d ON d.key = r.delivery AND d.deleted = 0"
      " WHERE r.account = ? AND r.email = ? ORDER BY r.delivery DESC LIMIT ?");
  query.bind(account, email, limit);
  while (query.next()) ids.push_back(query.integer(0));
  if (query.failed()) return fail(query.error());
  return ids;
}

Result<void> SqliteWriteTransaction::note_resend(DeliveryKey key, AccountKey account,
                                                 PublicId email) {
  return db_.query("INSERT INTO resends(delivery, account, email) VALUES(?, ?, ?)")
      .bind(key, account, email)
      .run();
}

}  // namespace todoku::store::sqlite
