// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "merged.h"
#include "schema.h"

namespace todoku::pg_sketch {
namespace {

using store::BatchKey;
using store::Claim;
using store::Claimed;
using store::LeasedBatch;
using store::NodeKey;

const Sql kHoldLive{
    "claim_nodes",
    "SELECT n.key FROM nodes n JOIN node_leases l ON l.node = n.key WHERE n.key = ANY($1)"
    " AND n.void = 0 AND l.until > " PG_SKETCH_NOW " ORDER BY n.key FOR SHARE OF n"};
// Of several who ask for a batch the first whose node lives has it. Who waits for another's lock
// would only learn that the batch is gone.
const Sql kLease{
    "claim_lease",
    "WITH asked AS (SELECT DISTINCT ON (u.number, u.delivery) u.number, u.delivery, u.node"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY"
    " u(number, delivery, node, place) JOIN nodes n ON n.key = u.node AND n.void = 0"
    " JOIN node_leases l ON l.node = n.key AND l.until > " PG_SKETCH_NOW
    " ORDER BY u.number, u.delivery, u.place),"
    " wanted AS (SELECT b.number, u.node, d.expires - " PG_SKETCH_NOW
    " AS life FROM asked u"
    " JOIN batches b ON b.number = u.number AND b.delivery = u.delivery"
    " JOIN deliveries d ON d.key = b.delivery AND d.status = 5 AND d.deleted = 0"
    " LEFT JOIN sections s ON s.id = b.section"
    " WHERE b.holder = 0 AND b.ready_at <= " PG_SKETCH_NOW
    " AND (b.section IS NULL OR s.state = 1)"
    " ORDER BY b.number FOR NO KEY UPDATE OF b SKIP LOCKED)"
    " UPDATE batches b SET token = b.token + 1, holder = w.node, ready_at = NULL, alone = NULL,"
    " begun = 0 FROM wanted w WHERE b.number = w.number"
    " RETURNING b.number, b.delivery, b.holder, b.account, b.traffic, b.domain, b.token, b.losses,"
    " w.life"};
// Who is due is read by statements after the one that locks: its own snapshot may be older than the
// outcomes that somebody else has just committed. A suspect without its one recipient is of this
// flight.
#define RECIPIENTS_DUE                                                                     \
  " FROM recipients r LEFT JOIN progress p ON p.batch = r.batch AND p.seq = r.seq"         \
  " WHERE r.batch = b.number AND (p.state IS NULL OR (p.state <= 1 AND coalesce(p.due, 0)" \
  " <= " PG_SKETCH_NOW "))"
const Sql kAlone{"claim_alone",
                 "UPDATE batches b SET alone = (SELECT r.seq" RECIPIENTS_DUE
                 " ORDER BY r.seq LIMIT 1) WHERE b.number = ANY($1) AND b.holder = ANY($2)"
                 " AND b.losses >= $3 AND b.alone IS NULL"};
// Of what this flight or one before has leased to the node; others' rows are not read.
const Sql kRecipients{
    "claim_recipients",
    "SELECT d.batch, d.seq, d.address, d.codes, d.attempts FROM batches b CROSS JOIN LATERAL"
    " (SELECT r.batch, r.seq, r.address, r.codes, coalesce(p.attempts, 0) AS "
    "attempts" RECIPIENTS_DUE
    ") d WHERE b.number = ANY($1) AND b.holder = ANY($2) AND (b.alone IS NULL OR d.seq = b.alone)"
    " ORDER BY d.batch, d.seq"};
// Due when somebody of it is.
const Sql kGiveBack{"claim_give_back",
                    "UPDATE batches b SET holder = 0, alone = NULL, ready_at = (SELECT min(p.due)"
                    " FROM progress p WHERE p.batch = b.number AND p.state <= 1)"
                    " FROM unnest($1::bigint[], $2::bigint[]) u(number, token)"
                    " WHERE b.number = u.number AND b.token = u.token AND b.holder <> 0"};

std::int64_t number_of(const BatchKey& key) {
  return static_cast<std::int64_t>(key.delivery) + key.batch;
}

// By whom, too: somebody else's item asked for the same.
using Leased = std::map<std::pair<BatchKey, NodeKey>, LeasedBatch>;

Leased leased_of(const Rows& rows, const Rows& recipients) {
  std::map<std::int64_t, LeasedBatch> by_number;
  for (int i = 0; i < rows.size(); ++i) {
    LeasedBatch& lease = by_number[rows.integer(i, 0)];
    lease.key.delivery = store::DeliveryKey{rows.integer(i, 1)};
    lease.key.batch = static_cast<std::uint32_t>(rows.integer(i, 0) - rows.integer(i, 1));
    lease.node = NodeKey{rows.integer(i, 2)};
    lease.account = store::AccountKey{rows.integer(i, 3)};
    lease.traffic = static_cast<TrafficClass>(rows.integer(i, 4));
    lease.domain = rows.text(i, 5);
    lease.token = static_cast<std::uint64_t>(rows.integer(i, 6));
    lease.suspect = rows.integer(i, 7) >= store::kLossesToSuspect;
    lease.expires_in = Milliseconds(rows.integer(i, 8));
  }
  for (int i = 0; i < recipients.size(); ++i) {
    const auto found = by_number.find(recipients.integer(i, 0));
    if (found == by_number.end()) continue;
    found->second.recipients.push_back({static_cast<std::uint32_t>(recipients.integer(i, 1)),
                                        std::string(recipients.text(i, 2)),
                                        unpack_codes(recipients.text(i, 3)),
                                        static_cast<std::uint16_t>(recipients.integer(i, 4))});
  }
  Leased leased;
  for (auto& [number, lease] : by_number) {
    const std::pair key(lease.key, lease.node);
    leased.emplace(key, std::move(lease));
  }
  return leased;
}

Result<void> give_back_empty(Link& link, Leased& leased) {
  Column number(kInt8);
  Column token(kInt8);
  const auto empty = std::erase_if(leased, [&](const auto& each) {
    if (!each.second.recipients.empty()) return false;
    number.add(number_of(each.second.key));
    token.add(static_cast<std::int64_t>(each.second.token));
    return true;
  });
  if (empty == 0) return {};
  const auto results = link.add(kGiveBack, Params() << number << token).fly();
  if (!results) return fail(results.error());
  return {};
}

}  // namespace

Result<Answers<Claim>> claim(Link& link, Items<Claim> items) {
  std::set<std::int64_t> nodes;
  Column number(kInt8);
  Column delivery(kInt8);
  Column taker(kInt8);
  for (const Claim* const item : items) {
    nodes.insert(static_cast<std::int64_t>(item->node));
    for (const BatchKey& key : item->batches) {
      number.add(number_of(key));
      delivery.add(static_cast<std::int64_t>(key.delivery));
      taker.add(static_cast<std::int64_t>(item->node));
    }
  }
  Column node(kInt8);
  for (const auto each : nodes) node.add(each);
  const auto results = link.add(kBegin)
                           .add(kHoldLive, Params() << node)
                           .add(kLease, Params() << number << delivery << taker)
                           .add(kAlone, Params() << number << node << store::kLossesToSuspect)
                           .add(kRecipients, Params() << number << node)
                           .add(kCommit)
                           .fly();
  if (!results) return fail(results.error());
  std::set<std::int64_t> live;
  const Rows alive((*results)[1].get());
  for (int i = 0; i < alive.size(); ++i) live.insert(alive.integer(i, 0));
  Leased leased = leased_of(Rows((*results)[2].get()), Rows((*results)[4].get()));
  if (auto done = give_back_empty(link, leased); !done) return fail(std::move(done.error()));
  Answers<Claim> answers;
  for (const Claim* const item : items) {
    if (!live.contains(static_cast<std::int64_t>(item->node))) {
      answers.push_back(fail(ErrorKind::conflict, "the lease of this node has lapsed"));
      continue;
    }
    Claimed& claimed = *answers.emplace_back(Claimed{});
    for (const BatchKey& key : item->batches) {
      auto found = leased.extract(std::pair(key, item->node));
      if (found.empty()) {
        claimed.batches.push_back(fail(ErrorKind::conflict, "the batch is not due or not free"));
      } else {
        claimed.batches.push_back(std::move(found.mapped()));
      }
    }
  }
  return answers;
}

}  // namespace todoku::pg_sketch
