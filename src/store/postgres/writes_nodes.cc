// SPDX-License-Identifier: Apache-2.0
// Nodes, and what becomes of the batches of those that died (store/nodes.h, store/work.h). Who
// locks a node's row for a change waits for those who hand it work, and they for him: what was
// handed to it is seen by whoever offers its work again.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "store/numbers.h"
#include "store/postgres/cluster.h"
#include "store/postgres/schema.h"
#include "store/postgres/settling_set.h"
#include "store/postgres/transactions.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

// Of several that enter at once each sees those before it: who comes later waits for the others.
const Sql kLockEntering{"nodes: lock entering",
                        "SELECT name FROM meta WHERE name IN ('carrying', 'entering')"
                        " ORDER BY name FOR UPDATE"};
// Whoever renews holds the row of its node, too: it has renewed when this is answered, or will find
// itself void.
const Sql kLockLiving{"nodes: lock living",
                      "SELECT key FROM nodes WHERE void = 0 AND (name = $1 OR $2 <> 0)"
                      " ORDER BY key FOR UPDATE"};
const Sql kVoidOthers{"nodes: void others",
                      "UPDATE nodes SET void = CASE WHEN key = ANY($2) THEN 3 ELSE 1 END"
                      " WHERE key = ANY($1) AND void = 0"};
const Sql kInsertNode{"nodes: insert",
                      "INSERT INTO nodes(key, name, roles, version, entered, void, settings)"
                      " VALUES($1, $2, $3, $4, $5, 0, $6)"};
const Sql kInsertLease{"nodes: insert lease", "INSERT INTO node_leases VALUES($1, $2)"};
// Against being made void meanwhile. Shared, like the lock of who hands it work: a renewal waits
// for none of those.
const Sql kHoldNode{"nodes: hold", "SELECT key FROM nodes WHERE key = $1 AND void = 0 FOR SHARE"};
const Sql kRenew{"nodes: renew",
                 "UPDATE node_leases l SET until = $2 WHERE l.node = $1"
                 " AND EXISTS (SELECT 1 FROM nodes n WHERE n.key = $1 AND n.void = 0)"};
// After a fail-over the time of the new server may be behind: what others hold by the time of the
// old one would go on for as long as that besides. None waits here: whoever holds one renews it or
// does this, too.
const Sql kShorten{"nodes: shorten leases",
                   "UPDATE node_leases SET until = $1 WHERE node IN (SELECT node FROM node_leases"
                   " WHERE until > $2 FOR UPDATE SKIP LOCKED)"};
const Sql kOfferSources{"nodes: offer sources",
                        "UPDATE nodes SET sources = $2 WHERE key = $1 AND void = 0"};
const Sql kLeave{"nodes: leave", "UPDATE nodes SET void = 2 WHERE key = $1"};
const Sql kRemoveIdle{"nodes: remove",
                      "DELETE FROM nodes WHERE key = $1 AND void <> 0 AND NOT EXISTS"
                      " (SELECT 1 FROM batches WHERE holder = $1 AND holder <> 0)"};
const Sql kRemoveLease{"nodes: remove lease",
                       "DELETE FROM node_leases l WHERE l.node = $1"
                       " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.key = $1)"};
const Sql kLockNode{"nodes: lock", "SELECT void FROM nodes WHERE key = $1 FOR UPDATE"};
// Under the node's lock; its lease is locked, too, so that it does not renew meanwhile.
const Sql kLockLease{"nodes: lock lease",
                     "SELECT until FROM node_leases WHERE node = $1 FOR UPDATE"};
const Sql kVoid{"nodes: void", "UPDATE nodes SET void = 1 WHERE key = $1"};

const Sql kHeldByVoid{"nodes: held",
                      "SELECT b.number FROM batches b WHERE b.holder = $1 AND b.holder <> 0"
                      " ORDER BY b.number LIMIT $2 FOR NO KEY UPDATE"};
