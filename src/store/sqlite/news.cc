// SPDX-License-Identifier: Apache-2.0
// News between processes (store/news.h).
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// Of news that nobody reads, dropped with each that comes.
constexpr std::int64_t kOldNewsDropped = 100;

}  // namespace

Result<std::vector<NewsItem>> Queries::news(std::int64_t limit) {
  std::vector<NewsItem> items;
  auto query = db_.query("SELECT key, teller, body FROM news ORDER BY at LIMIT ?");
  query.bind(limit);
  while (query.next()) {
    items.push_back({query.integer(0), NodeKey{query.integer(1)}, std::string(query.blob(2))});
  }
  if (query.failed()) return fail(query.error());
  return items;
}

Result<void> SqliteWriteTransaction::tell_news(NodeKey teller, std::string_view body) {
  if (body.size() > kNewsMax) return fail(ErrorKind::invalid_input, "a piece of news is too long");
  auto done = db_.query(
                     "DELETE FROM news WHERE key IN (SELECT key FROM news WHERE at < ?"
                     " ORDER BY at LIMIT ?)")
                  .bind(now_ - kNewsKept, kOldNewsDropped)
                  .run();
  if (!done) return done;
  return db_.query("INSERT INTO news(at, teller, body) VALUES(?, ?, ?)")
      .bind(now_, teller, Blob{body})
      .run();
}

Result<void> SqliteWriteTransaction::drop_news(std::span<const std::int64_t> keys) {
  for (const std::int64_t key : keys) {
    auto done = db_.query("DELETE FROM news WHERE key = ?").bind(key).run();
    if (!done) return done;
  }
  return {};
}

}  // namespace todoku::store::sqlite
