// SPDX-License-Identifier: Apache-2.0
// Questions about nodes and what they hold.
#include <set>

#include "store/numbers.h"
#include "store/postgres/schema.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kNodes{
    "nodes: all",
    "SELECT n.key, n.name, n.roles, n.version, n.entered, coalesce(l.until, 0), n.void,"
    " n.settings, n.sources FROM nodes n LEFT JOIN node_leases l ON l.node = n.key ORDER BY n.key"};
// Nodes of versions that say nothing of it know 0 steps (schema.h, with_known_steps()).
const Sql kLivingWithout{
    "nodes: living without a step",
    "SELECT count(*) FROM nodes n JOIN node_leases l ON l.node = n.key WHERE n.void = 0"
    " AND l.until > $1"
    " AND coalesce(substring(n.settings from '^knows ([0-9]{1,9})'), '0')::bigint < $2"};
const Sql kHeldByNodes{"nodes: what they hold",
                       "SELECT n.key, h.batches, h.open FROM nodes n CROSS JOIN LATERAL"
                       " (SELECT count(*) AS batches, coalesce(sum(open), 0)::bigint AS open"
                       " FROM batches WHERE holder = n.key AND holder <> 0) h"
                       " WHERE h.batches > 0 ORDER BY n.key"};
const Sql kHeldStill{"nodes: held still",
                     "SELECT b.number, b.token FROM unnest($1::bigint[], $2::bigint[])"
                     " u(number, token) JOIN batches b ON b.number = u.number"
                     " AND b.token = u.token AND b.holder = $3"};
// What is held is found first: a walk by numbers would go through all that nobody holds.
const Sql kHeldBy{"nodes: held by",
                  "WITH held AS MATERIALIZED (SELECT number, delivery, token FROM batches"
                  " WHERE holder = $1 AND holder <> 0)"
                  " SELECT number, delivery, token FROM held WHERE number > $2"
                  " ORDER BY number LIMIT $3"};

// The step of the schema that came with it.
std::int64_t step_of(Novelty what) {
  switch (what) {
    case Novelty::templates:
      return 32;
    case Novelty::sandboxes:
    case Novelty::allowed_recipients:
      return 33;
    case Novelty::steering:
      return 34;
    case Novelty::people:
      return 36;
    case Novelty::approvals:
      return 38;
  }
  return schema_steps();
}

}  // namespace

Result<void> Questions::all_know(Novelty what) {
  const auto without = session_.ask(kLivingWithout, Params() << session_.now() << step_of(what));
  if (!without) return fail(without.error());
  const std::int64_t nodes = without->integer(0, 0);
  if (nodes == 0) return {};
  return not_known_to(nodes, what);
}

Result<std::vector<Node>> Questions::nodes() {
  const auto rows = session_.ask(kNodes);
  if (!rows) return fail(rows.error());
  std::vector<Node> nodes;
  for (int i = 0; i < rows->size(); ++i) {
    Node& node = nodes.emplace_back();
    node.key = NodeKey{rows->integer(i, 0)};
    node.name = rows->text(i, 1);
    node.roles = rows->text(i, 2);
    node.version = rows->text(i, 3);
    node.entered = rows->instant(i, 4);
    node.left = rows->instant(i, 5) - session_.now();
    node.is_void = rows->flag(i, 6);
    node.settings = without_known_steps(rows->text(i, 7));
    node.sources = split_sources(rows->text(i, 8));
  }
  return nodes;
}

Result<std::vector<NodeHolds>> Questions::held_by_nodes() {
  const auto rows = session_.ask(kHeldByNodes);
  if (!rows) return fail(rows.error());
  std::vector<NodeHolds> all;
  for (int i = 0; i < rows->size(); ++i) {
    all.push_back({.node = NodeKey{rows->integer(i, 0)},
                   .batches = rows->integer(i, 1),
                   .recipients = rows->integer(i, 2)});
  }
  return all;
}

Result<std::vector<HeldBatch>> Questions::lost_by(NodeKey node, std::span<const HeldBatch> held) {
  Column numbers(kInt8);
  Column tokens(kInt8);
  for (const HeldBatch& batch : held) {
    numbers.add(batch_number(batch.key));
    tokens.add(batch.token);
  }
  const auto rows = session_.ask(kHeldStill, Params() << numbers << tokens << node);
  if (!rows) return fail(rows.error());
  std::set<std::pair<std::int64_t, std::int64_t>> still;
  for (int i = 0; i < rows->size(); ++i) still.emplace(rows->integer(i, 0), rows->integer(i, 1));
  std::vector<HeldBatch> lost;
  for (const HeldBatch& batch : held) {
    if (!still.contains({batch_number(batch.key), stored(batch.token)})) lost.push_back(batch);
  }
  return lost;
}

Result<std::vector<HeldBatch>> Questions::held_by(NodeKey node,
                                                  const std::optional<BatchKey>& after,
                                                  std::int64_t limit) {
  const std::int64_t from = after ? batch_number(*after) : 0;
  const auto rows = session_.ask(kHeldBy, Params() << node << from << limit);
  if (!rows) return fail(rows.error());
  std::vector<HeldBatch> held;
  for (int i = 0; i < rows->size(); ++i) {
    held.push_back({batch_key(rows->integer(i, 1), rows->integer(i, 0)),
                    static_cast<std::uint64_t>(rows->integer(i, 2))});
  }
  return held;
}

}  // namespace todoku::store::postgres
