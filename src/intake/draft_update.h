// SPDX-License-Identifier: Apache-2.0
// An update of a draft, with everything that is looked at before it is done: one judge for who does
// it (Intake::update_bulk) and for who is only shown what it would do (Intake::look_at_update).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "async/task.h"
#include "intake/draft_look.h"
#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"
#include "intake/senders.h"
#include "store/accounts.h"
#include "store/deliveries.h"
#include "store/recipients.h"
#include "store/steering.h"

namespace todoku::intake {

struct DraftUpdate {
  store::DraftChange change;
  // Instead of those that there are, in the order of the request; nullptr: these stay.
  std::shared_ptr<const std::vector<store::NewRecipient>> recipients;
  std::size_t folded = 0;  // of `to`, into an earlier one with the same address
  store::SteeringChange steering;
  Problems problems;  // of what it says, whatever the draft is; none of the rest counts then
  DraftCheck check;   // of the draft as the change leaves it
};

// With pauses for others of the same thread, as long lists of large values take their time.
// `senders`: as check_sender().
[[nodiscard]] Task<DraftUpdate> update_of(store::Account account, UpdateRequest request,
                                          Limits limits, const Senders* senders);

}  // namespace todoku::intake
