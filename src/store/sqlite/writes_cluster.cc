// SPDX-License-Identifier: Apache-2.0
// Who leads, and whose a source is (store/cluster.h).
#include <algorithm>

#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

// Its lease may have lapsed, but nobody has taken anything of it.
Result<void> SqliteWriteTransaction::must_be_known(NodeKey node) {
  auto query = db_.query("SELECT 1 FROM nodes WHERE key = ? AND void = 0");
  query.bind(node);
  const bool is_known = query.next();
  if (query.failed()) return fail(query.error());
  if (!is_known) return fail(ErrorKind::conflict, "this node counts as dead");
  return {};
}

Result<Leader> SqliteWriteTransaction::lead(NodeKey node) {
  auto done = must_be_known(node);
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "UPDATE leadership SET token = token + (node <> ?1), node = ?1, until = ?2"
                " WHERE id = 1 AND (node IN (0, ?1) OR until <= ?3 OR until > ?4 OR NOT EXISTS"
                " (SELECT 1 FROM nodes WHERE nodes.key = leadership.node AND nodes.void = 0))")
             .bind(node, now_ + kLeadership, now_, now_ + kLeadership + kClocksApart)
             .run();
  if (!done) return fail(std::move(done.error()));
  auto leader = queries_.leader();
  if (!leader) return fail(leader.error());
  if (!*leader) return fail(ErrorKind::corrupt, "the row of who leads is missing");
  return std::move(**leader);
}

Result<void> SqliteWriteTransaction::stop_leading(NodeKey node) {
  return db_.query("UPDATE leadership SET node = 0 WHERE id = 1 AND node = ?").bind(node).run();
}

Result<SourceOwner> SqliteWriteTransaction::take_source(NodeKey node, std::string_view source) {
  auto done = must_be_known(node);
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "INSERT INTO source_owners(source, node, token) VALUES(?, 0, 0)"
                " ON CONFLICT DO NOTHING")
             .bind(source)
             .run();
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "UPDATE source_owners SET token = token + 1, node = ?1"
                " WHERE source = ?2 AND node <> ?1 AND (node = 0 OR NOT EXISTS"
                " (SELECT 1 FROM nodes WHERE nodes.key = source_owners.node AND nodes.void = 0))")
             .bind(node, source)
             .run();
  if (!done) return fail(std::move(done.error()));
  auto owners = queries_.source_owners();
  if (!owners) return fail(owners.error());
  const auto found = std::ranges::find(*owners, source, &SourceOwner::source);
  if (found == owners->end()) return fail(ErrorKind::corrupt, "the row of a source is missing");
  return std::move(*found);
}

Result<void> SqliteWriteTransaction::give_source(NodeKey node, std::string_view source) {
  return db_.query("UPDATE source_owners SET node = 0 WHERE source = ? AND node = ?")
      .bind(source, node)
      .run();
}

// Of a node that is known to have stopped.
Result<void> SqliteWriteTransaction::give_all(NodeKey node) {
  auto done = stop_leading(node);
  if (!done) return done;
  return db_.query("UPDATE source_owners SET node = 0 WHERE node = ?").bind(node).run();
}

}  // namespace todoku::store::sqlite
