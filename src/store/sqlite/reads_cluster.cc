// SPDX-License-Identifier: Apache-2.0
// Questions about who leads and whose a source is (store/cluster.h).
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {

Result<std::optional<Leader>> Queries::leader() {
  std::optional<Leader> leader;
  auto query = db_.query(
      "SELECT l.node, nodes.name, l.token, l.until, coalesce(nodes.void <> 0, 1)"
      " FROM leadership l LEFT JOIN nodes ON nodes.key = l.node WHERE l.id = 1 AND l.node <> 0");
  while (query.next()) {
    leader.emplace();
    leader->node = NodeKey{query.integer(0)};
    leader->name = query.text(1);
    leader->token = static_cast<std::uint64_t>(query.integer(2));
    leader->until = query.instant(3);
    leader->left = leader->until - now_;
    leader->is_void = query.flag(4);
  }
  if (query.failed()) return fail(query.error());
  return leader;
}

Result<std::vector<SourceOwner>> Queries::source_owners() {
  std::vector<SourceOwner> owners;
  auto query = db_.query(
      "SELECT source_owners.source, source_owners.node, nodes.name, source_owners.token,"
      " coalesce(nodes.lease_until, 0), coalesce(nodes.void <> 0, 1) FROM source_owners"
      " LEFT JOIN nodes ON nodes.key = source_owners.node WHERE source_owners.node <> 0"
      " ORDER BY source_owners.source");
  while (query.next()) {
    SourceOwner& owner = owners.emplace_back();
    owner.source = query.text(0);
    owner.node = NodeKey{query.integer(1)};
    owner.name = query.text(2);
    owner.token = static_cast<std::uint64_t>(query.integer(3));
    owner.until = query.instant(4);
    owner.left = owner.until - now_;
    owner.is_void = query.flag(5);
  }
  if (query.failed()) return fail(query.error());
  return owners;
}

}  // namespace todoku::store::sqlite
