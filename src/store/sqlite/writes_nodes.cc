// SPDX-License-Identifier: Apache-2.0
// Nodes, and what becomes of the batches of those that died (store/nodes.h, store/work.h).
#include <algorithm>

#include <fmt/format.h>

#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

// Who may not live beside a node that enters, or has its place taken.
Result<void> SqliteWriteTransaction::make_way(const NewNode& node) {
  const auto all = queries_.nodes();
  if (!all) return fail(all.error());
  for (const Node& other : *all) {
    if (other.is_void) continue;
    const bool is_before = node.succeeds && other.name == node.name;
    if (!is_before && !node.alone) continue;
    if (!is_before && lease_runs(other)) {
      return fail(ErrorKind::conflict, lives_here(other));
    }
    auto done = db_.query("UPDATE nodes SET void = ? WHERE key = ?")
                    .bind(is_before ? NodeEnd::replaced : NodeEnd::silent, other.key)
                    .run();
    if (!done) return done;
    if (!is_before) continue;
    done = give_all(other.key);
    if (!done) return done;
  }
  return {};
}

Result<NodeKey> SqliteWriteTransaction::enter_node(const NewNode& node) {
  auto done = make_way(node);
  if (!done) return fail(std::move(done.error()));
  const auto key = counters_.take_numbers(1);
  if (!key) return fail(key.error());
  done = db_.query(
                "INSERT INTO nodes(key, name, roles, version, entered, lease_until, void, settings)"
                " VALUES(?, ?, ?, ?, ?, ?, 0, ?)")
             .bind(*key, std::string_view(node.name), std::string_view(node.roles),
                   std::string_view(node.version), now_, now_ + kNodeLease,
                   std::string_view(node.settings))
             .run();
  if (!done) return fail(std::move(done.error()));
  return NodeKey{*key};
}

Result<void> SqliteWriteTransaction::renew_node(NodeKey node) {
  auto done = db_.query("UPDATE nodes SET lease_until = ? WHERE key = ? AND void = 0")
                  .bind(now_ + kNodeLease, node)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::conflict, "this node counts as dead");
  return {};
}

Result<void> SqliteWriteTransaction::offer_sources(NodeKey node,
                                                   std::span<const std::string> sources) {
  const auto text = joined_sources(sources);
  if (!text) return fail(text.error());
  auto done = db_.query("UPDATE nodes SET sources = ? WHERE key = ? AND void = 0")
                  .bind(std::string_view(*text), node)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::conflict, "this node counts as dead");
  return {};
}

Result<void> SqliteWriteTransaction::leave_node(NodeKey node) {
  auto done = db_.query("UPDATE nodes SET void = 2 WHERE key = ?").bind(node).run();
  if (!done) return done;
  done = give_all(node);
  if (!done) return done;
  return db_
      .query(
          "DELETE FROM nodes WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM batches"
          " WHERE holder = ?1 AND holder <> 0)")
      .bind(node)
      .run();
}

Result<bool> SqliteWriteTransaction::void_node(NodeKey node) {
  auto done = db_.query("UPDATE nodes SET void = 1 WHERE key = ? AND lease_until <= ? AND void = 0")
                  .bind(node, now_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() > 0) return true;
  auto query = db_.query("SELECT 1 FROM nodes WHERE key = ? AND void = 0");
  query.bind(node);
  const bool lives = query.next();
  if (query.failed()) return fail(query.error());
  return !lives;
}

