// SPDX-License-Identifier: Apache-2.0
// Questions about nodes and what they hold.
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {

Result<std::vector<Node>> Queries::nodes() {
  std::vector<Node> nodes;
  auto query = db_.query(
      "SELECT key, name, roles, version, entered, lease_until, void, settings, sources FROM nodes"
      " ORDER BY key");
  while (query.next()) {
    Node& node = nodes.emplace_back();
    node.key = NodeKey{query.integer(0)};
    node.name = query.text(1);
    node.roles = query.text(2);
    node.version = query.text(3);
    node.entered = query.instant(4);
    node.left = query.instant(5) - now_;
    node.is_void = query.flag(6);
    node.settings = query.text(7);
    node.sources = split_sources(query.text(8));
  }
  if (query.failed()) return fail(query.error());
  return nodes;
}

Result<std::vector<NodeHolds>> Queries::held_by_nodes() {
  std::vector<NodeHolds> all;
  auto query = db_.query(
      "SELECT holder, count(*), sum(open) FROM batches WHERE holder <> 0 GROUP BY holder"
      " ORDER BY holder");
  while (query.next()) {
    all.push_back({.node = NodeKey{query.integer(0)},
                   .batches = query.integer(1),
                   .recipients = query.integer(2)});
  }
  if (query.failed()) return fail(query.error());
  return all;
}

Result<std::vector<HeldBatch>> Queries::lost_by(NodeKey node, std::span<const HeldBatch> held) {
  std::vector<HeldBatch> lost;
  auto query = db_.query("SELECT 1 FROM batches WHERE number = ? AND token = ? AND holder = ?");
  for (const HeldBatch& batch : held) {
    query.bind(batch_number(batch.key), batch.token, node);
    const bool holds = query.next();
    if (query.failed()) return fail(query.error());
    if (!holds) lost.push_back(batch);
    query.reset();
  }
  return lost;
}

Result<std::vector<HeldBatch>> Queries::held_by(NodeKey node, const std::optional<BatchKey>& after,
                                                std::int64_t limit) {
  std::vector<HeldBatch> held;
  auto query = db_.query(
      "SELECT number, delivery, token FROM batches"
      " WHERE holder = ? AND holder <> 0 AND number > ? ORDER BY number LIMIT ?");
  query.bind(node, after ? batch_number(*after) : std::int64_t{0}, limit);
  while (query.next()) {
    held.push_back({batch_key(query.integer(1), query.integer(0)),
                    static_cast<std::uint64_t>(query.integer(2))});
  }
  if (query.failed()) return fail(query.error());
  return held;
}

}  // namespace todoku::store::sqlite
