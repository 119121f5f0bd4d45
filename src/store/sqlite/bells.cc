// SPDX-License-Identifier: Apache-2.0
// Bells (store/bells.h), each by itself: there is no network to be crossed for them.
#include <algorithm>

#include "store/sqlite/transactions.h"
#include "store/texts.h"

namespace todoku::store::sqlite {
namespace {

Result<void> ring_bell(Connection& db, const Bell& bell, Instant now) {
  return db
      .query(
          "INSERT INTO bells VALUES(?1, ?2, ?3, ?4, ?5, 0, 0, NULL)"
          " ON CONFLICT(source, traffic, delivery, batch) DO UPDATE SET ready_at = ?5, hidden = 0,"
          " times = 0, reception = NULL WHERE reception IS NOT NULL OR ready_at > ?5")
      .bind(std::string_view(bell.channel.source), bell.channel.traffic, bell.batch.delivery,
            bell.batch.batch, now)
      .run();
}

Result<void> acknowledge_bell(Connection& db, const HeldBell& held) {
  const Bell& bell = held.bell;
  return db
      .query(
          "DELETE FROM bells WHERE source = ? AND traffic = ? AND delivery = ? AND batch = ?"
          " AND reception = ?")
      .bind(std::string_view(bell.channel.source), bell.channel.traffic, bell.batch.delivery,
            bell.batch.batch, held.reception)
      .run();
}

Result<void> give_bell_back(Connection& db, const GivenBack& given, Instant now) {
  const Bell& bell = given.held.bell;
  const auto ready_at =
      given.delay > Milliseconds(0) ? std::optional(now + given.delay) : std::nullopt;
  return db
      .query(
          "UPDATE bells SET hidden = 0, reception = NULL, ready_at = coalesce(?6, ready_at)"
          " WHERE source = ?1 AND traffic = ?2 AND delivery = ?3 AND batch = ?4"
          " AND reception = ?5")
      .bind(std::string_view(bell.channel.source), bell.channel.traffic, bell.batch.delivery,
            bell.batch.batch, given.held.reception, ready_at)
      .run();
}

Result<void> hear_bells(Connection& db, const BellsWanted& wanted, const BellWork& work,
                        Instant now, BellsHeard& heard) {
  const std::string_view source = wanted.channel.source;
  std::vector<BatchKey> ready;
  {
    auto query = db.query(
        "SELECT delivery, batch FROM bells WHERE source = ?1 AND traffic = ?2 AND ready_at <= ?3"
        " AND (hidden <= ?3 OR hidden > ?5) ORDER BY ready_at LIMIT ?4");
    // Beyond that the machine's clock was set back while no engine ran.
    constexpr Milliseconds kApart = std::chrono::seconds(1);
    query.bind(source, wanted.channel.traffic, now, wanted.most, now + work.visibility + kApart);
    while (query.next()) {
      ready.push_back(
          {DeliveryKey{query.integer(0)}, static_cast<std::uint32_t>(query.integer(1))});
    }
    if (query.failed()) return fail(query.error());
  }
  for (const BatchKey& batch : ready) {
    auto query = db.query(
        "UPDATE bells SET hidden = ?5, times = times + 1, reception = ?6 WHERE source = ?1"
        " AND traffic = ?2 AND delivery = ?3 AND batch = ?4 RETURNING times");
    query.bind(source, wanted.channel.traffic, batch.delivery, batch.batch, now + work.visibility,
               work.reception);
    while (query.next()) {
      heard.bells.push_back(
          {{wanted.channel, batch}, static_cast<std::uint32_t>(query.integer(0))});
    }
    if (query.failed()) return fail(query.error());
  }
  return {};
}

// The first channel after this one.
Result<std::optional<BellChannel>> next_channel(Connection& db, const BellChannel& after,
                                                std::int64_t traffic) {
  auto query = db.query(
      "SELECT source, traffic FROM bells WHERE (source, traffic) > (?, ?)"
      " ORDER BY source, traffic LIMIT 1");
  query.bind(std::string_view(after.source), traffic);
  std::optional<BellChannel> next;
  if (query.next()) {
    next = BellChannel{std::string(query.text(0)), static_cast<TrafficClass>(query.integer(1))};
  }
  if (query.failed()) return fail(query.error());
  return next;
}

// From channel to channel, also those that nobody listens to any more.
Result<std::int64_t> forget_bells(Connection& db, std::int64_t most, Instant now) {
  std::int64_t forgotten = 0;
  BellChannel channel;
  std::int64_t traffic = -1;
  while (forgotten < most) {
    auto next = next_channel(db, channel, traffic);
    if (!next) return fail(std::move(next.error()));
    if (!*next) break;
    channel = std::move(**next);
    traffic = static_cast<std::int64_t>(channel.traffic);
    auto done =
        db.query(
              "DELETE FROM bells WHERE (source, traffic, delivery, batch) IN"
              " (SELECT source, traffic, delivery, batch FROM bells WHERE source = ?1"
              " AND traffic = ?2 AND ready_at < ?3 ORDER BY ready_at LIMIT ?4)")
            .bind(std::string_view(channel.source), traffic, now - kBellLife, most - forgotten)
            .run();
    if (!done) return fail(std::move(done.error()));
    forgotten += db.changes();
  }
  return forgotten;
}

}  // namespace

Result<BellsHeard> SqliteWriteTransaction::perform(const BellWork& work) {
  auto done = check_sound(work);
  for (const Bell& bell : work.rung) {
    if (done) done = ring_bell(db_, bell, now_);
  }
  for (const HeldBell& held : work.acknowledged) {
    if (done) done = acknowledge_bell(db_, held);
  }
  for (const GivenBack& given : work.given_back) {
    if (done) done = give_bell_back(db_, given, now_);
  }
  BellsHeard heard;
  for (const BellsWanted& wanted : work.wanted) {
    if (done) done = hear_bells(db_, wanted, work, now_, heard);
  }
  if (!done) return fail(std::move(done.error()));
  if (work.forget > 0) {
    const auto forgotten = forget_bells(db_, work.forget, now_);
    if (!forgotten) return fail(forgotten.error());
    heard.forgotten = *forgotten;
  }
  return heard;
}

Result<BellDepth> Queries::bell_depth(const BellChannel& channel) {
  auto query =
      db_.query("SELECT ready_at, hidden FROM bells WHERE source = ? AND traffic = ? LIMIT ?");
  query.bind(std::string_view(channel.source), channel.traffic, kBellsCounted);
  BellDepth depth;
  std::optional<Instant> oldest;
  while (query.next()) {
    const Instant ready_at = query.instant(0);
    const Instant hidden = query.instant(1);
    if (ready_at > now_) {
      ++depth.delayed;
    } else if (hidden > now_) {
      ++depth.held;
    } else {
      ++depth.ready;
      const Instant since = std::max(ready_at, hidden);
      oldest = std::min(oldest.value_or(since), since);
    }
  }
  if (query.failed()) return fail(query.error());
  if (oldest) depth.oldest_ready_age = now_ - *oldest;
  return depth;
}

}  // namespace todoku::store::sqlite
