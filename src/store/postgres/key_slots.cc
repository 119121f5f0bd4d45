// SPDX-License-Identifier: Apache-2.0
// DKIM keys that rotate by themselves (store/key_slots.h).
#include "store/key_slots.h"

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kKeySlots{"key slots: page",
                    "SELECT account, domain, revision, look, state FROM key_slots"
                    " WHERE (account, domain) > ($1, $2) ORDER BY account, domain LIMIT $3"};
const Sql kKeySlotsOf{"key slots: one",
                      "SELECT account, domain, revision, look, state FROM key_slots"
                      " WHERE account = $1 AND domain = $2"};
const Sql kKeySlotsDue{"key slots: due",
                       "SELECT account, domain, revision, look, state FROM key_slots"
                       " WHERE look <= $1 ORDER BY look LIMIT $2"};
const Sql kAddKeySlots{"key slots: add",
                       "INSERT INTO key_slots(account, domain, revision, look, state)"
                       " VALUES($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING"};
const Sql kPutKeySlots{"key slots: put",
                       "UPDATE key_slots SET revision = revision + 1, look = $4, state = $5"
                       " WHERE account = $1 AND domain = $2 AND revision = $3"};
const Sql kRemoveKeySlots{"key slots: remove",
                          "DELETE FROM key_slots WHERE account = $1 AND domain = $2"
                          " AND revision = $3"};

Result<std::vector<KeySlotsRow>> key_slots_in(const Result<Table>& table) {
  if (!table) return fail(table.error());
  std::vector<KeySlotsRow> rows;
  for (int i = 0; i < table->size(); ++i) {
    rows.push_back({.account = AccountKey{table->integer(i, 0)},
                    .domain = std::string(table->text(i, 1)),
                    .revision = table->integer(i, 2),
                    .look = table->optional_instant(i, 3),
                    .state = std::string(table->text(i, 4))});
  }
  return rows;
}

}  // namespace

Result<std::vector<KeySlotsRow>> Questions::key_slots(const DomainPlace& after,
                                                      std::int64_t limit) {
  return key_slots_in(session_.ask(
      kKeySlots, Params() << after.account << std::string_view(after.domain) << limit));
}

Result<std::optional<KeySlotsRow>> Questions::key_slots_of(AccountKey account,
                                                           std::string_view domain) {
  auto rows = key_slots_in(session_.ask(kKeySlotsOf, Params() << account << domain));
  if (!rows) return fail(std::move(rows.error()));
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

Result<std::vector<KeySlotsRow>> Questions::key_slots_due(std::int64_t limit) {
  return key_slots_in(session_.ask(kKeySlotsDue, Params() << session_.now() << limit));
}

Result<bool> Changes::put_key_slots(const KeySlotsRow& row) {
  if (auto sound = check_sound(row); !sound) return fail(std::move(sound.error()));
  const std::string_view domain = row.domain;
  const auto done =
      row.revision == 0
          ? session_.ask(kAddKeySlots,
                         Params() << row.account << domain << row.look << Octets{row.state})
          : session_.ask(kPutKeySlots, Params() << row.account << domain << row.revision << row.look
                                                << Octets{row.state});
  if (!done) return fail(done.error());
  return done->changes() > 0;
}

Result<bool> Changes::remove_key_slots(const KeySlotsRow& row) {
  const auto done = session_.ask(
      kRemoveKeySlots, Params() << row.account << std::string_view(row.domain) << row.revision);
  if (!done) return fail(done.error());
  return done->changes() > 0;
}

}  // namespace todoku::store::postgres
