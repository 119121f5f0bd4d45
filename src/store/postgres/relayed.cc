// SPDX-License-Identifier: Apache-2.0
// The octets of relayed messages, in pieces (store/relayed.h). Who names them is in accept.cc and
// writes_drafts.cc. A row is locked after those of deliveries; of several rows, none waits for
// another.
#include <algorithm>

#include "store/postgres/contents.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kBeginRelayed{"relayed: begin",
                        "INSERT INTO relayed(key, node, octets, pieces, touched, delivery, gone)"
                        " VALUES($1, $2, 0, 0, $3, 0, 0)"};
const Sql kCountRelayedPiece{
    "relayed: count piece",
    "UPDATE relayed SET pieces = pieces + 1, octets = octets + $3, touched = $4"
    " WHERE key = $1 AND pieces = $2 AND octets = $5 AND delivery = 0 AND gone = 0"};
const Sql kIsOpenRelayed{"relayed: open",
                         "SELECT pieces FROM relayed WHERE key = $1 AND delivery = 0 AND gone = 0"};
const Sql kAddRelayedPiece{"relayed: add piece",
                           "INSERT INTO relayed_pieces VALUES($1, $2, $3) ON CONFLICT DO NOTHING"};
const Sql kDropRelayedKey{"relayed: drop",
                          "UPDATE relayed SET gone = 1 WHERE key = $1 AND delivery = 0"};

// A piece is some hundreds of rows to the database.
constexpr std::int64_t kRowsOfRelayedPiece = 100;
constexpr std::int64_t kUnnamedRelayedAtOnce = 100;
const Sql kDropUnnamedRelayed{
    "relayed: drop unnamed",
    "UPDATE relayed SET gone = 1 WHERE key = ANY(ARRAY(SELECT key FROM relayed r"
    " WHERE delivery = 0 AND gone = 0 AND touched <= $1 AND (touched <= $2 OR NOT EXISTS"
    " (SELECT 1 FROM nodes n WHERE n.key = r.node AND n.void = 0)) ORDER BY key LIMIT $3"
    " FOR UPDATE SKIP LOCKED)) AND delivery = 0"};
const Sql kGoneRelayed{"relayed: gone",
                       "SELECT key FROM relayed WHERE gone = 1 LIMIT 1 FOR UPDATE SKIP LOCKED"};
const Sql kPurgeRelayedPieces{
    "relayed: purge pieces",
    "DELETE FROM relayed_pieces WHERE relayed = $1 AND which = ANY(ARRAY(SELECT"
    " which FROM relayed_pieces WHERE relayed = $1 ORDER BY which LIMIT $2))"};
const Sql kPurgeRelayed{"relayed: purge", "DELETE FROM relayed WHERE key = $1"};

}  // namespace

Result<RelayedKey> Changes::begin_relayed(NodeKey node) {
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto begun = session_.ask(kBeginRelayed, Params() << *key << node << session_.now());
  if (!begun) return fail(begun.error());
  return RelayedKey{*key};
}

Result<void> Changes::add_relayed_piece(RelayedKey key, std::int64_t which,
                                        std::string_view octets) {
  if (auto sound = check_relayed_piece(octets); !sound) return sound;
  // Of what is refused here nothing stays.
  const auto done = session_
                        .add(kCountRelayedPiece, Params() << key << which << octets.size()
                                                          << session_.now() << full_pieces(which))
                        .add(kAddRelayedPiece, Params() << key << which << Octets{octets})
                        .fly();
  if (!done) return fail(done.error());
  if (done->front().changes() == 1 && done->back().changes() == 1) return {};
  const auto open = session_.ask(kIsOpenRelayed, Params() << key);
  if (!open) return fail(open.error());
  if (open->empty()) return octets_are_gone();
  return fail(ErrorKind::conflict, "this is not the next piece of the message");
}

Result<void> Changes::drop_relayed(RelayedKey key) {
  const auto done = session_.ask(kDropRelayedKey, Params() << key);
  if (!done) return fail(done.error());
  return {};
}

Result<bool> Changes::purge_relayed(std::int64_t& rows) {
  const auto unnamed =
      session_.ask(kDropUnnamedRelayed, Params() << session_.now() - kUnnamedRelayedOfDeadFor
                                                 << session_.now() - kUnnamedRelayedFor
                                                 << kUnnamedRelayedAtOnce);
  if (!unnamed) return fail(unnamed.error());
  while (rows > 0) {
    const auto gone = session_.ask(kGoneRelayed);
    if (!gone) return fail(gone.error());
    if (gone->empty()) return true;
    const std::int64_t key = gone->integer(0, 0);
    const std::int64_t pieces = std::max<std::int64_t>(1, rows / kRowsOfRelayedPiece);
    const auto purged = session_.ask(kPurgeRelayedPieces, Params() << key << pieces);
    if (!purged) return fail(purged.error());
    rows -= purged->changes() * kRowsOfRelayedPiece;
    if (purged->changes() == pieces) continue;
    const auto done = session_.ask(kPurgeRelayed, Params() << key);
    if (!done) return fail(done.error());
    --rows;
  }
  return false;
}

}  // namespace todoku::store::postgres
