// SPDX-License-Identifier: Apache-2.0
// What waits for a second person's word (store/approvals.h). The row of a delivery is held before
// that of its approval, as by whoever commits, starts or ends it.
#include "store/approvals.h"

#include "store/postgres/rows.h"
#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define APPROVAL_COLUMNS                                                       \
  "delivery, account, state, revision, asked_by, asked_person, asked, lapses," \
  " decided_by, decided_person, decided, reason"
const Sql kApproval{"approvals: of one",
                    "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE delivery = $1"};
const Sql kApprovalsWaiting{"approvals: waiting", "SELECT " APPROVAL_COLUMNS
                                                  " FROM approvals WHERE account = $1 AND state = 1"
                                                  " ORDER BY lapses, delivery LIMIT $2"};
const Sql kAskApproval{"approvals: ask",
                       "INSERT INTO approvals AS p(" APPROVAL_COLUMNS
                       ") VALUES($1, $2, 1, 1, $3, $4, $5, $6, '', 0, NULL, '')"
                       " ON CONFLICT(delivery) DO UPDATE SET state = 1, revision = p.revision + 1,"
                       " asked_by = $3, asked_person = $4, asked = $5, lapses = $6,"
                       " decided_by = '', decided_person = 0, decided = NULL, reason = ''"};
const Sql kWaitsUntil{"approvals: waits until", "UPDATE deliveries SET agenda = $2 WHERE key = $1"};
const Sql kForgetApproval{"approvals: forget", "DELETE FROM approvals WHERE delivery = $1"};
const Sql kEndApproval{"approvals: end",
                       "UPDATE approvals SET state = 5 WHERE delivery = $1 AND state = 1"};
const Sql kApprove{"approvals: approve",
                   "UPDATE approvals SET state = 2, decided_by = $3, decided_person = $4,"
                   " decided = $5, reason = '' WHERE delivery = $1 AND state = 1 AND revision = $2"
                   " AND lapses > $6 AND (asked_person = 0 OR asked_person <> $4)"
                   " AND (decided_person = 0 OR decided_person <> $4)"};
const Sql kGoes{"approvals: goes",
                "UPDATE deliveries SET agenda = coalesce(reservation, 0), updated = $2"
                " WHERE key = $1 AND status IN (3, 4) AND deleted = 0"};
const Sql kSendBack{"approvals: send back",
                    "UPDATE approvals SET state = 3, decided_by = $3, decided_person = $4,"
                    " decided = $5, reason = $6 WHERE delivery = $1 AND state = 1 AND revision = $2"
                    " AND (asked_person = 0 OR asked_person <> $4)"
                    " AND (decided_person = 0 OR decided_person <> $4)"};
const Sql kDraftAgain{"approvals: draft again",
                      "UPDATE deliveries SET status = 1, phase = 1, reservation = NULL,"
                      " agenda = NULL, updated = $2"
                      " WHERE key = $1 AND status IN (3, 4) AND deleted = 0"};
const Sql kVoidsApproval{
    "approvals: waits again",
    "UPDATE deliveries SET agenda = coalesce(reservation, $2)"
    " WHERE key = $1 AND status IN (3, 4) AND deleted = 0 AND EXISTS"
    " (SELECT 1 FROM approvals p WHERE p.delivery = $1 AND p.state IN (1, 2)) RETURNING agenda"};
// Who approved it has no part in what waits now; who changed it before still has.
const Sql kVoidApproval{"approvals: another revision",
                        "UPDATE approvals SET state = 1, revision = revision + 1, asked = $2,"
                        " lapses = $3, decided_by = CASE state WHEN 1 THEN decided_by ELSE '' END,"
                        " decided_person = CASE state WHEN 1 THEN decided_person ELSE 0 END,"
                        " decided = NULL, reason = '' WHERE delivery = $1"};
const Sql kChangedBy{"approvals: changed by",
                     "UPDATE approvals SET decided_by = $2, decided_person = $3"
                     " WHERE delivery = $1"};
const Sql kLapse{"approvals: lapse",
                 "UPDATE approvals SET state = 4, decided = $2"
                 " WHERE delivery = $1 AND state = 1 AND lapses <= $3"};
const Sql kNothingWaits{"approvals: nothing waits",
                        "UPDATE deliveries SET agenda = coalesce(reservation, 0) WHERE key = $1"};
const Sql kSettleApproval{"approvals: settle",
                          "DELETE FROM approvals WHERE delivery = $1 AND state = 1"};

