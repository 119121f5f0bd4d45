// SPDX-License-Identifier: Apache-2.0
// As what a mail that came back has been counted (store/outcome_counts.h), so that it is moved
// between counts of one and the same name: couriers name some receivers that no rule names by their
// hosts and count all others together, and only the counts themselves say which they did.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/cause.h"
#include "store/outcome_counts.h"
#include "store/recipients.h"

namespace todoku::inbound {

struct SiteNames {
  // The receiving system behind a domain and its mail server; empty: no rule names it.
  std::function<std::string(std::string_view domain, std::string_view mx_host)> by_rule;
  // Whether a name that no rule gave may be of a system with this mail server.
  std::function<bool(std::string_view site, std::string_view mx_host)> has_host;
};

// By whom a mail was taken, or may have been. The view is of the story.
struct TakenBy {
  std::string_view mx_host;  // of the last attempt that had one, where its end was told without
  Cause cause = Cause::none;
};
[[nodiscard]] TakenBy taken_by(const store::Story& story);

// The name under which its delivery counts it as `story.state`; where it does not (a transaction,
// or from before this was counted) the rule's, or empty. Errors: of the store.
[[nodiscard]] Result<std::string> counted_site(store::OutcomeCountReads& counts,
                                               const store::Story& story, const SiteNames& names);

}  // namespace todoku::inbound
