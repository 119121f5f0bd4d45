// SPDX-License-Identifier: Apache-2.0
// Claim (store/work.h): the right to work on a batch, which hangs on its node's row (nodes.h). One
// flight.
#include <map>
#include <set>

#include "base/log.h"
#include "store/numbers.h"
#include "store/postgres/hot.h"
#include "store/postgres/rows.h"
#include "store/postgres/stops.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

const Sql kHoldLive{"claim: hold nodes",
                    "SELECT n.key FROM nodes n JOIN node_leases l ON l.node = n.key"
                    " WHERE n.key = ANY($2) AND n.void = 0 AND l.until > " STORE_NOW
                    " ORDER BY n.key FOR SHARE OF n"};
// Due or a transaction's that nobody has had, free, visible, and its delivery is going out. Of
// several who ask for a batch the first whose node lives has it. Who waits for another's lock would
// only learn that the batch is gone. Of a suspended account, of a held credential, or of what is
// paused, nothing is leased; bulk is not offered (sending_bulk), transactional mail is offered of
// all accounts at once, so that it has to stand aside.
const Sql kLease{
    "claim: lease",
    "WITH asked AS MATERIALIZED (SELECT DISTINCT ON (u.number) u.number, u.delivery, u.node"
    " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY"
    " u(number, delivery, node, place) JOIN nodes n ON n.key = u.node AND n.void = 0"
    " JOIN node_leases l ON l.node = n.key AND l.until > " STORE_NOW
    " ORDER BY u.number, u.place),"
    " wanted AS MATERIALIZED (SELECT b.number, u.node, CASE WHEN d.expires > " STORE_NOW
    " AND (d.course = 1 OR t.goes_from > " STORE_NOW " OR t.goes_until <= " STORE_NOW
    " OR " CREDENTIAL_IS_HELD
    " OR (SELECT a.suspended FROM accounts a WHERE a.key = b.account) = 1)"
    " THEN least(d.expires, " STORE_NOW
    " + $6) END AS held_back FROM asked u"
    " JOIN batches b ON b.number = u.number AND b.delivery = u.delivery"
    " JOIN deliveries d ON d.key = b.delivery AND d.status = 5 AND d.deleted = 0"
    " LEFT JOIN sections s ON s.id = b.section LEFT JOIN steering t ON t.delivery = b.delivery"
    " WHERE b.holder = 0 AND (b.ready_at <= " STORE_NOW
    " OR (b.token = 0 AND b.section IS NULL AND b.ready_at IS NOT NULL))"
    " AND (b.section IS NULL OR s.state = 1)"
    " ORDER BY b.number FOR NO KEY UPDATE OF b SKIP LOCKED)"
    ", stood_aside AS (UPDATE batches b SET ready_at = w.held_back FROM wanted w"
    " WHERE b.number = w.number AND b.traffic = 0 AND w.held_back IS NOT NULL)"
    " UPDATE batches b SET token = b.token + 1, holder = w.node, ready_at = NULL, alone = NULL,"
    " begun = 0, underway = CASE b.traffic WHEN 0 THEN -1 ELSE 0 END, flight = $5 FROM wanted w "
    "WHERE b.number = w.number AND w.held_back IS NULL"};
// Who is due is read by statements after the one that locks: its own snapshot may be older than the
// outcomes that somebody else has just committed.
#define RECIPIENTS_DUE                                                                     \
  " FROM recipients r LEFT JOIN progress p ON p.batch = r.batch AND p.seq = r.seq"         \
  " WHERE r.batch = b.number AND (p.state IS NULL OR (p.state <= 1 AND coalesce(p.due, 0)" \
  " <= " STORE_NOW "))"
#define LEASED_NOW " b.number = ANY($2) AND b.flight = $3 AND b.holder <> 0"
// A suspect's one recipient.
const Sql kAlone{"claim: alone", "UPDATE batches b SET alone = (SELECT r.seq" RECIPIENTS_DUE
                                 " ORDER BY r.seq LIMIT 1) WHERE" LEASED_NOW
                                 " AND b.losses >= $4 AND b.alone IS NULL"};
// Where nobody is due after all: it is due when somebody is.
const Sql kGiveBack{"claim: give back",
                    "UPDATE batches b SET holder = 0, underway = 0, alone = NULL, ready_at ="
                    " (SELECT min(p.due) FROM progress p WHERE p.batch = b.number AND p.state <= 1)"
                    " WHERE" LEASED_NOW " AND NOT EXISTS (SELECT 1" RECIPIENTS_DUE ")"};