const Sql kHoldHeld{"nodes: hold held",
                    "SELECT b.number FROM unnest($1::bigint[], $2::bigint[]) u(number, token)"
                    " JOIN batches b ON b.number = u.number AND b.token = u.token AND b.holder = $3"
                    " ORDER BY b.number FOR NO KEY UPDATE OF b"};
// After the lock, which may have been waited for.
const Sql kHeldRows{"nodes: held rows",
                    "SELECT b.number, b.losses, CASE b.begun WHEN 1 THEN b.alone END, d.expires,"
                    " b.delivery, b.account, b.first_email_id, d.id, b.domain FROM batches b"
                    " JOIN deliveries d ON d.key = b.delivery"
                    " WHERE b.number = ANY($1) AND b.holder = $2 ORDER BY b.number"};
const Sql kCountDeath{"nodes: count death",
                      "INSERT INTO suspects(batch, seq, deaths) VALUES($1, $2, 1)"
                      " ON CONFLICT(batch, seq) DO UPDATE SET deaths = suspects.deaths + 1"
                      " RETURNING deaths"};
const Sql kSetAside{"nodes: set aside",
                    "UPDATE suspects SET aside = $3 WHERE batch = $1 AND seq = $2"};
// Due at the end of its life, to be given up then.
const Sql kAsideProgress{
    "nodes: aside progress",
    "INSERT INTO progress(batch, seq, state, attempts, due, history) VALUES($1, $2, 0, 0, $3, $4)"
    " ON CONFLICT(batch, seq) DO UPDATE SET due = $3, history = progress.history || $4"};
const Sql kAddress{"nodes: address",
                   "SELECT address FROM recipients WHERE batch = $1 AND seq = $2"};
// Due when the first of its open recipients is; who has no progress has not been tried yet.
const Sql kLose{"nodes: lose batches",
                "UPDATE batches b SET holder = 0, token = b.token + 1, losses = u.losses,"
                " alone = NULL, begun = 0, late_until = coalesce($5, b.late_until),"
                " doubted = CASE WHEN $4::bigint IS NULL THEN b.doubted"
                " ELSE b.doubted | b.underway END,"
                " lost_at = CASE b.underway WHEN 0 THEN b.lost_at ELSE coalesce($4, b.lost_at) END,"
                " underway = 0, ready_at = CASE WHEN b.open > 0 THEN"
                " (SELECT CASE WHEN count(*) < b.open THEN least(min(coalesce(p.due, $3)), $3)"
                " ELSE min(coalesce(p.due, $3)) END FROM progress p"
                " WHERE p.batch = b.number AND p.state <= 1) END"
                " FROM unnest($1::bigint[], $2::bigint[]) u(number, losses)"
                " WHERE b.number = u.number"};

const Sql kMarkBegun{"suspects: begun",
                     "UPDATE batches SET begun = $3 WHERE number = $1 AND token = $2"
                     " AND holder <> 0 AND alone IS NOT NULL AND delivery = $4"};
const Sql kHold{"on its way: hold",
                "SELECT number FROM batches WHERE number = $1 AND token = $2 AND holder <> 0"
                " AND delivery = $3 FOR NO KEY UPDATE"};
const Sql kOnItsWay{"on its way: mark",
                    "INSERT INTO on_its_way(batch, seq) VALUES($1, $2) ON CONFLICT DO NOTHING"};
const Sql kTakeBack{"on its way: take back",
                    "DELETE FROM on_its_way WHERE batch = $1 AND seq = $2"};
const Sql kAnyOnTheWay{"on its way: batches",
                       "SELECT DISTINCT batch FROM on_its_way WHERE batch = ANY($1)"};
const Sql kLockBatch{"suspects: lock batch",
                     "SELECT number FROM batches WHERE number = $1 FOR NO KEY UPDATE"};
const Sql kForgetAside{"suspects: offer",
                       "DELETE FROM suspects WHERE batch = $1 AND seq = $2 AND aside IS NOT NULL"};
