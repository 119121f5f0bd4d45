// SPDX-License-Identifier: Apache-2.0
// What sources that are warming up have sent (store/warm_up.h).
#include "store/warm_up.h"

#include <algorithm>

#include "store/postgres/session.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kCounts{"warm-up: counts",
                  "SELECT day, site, taken FROM warm_up WHERE source = $1 AND day >= $2"
                  " ORDER BY day DESC, site LIMIT $3"};
const Sql kDrop{"warm-up: drop",
                "DELETE FROM warm_up WHERE source = $1 AND day < $2 AND (day < $3 OR site <> '')"};
// Whoever takes for the same day waits here for the end of the one before.
const Sql kLock{"warm-up: lock",
                "INSERT INTO warm_up AS w(source, day, site, taken) VALUES($1, $2, $3, 0)"
                " ON CONFLICT(source, day, site) DO UPDATE SET taken = w.taken RETURNING taken"};
const Sql kAdd{"warm-up: add",
               "UPDATE warm_up SET taken = greatest(taken + $4, 0)"
               " WHERE source = $1 AND day = $2 AND site = $3"};

}  // namespace

Result<std::vector<WarmUpCount>> Questions::warm_up_counts(std::string_view source, WarmUpDay since,
                                                           std::int64_t limit) {
  const auto rows = session_.ask(kCounts, Params() << source << since << limit);
  if (!rows) return fail(rows.error());
  std::vector<WarmUpCount> counts;
  for (int i = 0; i < rows->size(); ++i) {
    counts.push_back({rows->integer(i, 0), std::string(rows->text(i, 1)), rows->integer(i, 2)});
  }
  return counts;
}

Result<std::int64_t> Changes::take_warm_up(const WarmUpTake& take) {
  const std::string_view source = take.source;
  const auto in_all = session_.ask(kLock, Params() << source << take.day << std::string_view());
  if (!in_all) return fail(in_all.error());
  const auto dropped =
      session_.ask(kDrop, Params() << source << take.day - kWarmUpSitesKept << kept_since(take));
  if (!dropped) return fail(dropped.error());
  std::int64_t granted = std::min(take.want, take.volume - in_all->integer(0, 0));
  if (!take.site.empty()) {
    const auto at_site =
        session_.ask(kLock, Params() << source << take.day << std::string_view(take.site));
    if (!at_site) return fail(at_site.error());
    granted = std::min(granted, take.site_volume - at_site->integer(0, 0));
  }
  if (granted <= 0) return 0;
  const auto added = give_back_warm_up(source, {take.day, take.site, -granted});
  if (!added) return fail(added.error());
  return granted;
}

Result<void> Changes::give_back_warm_up(std::string_view source, const WarmUpCount& unsent) {
  const auto add = [&](std::string_view site) -> Result<void> {
    const auto done = session_.ask(kAdd, Params() << source << unsent.day << site << -unsent.taken);
    if (!done) return fail(done.error());
    return {};
  };
  auto done = add("");
  if (done && !unsent.site.empty()) done = add(unsent.site);
  return done;
}

}  // namespace todoku::store::postgres
