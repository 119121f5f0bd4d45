// SPDX-License-Identifier: Apache-2.0
// How the keys of the domain become row ids.
//
// Of deliveries and batches: store/numbers.h. A recipient's row id is (batch number, seq), so
// recipients lie together by batch, and whatever is appended goes to the end of the table, where
// SQLite fills pages completely.
#pragma once

#include <cstdint>

#include "store/keys.h"
#include "store/numbers.h"

namespace todoku::store::sqlite {

// Of the delivery d: its credential is held (store/smtp_credentials.h).
#define CREDENTIAL_IS_HELD                                                              \
  "(d.credential IS NOT NULL AND EXISTS (SELECT 1 FROM smtp_credentials h WHERE h.name" \
  " = d.credential AND h.held IS NOT NULL))"

// Lines of the audit between two keys (personal_data.cc).
#define AUDIT_STRETCH                                                          \
  "SELECT key, at, actor, action, account, delivery, email, hash, origin FROM" \
  " audit WHERE key BETWEEN ?1 AND ?2"

// What rows of people, and of what they are signed in with, are read by (people.cc).
#define APPROVAL_COLUMNS                                                       \
  "delivery, account, state, revision, asked_by, asked_person, asked, lapses," \
  " decided_by, decided_person, decided, reason"
#define PERSON_COLUMNS                                                                       \
  "key, account, email, name, role, language, password_hash, totp, totp_offered, totp_step," \
  " recovery, suspended, created, confirmed, seen, stands_for"
#define SIGN_IN_COLUMNS \
  "key, person, token, half, acting_for, created, used, idle_ends, ends, came_from, agent"

inline constexpr unsigned kSeqBits = 9;
static_assert(kBatchRecipientsMax <= (1 << kSeqBits));

[[nodiscard]] constexpr std::int64_t recipient_row(std::int64_t batch, std::int64_t seq) {
  return (batch << kSeqBits) | seq;
}
[[nodiscard]] constexpr std::int64_t recipient_row(const RecipientKey& key) {
  return recipient_row(batch_number(key.delivery, key.batch), key.seq);
}
// All recipients of a batch have row ids in [first, last].
[[nodiscard]] constexpr std::int64_t first_row(std::int64_t batch) {
  return recipient_row(batch, 0);
}
[[nodiscard]] constexpr std::int64_t last_row(std::int64_t batch) {
  return recipient_row(batch + 1, 0) - 1;
}
[[nodiscard]] constexpr std::int64_t batch_of(std::int64_t row) {
  return row >> kSeqBits;
}
[[nodiscard]] constexpr std::uint32_t seq_of(std::int64_t row) {
  return static_cast<std::uint32_t>(row & ((1 << kSeqBits) - 1));
}

}  // namespace todoku::store::sqlite
