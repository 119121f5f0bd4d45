// SPDX-License-Identifier: Apache-2.0
// What sources that are warming up have sent (store/warm_up.h).
#include "store/warm_up.h"

#include <algorithm>

#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Result<std::int64_t> taken_of(Connection& db, const WarmUpTake& take, std::string_view site) {
  auto query = db.query("SELECT taken FROM warm_up WHERE source = ? AND day = ? AND site = ?");
  query.bind(take.source, take.day, site);
  const std::int64_t taken = query.next() ? query.integer(0) : 0;
  if (query.failed()) return fail(query.error());
  return taken;
}

Result<void> add(Connection& db, std::string_view source, const WarmUpCount& count) {
  return db
      .query(
          "INSERT INTO warm_up(source, day, site, taken) VALUES(?1, ?2, ?3, max(?4, 0))"
          " ON CONFLICT(source, day, site) DO UPDATE SET taken = max(taken + ?4, 0)")
      .bind(source, count.day, count.site, count.taken)
      .run();
}

}  // namespace

Result<std::vector<WarmUpCount>> Queries::warm_up_counts(std::string_view source, WarmUpDay since,
                                                         std::int64_t limit) {
  std::vector<WarmUpCount> counts;
  auto query = db_.query(
      "SELECT day, site, taken FROM warm_up WHERE source = ? AND day >= ?"
      " ORDER BY day DESC, site LIMIT ?");
  query.bind(source, since, limit);
  while (query.next()) {
    counts.push_back({query.integer(0), std::string(query.text(1)), query.integer(2)});
  }
  if (query.failed()) return fail(query.error());
  return counts;
}

Result<std::int64_t> SqliteWriteTransaction::take_warm_up(const WarmUpTake& take) {
  const auto dropped =
      db_.query("DELETE FROM warm_up WHERE source = ?1 AND (day < ?2 OR (day < ?3 AND site <> ''))")
          .bind(take.source, kept_since(take), take.day - kWarmUpSitesKept)
          .run();
  if (!dropped) return fail(dropped.error());
  const auto in_all = taken_of(db_, take, "");
  if (!in_all) return fail(in_all.error());
  std::int64_t granted = std::min(take.want, take.volume - *in_all);
  if (!take.site.empty()) {
    const auto at_site = taken_of(db_, take, take.site);
    if (!at_site) return fail(at_site.error());
    granted = std::min(granted, take.site_volume - *at_site);
  }
  if (granted <= 0) return 0;
  auto added = add(db_, take.source, {take.day, "", granted});
  if (added && !take.site.empty()) {
    added = add(db_, take.source, {take.day, take.site, granted});
  }
  if (!added) return fail(added.error());
  return granted;
}

Result<void> SqliteWriteTransaction::give_back_warm_up(std::string_view source,
                                                       const WarmUpCount& unsent) {
  auto done = add(db_, source, {unsent.day, "", -unsent.taken});
  if (done && !unsent.site.empty()) {
    done = add(db_, source, {unsent.day, unsent.site, -unsent.taken});
  }
  return done;
}

}  // namespace todoku::store::sqlite
