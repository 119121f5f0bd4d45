// SPDX-License-Identifier: Apache-2.0
// Who leads, and whose a source is (store/cluster.h). Locks: the row of the own node, shared, then
// the row of what is taken. What is decided under a lock is a statement of its own after the one
// that waits for it, so that it sees what was committed meanwhile.
#include "store/postgres/cluster.h"

#include "store/numbers.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define SOURCE_OWNER_COLUMNS                                                          \
  "s.source, s.node, n.name, s.token, coalesce(l.until, 0), coalesce(n.void, 1)"      \
  " FROM source_owners s LEFT JOIN nodes n ON n.key = s.node LEFT JOIN node_leases l" \
  " ON l.node = s.node"

const Sql kLeader{"cluster: leader",
                  "SELECT l.node, n.name, l.token, l.until, coalesce(n.void, 1) FROM leadership l"
                  " LEFT JOIN nodes n ON n.key = l.node WHERE l.id = 1 AND l.node <> 0"};
const Sql kOwners{"cluster: source owners",
                  "SELECT " SOURCE_OWNER_COLUMNS " WHERE s.node <> 0 ORDER BY s.source"};
const Sql kOwner{"cluster: source owner", "SELECT " SOURCE_OWNER_COLUMNS " WHERE s.source = $1"};

const Sql kHoldItself{"cluster: hold node",
                      "SELECT key FROM nodes WHERE key = $1 AND void = 0 FOR SHARE"};
const Sql kLockLeadership{"cluster: lock leadership",
                          "SELECT node FROM leadership WHERE id = 1 FOR UPDATE"};
const Sql kLead{"cluster: lead",
                "UPDATE leadership l SET node = $1, until = $2,"
                " token = CASE WHEN l.node = $1 THEN l.token ELSE l.token + 1 END"
                " WHERE l.id = 1 AND EXISTS (SELECT 1 FROM nodes m WHERE m.key = $1 AND m.void = 0)"
                " AND (l.node = 0 OR l.node = $1 OR l.until <= $3 OR l.until > $4 OR NOT EXISTS"
                " (SELECT 1 FROM nodes n WHERE n.key = l.node AND n.void = 0))"};
const Sql kMakeSource{"cluster: make source",
                      "INSERT INTO source_owners(source, node, token) VALUES($1, 0, 0)"
                      " ON CONFLICT DO NOTHING"};
const Sql kLockSource{"cluster: lock source",
                      "SELECT node FROM source_owners WHERE source = $1 FOR UPDATE"};
const Sql kTakeSource{
    "cluster: take source",
    "UPDATE source_owners s SET node = $1, token = s.token + 1"
    " WHERE s.source = $2 AND s.node <> $1"
    " AND EXISTS (SELECT 1 FROM nodes m WHERE m.key = $1 AND m.void = 0) AND (s.node = 0"
    " OR NOT EXISTS (SELECT 1 FROM nodes n WHERE n.key = s.node AND n.void = 0))"};
const Sql kGiveSource{"cluster: give source",
                      "UPDATE source_owners SET node = 0 WHERE source = $1 AND node = $2"};

Leader leader_in(const Table& rows, Instant now) {
  Leader leader;
  leader.node = NodeKey{rows.integer(0, 0)};
  leader.name = rows.text(0, 1);
  leader.token = static_cast<std::uint64_t>(rows.integer(0, 2));
  leader.until = rows.instant(0, 3);
  leader.left = leader.until - now;
  leader.is_void = rows.flag(0, 4);
  return leader;
}

SourceOwner owner_in(const Table& rows, int row, Instant now) {
  SourceOwner owner;
  owner.source = rows.text(row, 0);
  owner.node = NodeKey{rows.integer(row, 1)};
  owner.name = rows.text(row, 2);
  owner.token = static_cast<std::uint64_t>(rows.integer(row, 3));
  owner.until = rows.instant(row, 4);
  owner.left = owner.until - now;
  owner.is_void = rows.flag(row, 5);
  return owner;
}

std::unexpected<Error> counts_as_dead() {
  return fail(ErrorKind::conflict, "this node counts as dead");
}

}  // namespace

const Sql kStopLeading{"cluster: stop leading",
                       "UPDATE leadership SET node = 0 WHERE id = 1 AND node = ANY($1)"};
const Sql kGiveSources{"cluster: give sources",
                       "UPDATE source_owners SET node = 0 WHERE node = ANY($1)"};

Result<std::optional<Leader>> Questions::leader() {
  const auto rows = session_.ask(kLeader);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return leader_in(*rows, session_.now());
}

Result<std::vector<SourceOwner>> Questions::source_owners() {
  const auto rows = session_.ask(kOwners);
  if (!rows) return fail(rows.error());
  std::vector<SourceOwner> owners;
  for (int i = 0; i < rows->size(); ++i) owners.push_back(owner_in(*rows, i, session_.now()));
  return owners;
}

Result<Leader> Changes::lead(NodeKey node) {
  const Instant now = session_.now();
  const auto done = session_.add(kHoldItself, Params() << node)
                        .add(kLockLeadership)
                        .add(kLead, Params() << node << now + kLeadership << now
                                             << now + kLeadership + kClocksApart)
                        .add(kLeader)
                        .fly();
  if (!done) return fail(done.error());
  if (done->front().empty()) return counts_as_dead();
  if (done->back().empty()) return fail(ErrorKind::corrupt, "the row of who leads is missing");
  return leader_in(done->back(), now);
}

Result<void> Changes::stop_leading(NodeKey node) {
  Column nodes(kInt8);
  nodes.add(node);
  const auto done = session_.ask(kStopLeading, Params() << nodes);
  if (!done) return fail(done.error());
  return {};
}

Result<SourceOwner> Changes::take_source(NodeKey node, std::string_view source) {
  const auto done = session_.add(kHoldItself, Params() << node)
                        .add(kMakeSource, Params() << source)
                        .add(kLockSource, Params() << source)
                        .add(kTakeSource, Params() << node << source)
                        .add(kOwner, Params() << source)
                        .fly();
  if (!done) return fail(done.error());
  if (done->front().empty()) return counts_as_dead();
  if (done->back().empty()) return fail(ErrorKind::corrupt, "the row of a source is missing");
  return owner_in(done->back(), 0, session_.now());
}

Result<void> Changes::give_source(NodeKey node, std::string_view source) {
  const auto done = session_.ask(kGiveSource, Params() << source << node);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
