// SPDX-License-Identifier: Apache-2.0
// Bulk that waits for a second person's word (docs/approval.md), as the API tells of it.
#pragma once

#include <string_view>

#include "async/task.h"
#include "store/approvals.h"
#include "store/keys.h"

namespace todoku::api {

class Api;
struct Call;

inline constexpr std::string_view kWaitsForApproval = "waits_for_approval";

// "waiting"
[[nodiscard]] std::string_view word_of(store::ApprovalState state);
// After a commit: in the header of warnings, where it does not go by itself.
[[nodiscard]] Task<void> warn_of_approval(Api& api, Call& call, store::PublicId id);

}  // namespace todoku::api