const Sql kDueNow{"suspects: due now",
                  "UPDATE progress SET due = $3 WHERE batch = $1 AND seq = $2 AND state <= 1"};
const Sql kHasten{"suspects: hasten",
                  "UPDATE batches SET ready_at = least(ready_at, $2) WHERE number = $1"
                  " AND holder = 0 AND ready_at IS NOT NULL"};

Result<void> nothing_or(const Result<std::vector<Table>>& answers) {
  if (!answers) return fail(answers.error());
  return {};
}

}  // namespace

Result<NodeKey> Changes::enter_node(const NewNode& node) {
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto locked = session_.add(kLockEntering)
                          .add(kLockLiving, Params() << std::string_view(node.name) << node.alone)
                          .fly();
  if (!locked) return fail(locked.error());
  if (locked->front().size() > 1) {
    return fail(ErrorKind::conflict, "a store is being carried into this database");
  }
  const auto all = questions_.nodes();
  if (!all) return fail(all.error());
  Column others(kInt8);
  Column before(kInt8);  // of these: known to have stopped
  for (const Node& other : *all) {
    if (other.is_void) continue;
    const bool is_before = node.succeeds && other.name == node.name;
    if (!is_before && !node.alone) continue;
    if (!is_before && lease_runs(other)) {
      return fail(ErrorKind::conflict, lives_here(other));
    }
    others.add(other.key);
    if (is_before) before.add(other.key);
  }
  const Instant now = session_.now();
  const std::string settings = with_known_steps(node.settings);
  auto done = session_.add(kVoidOthers, Params() << others << before)
                  .add(kStopLeading, Params() << before)
                  .add(kGiveSources, Params() << before)
                  .add(kInsertNode, Params() << *key << std::string_view(node.name)
                                             << std::string_view(node.roles)
                                             << std::string_view(node.version) << now
                                             << std::string_view(settings))
                  .add(kInsertLease, Params() << *key << now + kNodeLease)
                  .fly();
  if (!done) return fail(std::move(done.error()));
  return NodeKey{*key};
}

Result<void> Changes::renew_node(NodeKey node) {
  // Transactions that run at the same time are so far apart, or lose no more than that.
  constexpr Milliseconds kApart = std::chrono::seconds(1);
  const Instant until = session_.now() + kNodeLease;
  const auto renewed = session_.add(kHoldNode, Params() << node)
                           .add(kRenew, Params() << node << until)
                           .add(kShorten, Params() << until << until + kApart)
                           .fly();
  if (!renewed) return fail(renewed.error());
  if ((*renewed)[1].changes() == 0) return fail(ErrorKind::conflict, "this node counts as dead");
  return {};
}

Result<void> Changes::offer_sources(NodeKey node, std::span<const std::string> sources) {
  const auto text = joined_sources(sources);
  if (!text) return fail(text.error());
  const auto offered = session_.ask(kOfferSources, Params() << node << std::string_view(*text));
  if (!offered) return fail(offered.error());
  if (offered->changes() == 0) return fail(ErrorKind::conflict, "this node counts as dead");
  return {};
}

Result<void> Changes::leave_node(NodeKey node) {
  Column nodes(kInt8);
  nodes.add(node);
  return nothing_or(session_.add(kLeave, Params() << node)
                        .add(kStopLeading, Params() << nodes)
                        .add(kGiveSources, Params() << nodes)
                        .add(kRemoveIdle, Params() << node)
                        .add(kRemoveLease, Params() << node)
                        .fly());
}

Result<bool> Changes::void_node(NodeKey node) {
  const auto locked =
      session_.add(kLockNode, Params() << node).add(kLockLease, Params() << node).fly();
  if (!locked) return fail(locked.error());
  const Table& row = locked->front();
  if (row.empty() || row.flag(0, 0)) return true;
  const Table& lease = locked->back();
  if (!lease.empty() && lease.instant(0, 0) > session_.now()) return false;
  const auto done = session_.ask(kVoid, Params() << node);
  if (!done) return fail(done.error());
  return true;
}

