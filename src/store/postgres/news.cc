// SPDX-License-Identifier: Apache-2.0
// News between processes (store/news.h).
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kNews{"news: oldest", "SELECT key, teller, body FROM news ORDER BY at LIMIT $1"};
// Several tell at once: none waits for another's dropping.
const Sql kDropOldNews{"news: drop old",
                       "DELETE FROM news WHERE key IN (SELECT key FROM news WHERE at < $1"
                       " ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)"};
const Sql kTellNews{"news: tell", "INSERT INTO news(key, at, teller, body) VALUES($1, $2, $3, $4)"};
const Sql kDropNews{"news: drop", "DELETE FROM news WHERE key = ANY($1)"};
// Of news that nobody reads, dropped with each that comes.
constexpr std::int64_t kOldNewsDropped = 100;

}  // namespace

Result<std::vector<NewsItem>> Questions::news(std::int64_t limit) {
  const auto rows = session_.ask(kNews, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<NewsItem> items;
  for (int i = 0; i < rows->size(); ++i) {
    items.push_back(
        {rows->integer(i, 0), NodeKey{rows->integer(i, 1)}, std::string(rows->text(i, 2))});
  }
  return items;
}

Result<void> Changes::tell_news(NodeKey teller, std::string_view body) {
  if (body.size() > kNewsMax) return fail(ErrorKind::invalid_input, "a piece of news is too long");
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto told =
      session_.add(kDropOldNews, Params() << session_.now() - kNewsKept << kOldNewsDropped)
          .add(kTellNews, Params() << *key << session_.now() << teller << Octets{body})
          .fly();
  if (!told) return fail(told.error());
  return {};
}

Result<void> Changes::drop_news(std::span<const std::int64_t> keys) {
  Column dropped(kInt8);
  for (const std::int64_t key : keys) dropped.add(key);
  const auto done = session_.ask(kDropNews, Params() << dropped);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