// One more death with this recipient alone in hand and begun. True: it is set aside.
Result<bool> SqliteWriteTransaction::count_death(std::int64_t row, Instant expires) {
  std::int64_t deaths = 0;
  {
    auto query = db_.query(
        "INSERT INTO suspects(recipient, deaths) VALUES(?, 1)"
        " ON CONFLICT(recipient) DO UPDATE SET deaths = deaths + 1 RETURNING deaths");
    query.bind(row);
    while (query.next()) deaths = query.integer(0);
    if (query.failed()) return fail(query.error());
  }
  if (deaths < kDeathsToSetAside) return false;
  auto done = db_.query("UPDATE suspects SET aside = ? WHERE recipient = ?").bind(now_, row).run();
  if (!done) return fail(std::move(done.error()));
  history_.clear();
  done = append_set_aside(queries_.dictionary(), now_, deaths, history_);
  if (!done) return fail(std::move(done.error()));
  // Due at the end of its life, to be given up then.
  done = db_.query(
                "INSERT INTO progress(id, info, due, history) VALUES(?1, 0, ?2, ?3)"
                " ON CONFLICT(id) DO UPDATE SET due = ?2, history = history || ?3")
             .bind(row, expires, Blob{history_})
             .run();
  if (!done) return fail(std::move(done.error()));
  return true;
}

Result<void> SqliteWriteTransaction::lose_batch(std::int64_t number, NodeEnd end,
                                                OfferedAgain& offered) {
  const bool died = end == NodeEnd::silent || end == NodeEnd::replaced;
  std::int64_t open = 0;
  std::int64_t losses = 0;
  std::optional<std::int64_t> begun;  // the recipient that was alone in hand
  Instant expires{};
  {
    auto query = db_.query(
        "SELECT b.open, b.losses, CASE b.begun WHEN 1 THEN b.alone END, d.expires"
        " FROM batches b JOIN deliveries d ON d.key = b.delivery WHERE b.number = ?");
    query.bind(number);
    if (!query.next()) {
      if (query.failed()) return fail(query.error());
      return {};
    }
    open = query.integer(0);
    losses = query.integer(1) + (died ? 1 : 0);
    if (!query.is_null(2)) begun = query.integer(2);
    expires = query.optional_instant(3).value_or(now_);
  }
  if (died && begun) {
    const auto aside = count_death(recipient_row(number, *begun), expires);
    if (!aside) return fail(aside.error());
    if (*aside) {
      const auto told = queries_.set_aside_of(recipient_row(number, *begun));
      if (!told) return fail(told.error());
      if (*told) offered.set_aside.push_back(std::move(**told));
      losses = 0;  // the rest goes on
    }
  }
  const auto due = earliest_due(number, open);
  if (!due) return fail(due.error());
  const auto lost_at = died ? std::optional(now_) : std::nullopt;
  const auto late = end == NodeEnd::silent ? std::optional(now_ + kLateWords) : std::nullopt;
  return db_
      .query(
          "UPDATE batches SET holder = 0, token = token + 1, ready_at = ?1, losses = ?2,"
          " alone = NULL, begun = 0, late_until = coalesce(?4, late_until),"
          " doubted = CASE WHEN ?3 IS NULL THEN doubted ELSE doubted | underway END,"
          " lost_at = CASE underway WHEN 0 THEN lost_at ELSE coalesce(?3, lost_at) END,"
          " underway = 0 WHERE number = ?5")
      .bind(*due, losses, lost_at, late, number)
      .run();
}

Result<OfferedAgain> SqliteWriteTransaction::offer_again(NodeKey node, std::int64_t limit) {
  OfferedAgain offered;
  struct Held {
    std::int64_t number = 0;
    std::int64_t delivery = 0;
    bool at_most_once = false;
  };
  std::vector<Held> held;
  NodeEnd end{};
  {
    auto query = db_.query(
        "SELECT b.number, n.void, b.delivery, d.at_most_once FROM batches b"
        " JOIN nodes n ON n.key = b.holder JOIN deliveries d ON d.key = b.delivery"
        " WHERE b.holder = ? AND b.holder <> 0 AND n.void <> 0 LIMIT ?");
    query.bind(node, limit);
    while (query.next()) {
      held.push_back({query.integer(0), query.integer(2), query.flag(3)});
      end = static_cast<NodeEnd>(query.integer(1));
    }
    if (query.failed()) return fail(query.error());
  }
  for (const auto& [number, delivery, at_most_once] : held) {
    if (at_most_once) {
      const auto unknown = doubt_those_on_their_way(batch_key(delivery, number));
      if (!unknown) return fail(unknown.error());
      offered.unknown += *unknown;
    }
    auto done = lose_batch(number, end, offered);
    if (!done) return fail(std::move(done.error()));
  }
  offered.batches = static_cast<std::int64_t>(held.size());
  offered.more = offered.batches == limit;
  if (offered.more) return offered;
  auto done = db_.query("DELETE FROM nodes WHERE key = ? AND void <> 0").bind(node).run();
  if (!done) return fail(std::move(done.error()));
  return offered;
}

