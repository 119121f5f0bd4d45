// SPDX-License-Identifier: Apache-2.0
// The octets of relayed messages, in pieces (store/relayed.h).
#include <algorithm>

#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// A piece is about as many rows to the database.
constexpr std::int64_t kRowsOfPiece = 100;

std::unexpected<Error> no_open_relayed() {
  return fail(ErrorKind::not_found, "the message is a delivery's already, or was removed");
}

}  // namespace

Result<RelayedKey> SqliteWriteTransaction::begin_relayed(NodeKey node) {
  const auto key = counters_.take_numbers(1);
  if (!key) return fail(key.error());
  auto done = db_.query(
                     "INSERT INTO relayed(key, node, octets, pieces, touched, delivery, gone)"
                     " VALUES(?, ?, 0, 0, ?, 0, 0)")
                  .bind(*key, node, now_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return RelayedKey{*key};
}

Result<void> SqliteWriteTransaction::add_relayed_piece(RelayedKey key, std::int64_t which,
                                                       std::string_view octets) {
  if (auto sound = check_relayed_piece(octets); !sound) return sound;
  auto done = db_.query(
                     "UPDATE relayed SET pieces = pieces + 1, octets = octets + ?, touched = ?"
                     " WHERE key = ? AND pieces = ? AND octets = ? AND delivery = 0 AND gone = 0")
                  .bind(octets.size(), now_, key, which, full_pieces(which))
                  .run();
  if (!done) return done;
  if (db_.changes() == 1) {
    return db_.query("INSERT INTO relayed_pieces(relayed, which, data) VALUES(?, ?, ?)")
        .bind(key, which, Blob{octets})
        .run();
  }
  auto query = db_.query("SELECT 1 FROM relayed WHERE key = ? AND delivery = 0 AND gone = 0");
  query.bind(key);
  const bool is_open = query.next();
  if (query.failed()) return fail(query.error());
  if (!is_open) return no_open_relayed();
  return fail(ErrorKind::conflict, "this is not the next piece of the message");
}

Result<void> SqliteWriteTransaction::drop_relayed(RelayedKey key) {
  return db_.query("UPDATE relayed SET gone = 1 WHERE key = ? AND delivery = 0").bind(key).run();
}

Result<void> SqliteWriteTransaction::find_relayed(const RelayedData& data) {
  auto query =
      db_.query("SELECT 1 FROM relayed WHERE key = ? AND octets = ? AND delivery = 0 AND gone = 0");
  query.bind(data.key, data.octets);
  const bool found = query.next();
  if (query.failed()) return fail(query.error());
  if (!found) return no_open_relayed();
  return {};
}

Result<void> SqliteWriteTransaction::name_relayed(RelayedKey key, DeliveryKey delivery) {
  return db_.query("UPDATE relayed SET delivery = ? WHERE key = ?").bind(delivery, key).run();
}

Result<void> SqliteWriteTransaction::drop_unnamed_relayed() {
  return db_
      .query(
          "UPDATE relayed SET gone = 1 WHERE delivery = 0 AND gone = 0 AND touched <= ?1"
          " AND (touched <= ?2 OR NOT EXISTS"
          " (SELECT 1 FROM nodes n WHERE n.key = relayed.node AND n.void = 0))")
      .bind(now_ - kUnnamedRelayedOfDeadFor, now_ - kUnnamedRelayedFor)
      .run();
}

// True when no removed message is left.
Result<bool> SqliteWriteTransaction::purge_relayed(std::int64_t& rows) {
  if (auto done = drop_unnamed_relayed(); !done) return fail(std::move(done.error()));
  while (rows > 0) {
    const auto key = db_.integer("SELECT key FROM relayed WHERE gone = 1 LIMIT 1");
    if (!key) return fail(key.error());
    if (*key == 0) return true;
    const std::int64_t pieces = std::max<std::int64_t>(1, rows / kRowsOfPiece);
    auto done = db_.query(
                       "DELETE FROM relayed_pieces WHERE id IN (SELECT id FROM relayed_pieces"
                       " WHERE relayed = ? ORDER BY which LIMIT ?)")
                    .bind(*key, pieces)
                    .run();
    if (!done) return fail(std::move(done.error()));
    const std::int64_t removed = db_.changes();
    rows -= removed * kRowsOfPiece;
    if (removed == pieces) continue;
    done = db_.query("DELETE FROM relayed WHERE key = ?").bind(*key).run();
    if (!done) return fail(std::move(done.error()));
    --rows;
  }
  return false;
}

Result<std::string> Queries::relayed_part(std::int64_t relayed, std::uint64_t offset,
                                          std::size_t octets) {
  std::string part;
  part.reserve(octets);
  while (part.size() < octets) {
    const std::uint64_t at = offset + part.size();
    auto query = db_.query("SELECT id FROM relayed_pieces WHERE relayed = ? AND which = ?");
    query.bind(relayed, at / kRelayedPieceOctets);
    if (!query.next()) {
      if (query.failed()) return fail(query.error());
      return fail(ErrorKind::corrupt, "a piece of a relayed message is not there");
    }
    const std::uint64_t within = at % kRelayedPieceOctets;
    const std::size_t wanted =
        std::min<std::size_t>(octets - part.size(), kRelayedPieceOctets - within);
    auto piece = db_.part_of_blob({"relayed_pieces", "data", query.integer(0)}, within, wanted);
    if (!piece) return piece;
    part += *piece;
  }
  return part;
}

}  // namespace todoku::store::sqlite
