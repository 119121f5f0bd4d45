// SPDX-License-Identifier: Apache-2.0
#include "store/approvals.h"

namespace todoku::store {

namespace {

// By what this party, who committed or changed it, has to do with who decides.
std::optional<MayNotDecide> may_not_decide(const AskedBy& party, const Approver& approver) {
  if (party.person == PersonKey{}) {
    return approver.in_charge ? std::nullopt : std::optional(MayNotDecide::unknown_maker);
  }
  if (party.person != approver.who.person) return std::nullopt;
  return party.actor.starts_with("person ") ? MayNotDecide::own : MayNotDecide::own_key;
}

}  // namespace

std::optional<MayNotDecide> may_not_decide(const Approval& approval, const Approver& approver) {
  if (approver.who.person == PersonKey{}) return MayNotDecide::not_signed_in;
  if (!approver.may_send) return MayNotDecide::no_right;
  if (const auto why_not = may_not_decide(approval.asked_by, approver)) return why_not;
  const bool was_changed =
      approval.state == ApprovalState::waiting && !approval.decided_by.actor.empty();
  return was_changed ? may_not_decide(approval.decided_by, approver) : std::nullopt;
}

std::unexpected<Error> not_as_it_waits() {
  return fail(ErrorKind::conflict,
              "it is not what waits for approval any more: it was changed, decided, or is over");
}

}  // namespace todoku::store
