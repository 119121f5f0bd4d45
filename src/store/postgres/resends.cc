// SPDX-License-Identifier: Apache-2.0
// Mails that say once more what another said (store/resends.h).
#include "store/resends.h"

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kResendOf{"resends: of what", "SELECT email FROM resends WHERE delivery = $1"};
const Sql kResendsOf{"resends: of a mail",
                     "SELECT d.id FROM resends r JOIN deliveries d ON d.key = r.delivery"
                     " AND d.deleted = 0 WHERE r.account = $1 AND r.email = $2"
                     " ORDER BY r.delivery DESC LIMIT $3"};
const Sql kNoteResend{"resends: note",
                      "INSERT INTO resends(delivery, account, email) VALUES($1, $2, $3)"};

}  // namespace

Result<std::optional<PublicId>> Questions::resend_of(DeliveryKey key) {
  const auto rows = session_.ask(kResendOf, Params() << key);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return rows->integer(0, 0);
}

Result<std::vector<PublicId>> Questions::resends_of(AccountKey account, PublicId email,
                                                    std::int64_t limit) {
  const auto rows = session_.ask(kResendsOf, Params() << account << email << limit);
  if (!rows) return fail(rows.error());
  std::vector<PublicId> ids;
  for (int i = 0; i < rows->size(); ++i) ids.push_back(rows->integer(i, 0));
  return ids;
}

Result<void> Changes::note_resend(DeliveryKey key, AccountKey account, PublicId email) {
  const auto done = session_.ask(kNoteResend, Params() << key << account << email);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