Result<OfferedAgain> SqliteWriteTransaction::give_back(NodeKey node,
                                                       std::span<const HeldBatch> held) {
  OfferedAgain offered;
  for (const HeldBatch& batch : held) {
    const std::int64_t number = batch_number(batch.key);
    bool is_held = false;
    bool at_most_once = false;
    {
      auto query = db_.query(
          "SELECT d.at_most_once FROM batches b JOIN deliveries d ON d.key = b.delivery"
          " WHERE b.number = ? AND b.token = ? AND b.holder = ? AND b.holder <> 0");
      query.bind(number, batch.token, node);
      is_held = query.next();
      if (query.failed()) return fail(query.error());
      at_most_once = is_held && query.flag(0);
    }
    if (!is_held) continue;
    if (at_most_once) {
      const auto unknown = doubt_those_on_their_way(batch.key);
      if (!unknown) return fail(unknown.error());
      offered.unknown += *unknown;
    }
    auto done = lose_batch(number, NodeEnd::left, offered);
    if (!done) return fail(std::move(done.error()));
    ++offered.batches;
  }
  return offered;
}

// ---- suspects ----------------------------------------------------------------------------------

Result<void> SqliteWriteTransaction::mark_begun(const HeldBatch& held, bool begun) {
  auto done = db_.query(
                     "UPDATE batches SET begun = ? WHERE number = ? AND token = ? AND holder <> 0"
                     " AND alone IS NOT NULL")
                  .bind(begun, batch_number(held.key), held.token)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::conflict, "this batch has passed to another node");
  return {};
}

// Of an outcome for a recipient that may be set aside: a last word ends that, any other changes
// nothing about it. True: it stays set aside.
Result<bool> SqliteWriteTransaction::keep_aside(std::int64_t row, bool is_over) {
  if (is_over) {
    auto done = db_.query("DELETE FROM suspects WHERE recipient = ?").bind(row).run();
    if (!done) return fail(std::move(done.error()));
    return false;
  }
  auto query = db_.query("SELECT 1 FROM suspects WHERE recipient = ? AND aside IS NOT NULL");
  query.bind(row);
  const bool aside = query.next();
  if (query.failed()) return fail(query.error());
  return aside;
}

Result<void> SqliteWriteTransaction::offer_set_aside(const RecipientKey& key) {
  const std::int64_t row = recipient_row(key);
  auto done =
      db_.query("DELETE FROM suspects WHERE recipient = ? AND aside IS NOT NULL").bind(row).run();
  if (!done) return done;
  if (db_.changes() == 0) {
    return fail(ErrorKind::not_found, "no such recipient is set aside");
  }
  done = db_.query("UPDATE progress SET due = ? WHERE id = ? AND (info & 7) <= 1")
             .bind(now_, row)
             .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::not_found, "its life has ended");
  return db_
      .query(
          "UPDATE batches SET ready_at = min(ready_at, ?) WHERE number = ? AND holder = 0"
          " AND ready_at IS NOT NULL")
      .bind(now_, batch_of(row))
      .run();
}

}  // namespace todoku::store::sqlite