const Sql kLeased{"claim: leased",
                  "SELECT b.number, b.delivery, b.holder, b.account, b.traffic, b.domain, b.token,"
                  " b.losses, d.expires - " STORE_NOW
                  ", coalesce(d.credential, ''), coalesce(t.revision, 0), coalesce(t.mails, 0),"
                  " t.goes_until - " STORE_NOW
                  " FROM batches b JOIN deliveries d ON d.key ="
                  " b.delivery LEFT JOIN steering t ON t.delivery = b.delivery WHERE" LEASED_NOW};
const Sql kRecipients{
    "claim: recipients",
    "SELECT d.batch, d.seq, d.address, d.codes, d.attempts, d.state FROM batches b"
    " CROSS JOIN LATERAL (SELECT r.batch, r.seq, r.address, r.codes,"
    " coalesce(p.attempts, 0) AS attempts, coalesce(p.state, 0) AS state" RECIPIENTS_DUE
    ") d WHERE" LEASED_NOW " AND (b.alone IS NULL OR d.seq = b.alone) ORDER BY d.batch, d.seq"};
// Of what cannot be read.
const Sql kPutBack{
    "claim: put back",
    "UPDATE batches b SET holder = 0, underway = 0, alone = NULL, ready_at = " STORE_NOW
    " + $4 WHERE" LEASED_NOW};
// Somebody has to mend it: it need not be tried often.
constexpr Milliseconds kDamagedWait = std::chrono::minutes(5);
// Why others were not leased.
const Sql kHolders{"claim: holders",
                   "SELECT number, delivery, holder FROM batches WHERE number = ANY($1)"};
const Sql kLive{"claim: live nodes",
                "SELECT n.key FROM nodes n JOIN node_leases l ON l.node = n.key"
                " WHERE n.key = ANY($2) AND n.void = 0 AND l.until > " STORE_NOW};

// By whom, too: somebody else's item asked for the same.
using LeasedBatches = std::map<std::pair<BatchKey, NodeKey>, Result<LeasedBatch>>;

// What cannot be read of one batch is that batch's error: all of them are leased already.
LeasedBatches leased_in(const Table& batches, const Table& recipients) {
  NoDictionary dictionary;
  std::map<std::int64_t, LeasedBatch> by_number;
  std::map<std::int64_t, Error> damaged;
  for (int i = 0; i < batches.size(); ++i) {
    LeasedBatch& lease = by_number[batches.integer(i, 0)];
    lease.key = batch_key(batches.integer(i, 1), batches.integer(i, 0));
    lease.node = NodeKey{batches.integer(i, 2)};
    lease.account = AccountKey{batches.integer(i, 3)};
    lease.traffic = static_cast<TrafficClass>(batches.integer(i, 4));
    lease.domain = batches.text(i, 5);
    lease.token = static_cast<std::uint64_t>(batches.integer(i, 6));
    lease.suspect = batches.integer(i, 7) >= kLossesToSuspect;
    lease.expires_in = Milliseconds(batches.integer(i, 8));
    lease.credential = batches.text(i, 9);
    lease.steering = batches.integer(i, 10);
    lease.has_pace = batches.flag(i, 11);
    if (!batches.null(i, 12)) lease.open_for = Milliseconds(batches.integer(i, 12));
  }
  for (int i = 0; i < recipients.size(); ++i) {
    const auto found = by_number.find(recipients.integer(i, 0));
    if (found == by_number.end()) continue;
    auto codes = unpack_codes(dictionary, recipients.text(i, 3));
    if (!codes) {
      damaged.emplace(found->first, std::move(codes.error()));
      continue;
    }
    (void)detach(*codes);  // it is never in the mail
    found->second.recipients.push_back(
        {static_cast<std::uint32_t>(recipients.integer(i, 1)),
         full_address(recipients.text(i, 2), found->second.domain), std::move(*codes),
         static_cast<std::uint16_t>(recipients.integer(i, 4)),
         recipients.integer(i, 5) == stored(RecipientState::deferred)});
  }
  LeasedBatches leased;
  for (auto& [number, lease] : by_number) {
    const std::pair key(lease.key, lease.node);
    if (const auto error = damaged.find(number); error != damaged.end()) {
      leased.emplace(key, fail(std::move(error->second)));
    } else if (!lease.recipients.empty()) {
      leased.emplace(key, std::move(lease));
    }
  }
  return leased;
}

