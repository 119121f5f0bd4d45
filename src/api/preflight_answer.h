// SPDX-License-Identifier: Apache-2.0
// What a preflight (preflight.h) means for the commit of a bulk: told in a header, or why it is
// refused, as the account has it (mail/preflight_mode.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "api/preflight.h"
#include "async/task.h"
#include "base/clock.h"
#include "intake/problem.h"
#include "store/keys.h"

namespace todoku::api {

class Api;
struct Call;

// "warning; law_address_missing, html_clipped": the worst outcome, and the codes of what did not
// pass, at most kPreflightCodesMax of them. "not_determined" alone: too many are judged now.
inline constexpr std::string_view kPreflightHeader = "X-Todoku-Preflight";
inline constexpr std::size_t kPreflightCodesMax = 10;

// How long a judgement may take: one that was asked for; at a commit that it may refuse; and at one
// that it only tells of, which nobody wants to wait for.
inline constexpr Milliseconds kPreflightWithin{2'300};
inline constexpr Milliseconds kPreflightWithinOfEnforce{2'000};
inline constexpr Milliseconds kPreflightWithinOfWarn{300};

struct CommitPreflight {
  std::string header;                      // empty: there was none
  std::optional<intake::Refusal> refusal;  // of a bulk that breaks the rules for bulk senders
};
// Never refuses for what is not determined.
[[nodiscard]] Task<CommitPreflight> preflight_commit(Api& api, Call& call, store::PublicId id,
                                                     PreflightStart start);

}  // namespace todoku::api