// ---- what a dead one held ----------------------------------------------------------------------

// One more death with this recipient alone in hand and begun. Whether it is set aside.
Result<bool> Changes::count_death(std::int64_t batch, std::int64_t seq, Instant expires) {
  const auto counted = session_.ask(kCountDeath, Params() << batch << seq);
  if (!counted) return fail(counted.error());
  const std::int64_t deaths = counted->integer(0, 0);
  if (deaths < kDeathsToSetAside) return false;
  std::string history;
  auto appended = append_set_aside(session_.dictionary(), session_.now(), deaths, history);
  if (!appended) return fail(std::move(appended.error()));
  const auto done = session_.add(kSetAside, Params() << batch << seq << session_.now())
                        .add(kAsideProgress, Params() << batch << seq << expires << Octets{history})
                        .fly();
  if (!done) return fail(done.error());
  return true;
}

// Batches that `node` holds, under their locks: as they are after whatever was waited for.
Result<OfferedAgain> Changes::lose(const Column& numbers, NodeKey node, NodeEnd end) {
  const bool died = end == NodeEnd::silent || end == NodeEnd::replaced;
  OfferedAgain offered;
  const auto rows = session_.ask(kHeldRows, Params() << numbers << node);
  if (!rows) return fail(rows.error());
  const auto ways = session_.ask(kAnyOnTheWay, Params() << numbers);
  if (!ways) return fail(ways.error());
  if (!ways->empty()) {
    std::set<std::int64_t> wanted;
    for (int i = 0; i < ways->size(); ++i) wanted.insert(ways->integer(i, 0));
    std::set<BatchKey> batches;
    for (int i = 0; i < rows->size(); ++i) {
      if (!wanted.contains(rows->integer(i, 0))) continue;
      batches.insert(batch_key(rows->integer(i, 4), rows->integer(i, 0)));
    }
    const auto unknown = doubt_those_on_their_way(batches);
    if (!unknown) return fail(unknown.error());
    offered.unknown = *unknown;
  }
  Column lost(kInt8);
  Column losses(kInt8);
  for (int i = 0; i < rows->size(); ++i) {
    const std::int64_t number = rows->integer(i, 0);
    std::int64_t count = rows->integer(i, 1) + (died ? 1 : 0);
    if (died && !rows->null(i, 2)) {
      const std::int64_t seq = rows->integer(i, 2);
      const Instant expires = rows->optional_instant(i, 3).value_or(session_.now());
      const auto aside = count_death(number, seq, expires);
      if (!aside) return fail(aside.error());
      if (*aside) {
        const auto address = session_.ask(kAddress, Params() << number << seq);
        if (!address) return fail(address.error());
        const BatchKey key = batch_key(rows->integer(i, 4), number);
        SetAside& told = offered.set_aside.emplace_back();
        told.key = {key.delivery, key.batch, static_cast<std::uint32_t>(seq)};
        told.account = AccountKey{rows->integer(i, 5)};
        told.email_id = rows->integer(i, 6) + seq;
        told.delivery_id = rows->integer(i, 7);
        if (!address->empty()) told.address = full_address(address->text(0, 0), rows->text(i, 8));
        told.since = session_.now();
        count = 0;  // the rest goes on
      }
    }
    lost.add(number);
    losses.add(count);
  }
  offered.batches = rows->size();
  const Instant now = session_.now();
  const auto lost_at = died ? std::optional(now) : std::nullopt;
  const auto late = end == NodeEnd::silent ? std::optional(now + kLateWords) : std::nullopt;
  auto done = session_.ask(kLose, Params() << lost << losses << now << lost_at << late);
  if (!done) return fail(std::move(done.error()));
  return offered;
}