Approval approval_in(const Table& rows, int row) {
  return {.delivery = DeliveryKey{rows.integer(row, 0)},
          .account = AccountKey{rows.integer(row, 1)},
          .state = static_cast<ApprovalState>(rows.integer(row, 2)),
          .revision = rows.integer(row, 3),
          .asked_by = {.actor = std::string(rows.text(row, 4)),
                       .person = PersonKey{rows.integer(row, 5)}},
          .asked = rows.instant(row, 6),
          .lapses = rows.instant(row, 7),
          .decided_by = {.actor = std::string(rows.text(row, 8)),
                         .person = PersonKey{rows.integer(row, 9)}},
          .decided = rows.optional_instant(row, 10),
          .reason = std::string(rows.text(row, 11))};
}

Result<void> done_or(const Result<Table>& done) {
  if (!done) return fail(done.error());
  return {};
}

// One row of a decision, or what was looked at is not there any more.
Result<void> decided_or(const Result<Table>& changed) {
  if (!changed) return fail(changed.error());
  return changed->changes() > 0 ? Result<void>() : not_as_it_waits();
}

}  // namespace

Result<std::optional<Approval>> Questions::approval(DeliveryKey key) {
  const auto rows = session_.ask(kApproval, Params() << key);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return approval_in(*rows, 0);
}

Result<std::vector<Approval>> Questions::approvals_waiting(AccountKey account, std::int64_t limit) {
  const auto rows = session_.ask(kApprovalsWaiting, Params() << account << limit);
  if (!rows) return fail(rows.error());
  std::vector<Approval> waiting;
  for (int i = 0; i < rows->size(); ++i) waiting.push_back(approval_in(*rows, i));
  return waiting;
}

// Of a bulk that was committed just now: its row is held.
Result<void> Changes::ask_approval(DeliveryKey key, AccountKey account,
                                   std::optional<Instant> reservation, const AskedBy& by) {
  const Instant lapses = reservation.value_or(session_.wall() + kApprovalLife);
  return done_or(session_
                     .add(kAskApproval, Params() << key << account << std::string_view(by.actor)
                                                 << by.person << session_.now() << lapses)
                     .ask(kWaitsUntil, Params() << key << lapses));
}

Result<void> Changes::forget_approval(DeliveryKey key) {
  return done_or(session_.ask(kForgetApproval, Params() << key));
}

Result<void> Changes::end_approval(DeliveryKey key) {
  return done_or(session_.ask(kEndApproval, Params() << key));
}

Result<void> Changes::approve(DeliveryKey key, const Decision& decision) {
  if (const auto held = locked_delivery(session_, key); !held) return fail(held.error());
  auto done = decided_or(session_.ask(
      kApprove, Params() << key << decision.revision << std::string_view(decision.by.actor)
                         << decision.by.person << session_.now() << session_.wall()));
  if (!done) return done;
  return decided_or(session_.ask(kGoes, Params() << key << session_.now()));
}

Result<void> Changes::send_back(DeliveryKey key, const Decision& decision) {
  if (const auto held = locked_delivery(session_, key); !held) return fail(held.error());
  auto done = decided_or(session_.ask(kSendBack, Params() << key << decision.revision
                                                          << std::string_view(decision.by.actor)
                                                          << decision.by.person << session_.now()
                                                          << std::string_view(decision.reason)));
  if (!done) return done;
  return decided_or(session_.ask(kDraftAgain, Params() << key << session_.now()));
}

Result<void> Changes::void_approval(DeliveryKey key, const std::optional<AskedBy>& by) {
  const auto waits =
      session_.ask(kVoidsApproval, Params() << key << session_.wall() + kApprovalLife);
  if (!waits) return fail(waits.error());
  if (waits->empty()) return {};
  auto done = done_or(
      session_.ask(kVoidApproval, Params() << key << session_.now() << waits->instant(0, 0)));
  if (!done || !by) return done;
  return done_or(
      session_.ask(kChangedBy, Params() << key << std::string_view(by->actor) << by->person));
}

Result<void> Changes::lapse_approval(DeliveryKey key) {
  if (const auto held = locked_delivery(session_, key); !held) return fail(held.error());
  return decided_or(session_.ask(kLapse, Params() << key << session_.now() << session_.wall()));
}

Result<void> Changes::settle_approval(DeliveryKey key) {
  if (const auto held = locked_delivery(session_, key); !held) return fail(held.error());
  const auto settled = session_.ask(kSettleApproval, Params() << key);
  if (!settled) return fail(settled.error());
  if (settled->changes() == 0) return {};
  return done_or(session_.ask(kNothingWaits, Params() << key));
}

}  // namespace todoku::store::postgres
