// SPDX-License-Identifier: Apache-2.0
#include "store/approvals.h"

namespace todoku::store {

std::optional<MayNotDecide> may_not_decide(const Approval& approval, const Approver& approver) {
  const AskedBy& asked_by = approval.asked_by;
  if (approver.who.person == PersonKey{}) return MayNotDecide::not_signed_in;
  if (!approver.may_send) return MayNotDecide::no_right;
  if (asked_by.person == PersonKey{}) {
    return approver.in_charge ? std::nullopt : std::optional(MayNotDecide::unknown_maker);
  }
  if (asked_by.person != approver.who.person) return std::nullopt;
  return asked_by.actor.starts_with("person ") ? MayNotDecide::own : MayNotDecide::own_key;
}

std::unexpected<Error> not_as_it_waits() {
  return fail(ErrorKind::conflict,
              "it is not what waits for approval any more: it was changed, decided, or is over");
}

}  // namespace todoku::store
