// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/dictionary.h"

#include <bit>

#include <fmt/format.h>

#include "base/digest.h"

namespace todoku::store::sqlite {
namespace {

// Bounds what senders and receivers can make us keep for ever.
constexpr std::array<std::int64_t, 3> kValuesMax{100'000, 2'000'000, 100'000};
// Bounds the memory of each cache; it is simply begun anew.
constexpr std::size_t kCachedMax = 20'000;

}  // namespace

Result<std::int64_t> Dictionary::count(DictionaryKind kind) {
  auto& cached = counts_[static_cast<std::size_t>(kind)];
  if (!cached) {
    auto query = db_.query("SELECT value FROM meta WHERE name = 'dictionary' || ?");
    query.bind(kind);
    std::int64_t value = 0;
    if (query.next()) value = query.integer(0);
    if (query.failed()) return fail(query.error());
    cached = value;
  }
  return *cached;
}

Result<std::optional<std::int64_t>> Dictionary::number(DictionaryKind kind,
                                                       std::string_view value) {
  wanted_.assign(1, static_cast<char>(kind));
  wanted_.append(value);
  if (const auto found = numbers_.find(wanted_); found != numbers_.end()) return found->second;
  if (numbers_.size() >= kCachedMax) numbers_.clear();

  const auto hash = std::bit_cast<std::int64_t>(fnv1a64(wanted_));
  auto query = db_.query("SELECT id FROM dictionary WHERE hash = ? AND kind = ? AND value = ?");
  query.bind(hash, kind, Blob{value});
  if (query.next()) {
    const std::int64_t id = query.integer(0);
    numbers_.emplace(wanted_, id);
    return id;
  }
  if (query.failed()) return fail(query.error());

  const auto present = count(kind);
  if (!present) return fail(present.error());
  if (*present >= kValuesMax[static_cast<std::size_t>(kind)]) return std::nullopt;
  auto added = db_.query("INSERT INTO dictionary(kind, hash, value) VALUES(?, ?, ?)")
                   .bind(kind, hash, Blob{value})
                   .run();
  if (!added) return fail(std::move(added.error()));
  const std::int64_t id = sqlite3_last_insert_rowid(db_.raw());
  auto counted = db_.query("INSERT OR REPLACE INTO meta(name, value) VALUES('dictionary' || ?, ?)")
                     .bind(kind, *present + 1)
                     .run();
  if (!counted) return fail(std::move(counted.error()));
  counts_[static_cast<std::size_t>(kind)] = *present + 1;
  numbers_.emplace(wanted_, id);
  return id;
}

bool Dictionary::repeats(std::string_view reply) {
  const std::uint64_t hash = fnv1a64(reply);
  auto& slot = seen_[hash % seen_.size()];
  if (slot == hash) return true;
  slot = hash;
  return false;
}

Result<std::string_view> Dictionary::value(std::int64_t number) {
  if (const auto found = values_.find(number); found != values_.end()) return found->second;
  if (values_.size() >= kCachedMax) values_.clear();
  auto query = db_.query("SELECT value FROM dictionary WHERE id = ?");
  query.bind(number);
  if (query.next()) return values_.emplace(number, query.blob(0)).first->second;
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::corrupt, fmt::format("the dictionary has no value {}", number));
}

Result<void> Dictionary::replace(std::int64_t number, DictionaryKind kind, std::string_view value) {
  std::string hashed(1, static_cast<char>(kind));
  hashed.append(value);
  auto done = db_.query("UPDATE dictionary SET value = ?, hash = ? WHERE id = ?")
                  .bind(Blob{value}, std::bit_cast<std::int64_t>(fnv1a64(hashed)), number)
                  .run();
  forget();
  return done;
}

void Dictionary::forget() {
  numbers_.clear();
  values_.clear();
  counts_ = {};
}

}  // namespace todoku::store::sqlite
