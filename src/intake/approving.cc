// SPDX-License-Identifier: Apache-2.0
// A second person's word on what waits for approval (store/approvals.h).
#include <utility>

#include "base/utf8.h"
#include "intake/changes.h"
#include "intake/intake.h"

namespace todoku::intake {
namespace {

using store::WritePriority;
using store::WriteTransaction;

Result<void> note_decision(WriteTransaction& transaction, const Deciding& who,
                           const store::Delivery& delivery, bool approves) {
  store::AuditEntry entry;
  entry.actor = utf8_prefix(who.approver.who.actor, store::kAuditTextMax);
  entry.action = approves ? "deliveries.approve" : "deliveries.send_back";
  entry.account = delivery.account;
  entry.delivery = delivery.id;
  entry.origin = who.origin;
  return transaction.add_audit(entry, "");
}

}  // namespace

Task<Answer<void>> Intake::decide(store::Account account, Deciding who, store::PublicId id,
                                  store::Decision decision, bool approves) {
  auto decided = co_await change<void>(
      store_, WritePriority::accept,
      [account, who = std::move(who), id, decision = std::move(decision),
       approves](WriteTransaction& transaction) -> Answer<void> {
        const auto delivery = transaction.read().delivery_head(account.key, id);
        if (!delivery) return refuse(refusal_of(delivery.error()));
        const auto approval = transaction.read().approval(delivery->key);
        if (!approval) return refuse(refusal_of(approval.error()));
        // What is not theirs is refused by who calls this; here it is what has changed since then.
        if (!*approval || store::may_not_decide(**approval, who.approver)) {
          return refuse(ErrorKind::conflict, texts::not_as_it_waits());
        }
        auto done = approves ? transaction.approve(delivery->key, decision)
                             : transaction.send_back(delivery->key, decision);
        if (!done && done.error().kind == ErrorKind::conflict) {
          return refuse(ErrorKind::conflict, texts::not_as_it_waits());
        }
        if (done) done = note_decision(transaction, who, *delivery, approves);
        if (!done) return refuse(refusal_of(done.error()));
        return {};
      });
  if (decided) handover_.work_arrived();
  co_return decided;
}

Task<Answer<void>> Intake::approve(store::Account account, Deciding who, store::PublicId id,
                                   std::int64_t revision) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  store::Decision decision{.revision = revision, .by = who.approver.who};
  co_return co_await decide(std::move(account), std::move(who), id, std::move(decision), true);
}

Task<Answer<void>> Intake::send_back(store::Account account, Deciding who, store::PublicId id,
                                     std::int64_t revision, std::string reason) {
  store::Decision decision{
      .revision = revision, .by = who.approver.who, .reason = std::move(reason)};
  co_return co_await decide(std::move(account), std::move(who), id, std::move(decision), false);
}

}  // namespace todoku::intake