struct ClaimColumns {
  Column number{kInt8}, delivery{kInt8}, taker{kInt8}, node{kInt8};
  std::map<std::int64_t, DeliveryKey> batches;
  explicit ClaimColumns(Together<Claim> items) {
    std::set<NodeKey> nodes;
    for (const Pending<Claim>* const item : items) {
      nodes.insert(item->op.node);
      for (const BatchKey& key : item->op.batches) {
        number.add(batch_number(key));
        batches[batch_number(key)] = key.delivery;
        delivery.add(key.delivery);
        taker.add(item->op.node);
      }
    }
    for (const NodeKey each : nodes) node.add(each);
  }
};

// The tables of kLeased, kRecipients, kHolders, kLive. Those that are leased and cannot be read.
std::vector<std::int64_t> answer_claims(Together<Claim> items, const Table& batches,
                                        const Table& recipients, const Table& holders,
                                        const Table& live_nodes) {
  std::vector<std::int64_t> damaged;
  LeasedBatches leased = leased_in(batches, recipients);
  for (const auto& [key, lease] : leased) {
    if (lease) continue;
    damaged.push_back(batch_number(key.first));
    log::error("a batch cannot be read",
               {{"batch", batch_number(key.first)}, {"error", lease.error().detail}});
  }
  // Who was leased something lived then, and holds it, even if its lease has lapsed since.
  std::set<NodeKey> live;
  for (const auto& [key, lease] : leased) live.insert(key.second);
  for (int i = 0; i < live_nodes.size(); ++i) live.insert(NodeKey{live_nodes.integer(i, 0)});
  std::map<BatchKey, NodeKey> held;
  for (int i = 0; i < holders.size(); ++i) {
    held[batch_key(holders.integer(i, 1), holders.integer(i, 0))] = NodeKey{holders.integer(i, 2)};
  }
  for (Pending<Claim>* const item : items) {
    if (!live.contains(item->op.node)) {
      item->answer = fail(ErrorKind::conflict, "the lease of this node has lapsed");
      continue;
    }
    Claimed claimed;
    for (const BatchKey& key : item->op.batches) {
      if (auto found = leased.extract(std::pair(key, item->op.node)); !found.empty()) {
        claimed.batches.push_back(std::move(found.mapped()));
        continue;
      }
      const auto holder = held.find(key);
      if (holder != held.end() && holder->second == item->op.node) {
        claimed.batches.push_back(fail(ErrorKind::conflict, "the node has it already"));
      } else {
        claimed.batches.push_back(fail(ErrorKind::not_found, "the batch is not due or not free"));
      }
    }
    item->answer = std::move(claimed);
  }
  return damaged;
}

}  // namespace

Result<void> Flight<Claim>::perform(Hot& hot, std::int64_t token) {
  if (items_.empty()) return {};
  const ClaimColumns c(items_);
  add_begin(hot.link, token, hot.told);
  hot.link.add(kHoldLive, Params() << hot.told << c.node)
      .add(kLease, Params() << hot.told << c.number << c.delivery << c.taker << token
                            << kSuspendedWait.count());
  add_drop_stopped(hot.link, hot.told, c.batches, token);
  const auto answers =
      hot.link.add(kAlone, Params() << hot.told << c.number << token << kLossesToSuspect)
          .add(kGiveBack, Params() << hot.told << c.number << token)
          .add(kLeased, Params() << hot.told << c.number << token)
          .add(kRecipients, Params() << hot.told << c.number << token)
          .add(kHolders, Params() << c.number)
          .add(kCommit)
          .fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  const std::size_t first = kBeginStatements;
  damaged_ = answer_claims(items_, (*answers)[first + 5], (*answers)[first + 6],
                           (*answers)[first + 7], (*answers)[first]);
  return {};
}

// What the flight leased says so itself.
Result<void> Flight<Claim>::answer_stored(Hot& hot, std::int64_t token) {
  const ClaimColumns c(items_);
  const auto answers = hot.link.add(kBegin)
                           .add(kLeased, Params() << hot.told << c.number << token)
                           .add(kRecipients, Params() << hot.told << c.number << token)
                           .add(kHolders, Params() << c.number)
                           .add(kLive, Params() << hot.told << c.node)
                           .add(kCommit)
                           .fly(hot.flight_max);
  if (!answers) return fail(answers.error());
  damaged_ = answer_claims(items_, (*answers)[1], (*answers)[2], (*answers)[3], (*answers)[4]);
  return {};
}

Result<void> Flight<Claim>::put_back_damaged(Hot& hot, std::int64_t token) const {
  Column numbers(kInt8);
  for (const std::int64_t number : damaged_) numbers.add(number);
  const auto done = hot.link.fly_one(
      kPutBack, Params() << hot.told << numbers << token << kDamagedWait, hot.flight_max);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace todoku::store::postgres