Result<OfferedAgain> Changes::offer_again(NodeKey node, std::int64_t limit) {
  const auto locked = session_.ask(kLockNode, Params() << node);
  if (!locked) return fail(locked.error());
  if (locked->empty() || !locked->flag(0, 0)) return OfferedAgain{};
  const auto held = session_.ask(kHeldByVoid, Params() << node << limit);
  if (!held) return fail(held.error());
  Column numbers(kInt8);
  for (int i = 0; i < held->size(); ++i) numbers.add(held->integer(i, 0));
  auto offered = lose(numbers, node, static_cast<NodeEnd>(locked->integer(0, 0)));
  if (!offered) return offered;
  offered->more = held->size() >= limit;
  if (offered->more) return offered;
  const auto gone =
      session_.add(kRemoveIdle, Params() << node).add(kRemoveLease, Params() << node).fly();
  if (!gone) return fail(gone.error());
  return offered;
}

Result<OfferedAgain> Changes::give_back(NodeKey node, std::span<const HeldBatch> held) {
  Column wanted(kInt8);
  Column tokens(kInt8);
  for (const HeldBatch& batch : held) {
    wanted.add(batch_number(batch.key));
    tokens.add(batch.token);
  }
  const auto locked = session_.ask(kHoldHeld, Params() << wanted << tokens << node);
  if (!locked) return fail(locked.error());
  Column numbers(kInt8);
  for (int i = 0; i < locked->size(); ++i) numbers.add(locked->integer(i, 0));
  return lose(numbers, node, NodeEnd::left);
}

// ---- suspects ----------------------------------------------------------------------------------

Result<void> Changes::mark_begun(const HeldBatch& held, bool begun) {
  const auto marked = session_.ask(
      kMarkBegun, Params() << batch_number(held.key) << held.token << begun << held.key.delivery);
  if (!marked) return fail(marked.error());
  if (marked->changes() == 0) {
    return fail(ErrorKind::conflict, "this batch has passed to another node");
  }
  return {};
}

// ---- at most once ------------------------------------------------------------------------------

Result<void> Changes::mark_on_its_way(const HeldBatch& held, std::uint32_t seq, bool on_its_way) {
  const std::int64_t number = batch_number(held.key);
  const auto holds = session_.ask(kHold, Params() << number << held.token << held.key.delivery);
  if (!holds) return fail(holds.error());
  if (holds->empty()) return fail(ErrorKind::conflict, "this batch has passed to another node");
  const auto marked = session_.ask(on_its_way ? kOnItsWay : kTakeBack, Params() << number << seq);
  if (!marked) return fail(marked.error());
  return {};
}

// Of these batches, whose holder says nothing any more; how many there were.
Result<std::int64_t> Changes::doubt_those_on_their_way(const std::set<BatchKey>& batches) {
  add_reading(session_, batches, {});
  const auto answers = session_.fly();
  if (!answers) return fail(answers.error());
  SettlingSet set = SettlingSet::of(*answers, session_.now());
  const auto found = static_cast<std::int64_t>(set.on_their_way.size());
  for (const BatchKey& batch : batches) {
    if (auto doubted = set.doubt(batch); !doubted) return fail(std::move(doubted.error()));
  }
  add_recipients(session_, set);
  add_batches(session_, set);
  if (!set.counts.empty()) add_counts(session_, set);
  const auto written = session_.fly();
  if (!written) return fail(written.error());
  return found;
}

Result<void> Changes::offer_set_aside(const RecipientKey& key) {
  const std::int64_t number = batch_number(key.delivery, key.batch);
  const Instant now = session_.now();
  const auto done = session_.add(kLockBatch, Params() << number)
                        .add(kForgetAside, Params() << number << key.seq)
                        .fly();
  if (!done) return fail(done.error());
  if (done->back().changes() == 0) {
    return fail(ErrorKind::not_found, "no such recipient is set aside");
  }
  const auto due = session_.add(kDueNow, Params() << number << key.seq << now)
                       .add(kHasten, Params() << number << now)
                       .fly();
  if (!due) return fail(due.error());
  if (due->front().changes() == 0) return fail(ErrorKind::not_found, "its life has ended");
  return {};
}

}  // namespace todoku::store::postgres
