// SPDX-License-Identifier: Apache-2.0
// What happens per mail: the hot operations, as data. A back end merges those of a kind that wait
// into one commit (or one flight to a server); each item is answered for itself, and a bad one
// never fails its neighbours.
//
//   Accept ──> Accepted            a transaction: stored, started, leased
//   Due ─────> DueDomains          what could be worked on
//   Claim ───> Claimed             batches leased to a node
//   Settle ──> Settled             outcomes recorded, batches released
//   StageRows > Staged              rows of an import
//
// Time is the store's: what is handed over carries durations, and the store's clock in the commit's
// transaction makes instants of them. Counts are increments. Rows are locked in one order
// everywhere, by key within a kind: nodes (shared: a renewal never waits for work), import jobs,
// batches, suspects, counts of outcomes and of rates, deliveries, accounts, states of rates, topics
// (changes.h); a delivery's counts come last. Who holds back deliveries locks all of them before
// the first state (course.h), and the topic of what is held is told as the last of a transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/attempt.h"
#include "mail/states.h"
#include "store/deliveries.h"
#include "store/idempotency.h"
#include "store/keys.h"
#include "store/nodes.h"
#include "store/recipients.h"
#include "store/suppressions.h"

namespace todoku::store {

// ---- leased batches ----------------------------------------------------------------------------

struct LeasedRecipient {
  std::uint32_t seq = 0;
  std::string address;
  std::vector<InsertCode> insert_codes;
  std::uint16_t attempts = 0;  // made so far
  bool deferred = false;       // its story has a line, which need not be an attempt
};

struct LeasedBatch {
  BatchKey key;
  AccountKey account{};
  TrafficClass traffic = TrafficClass::transactional;
  std::string domain;
  NodeKey node = kNobody;     // whose it is
  std::uint64_t token = 0;    // fencing token: grows with every claim of this batch
  Milliseconds expires_in{};  // of its delivery's life, at the time of the claim; may be negative
  std::string credential;     // whose message it is, by SMTP; else empty
  // Of what its sender says of its delivery (steering.h); 0: nothing.
  std::int64_t steering = 0;
  bool has_pace = false;  // what of it is begun is to be taken first (take_pace)
  std::optional<Milliseconds> open_for = {};  // nothing of it may be begun after
  // A suspect (below): its one recipient is to be marked as begun before anything is made of it.
  bool suspect = false;
  std::vector<LeasedRecipient> recipients;  // those due at the time of the claim, by seq
  [[nodiscard]] HeldBatch held() const { return {key, token}; }
};

// A batch becomes suspect when three nodes died with it in hand and none had told an outcome: it
// may be what kills them. From then on it is leased one recipient at a time, and whoever begins
// that recipient says so first (WorkWrites::mark_begun). Two deaths with it begun set it aside: it
// waits for an operator, or the end of its life, and the rest of the batch goes on.
inline constexpr std::int64_t kLossesToSuspect = 3;
inline constexpr std::int64_t kDeathsToSetAside = 2;

// Of whom in a batch mails may be out, by the word of who has it in hand: a bit for so many
// neighbours, the lowest for those with the smallest seq. It is said before the first of them is
// begun (BegunMark), so that of a batch whose holder dies only these can be in doubt.
using Begun = std::uint64_t;
inline constexpr std::uint32_t kBegunTogether = 8;
inline constexpr std::uint32_t kBegunBits = 64;
[[nodiscard]] constexpr std::uint32_t begun_place(std::uint32_t seq) {
  return seq / kBegunTogether;
}
[[nodiscard]] constexpr Begun begun_bit(std::uint32_t seq) {
  return Begun{1} << begun_place(seq);
}
// Of a transaction, which has few recipients, all count as begun as soon as they are in hand: a
// commit before each would tell little more.
[[nodiscard]] constexpr Begun begun_when_leased(TrafficClass traffic) {
  return traffic == TrafficClass::transactional ? ~Begun{0} : Begun{0};
}

// ---- accept ------------------------------------------------------------------------------------

struct Accepted {
  Delivery delivery;                 // without content
  std::vector<LeasedBatch> batches;  // all recipients; empty if nobody holds them
  std::vector<BatchKey> waiting;     // then: these, for whoever claims them
  Content content;                   // what was handed over
};

// A transaction: created, started and leased in one step. Recipients whom a suppression list stops
// (suppressions.h) become dropped in the same commit and are leased to nobody: delivery.counts has
// their number. conflict: its idempotency key has an answer already, and nothing was made.
struct Accept {
  using Answer = Accepted;
  NewDelivery delivery;
  std::vector<NewRecipient> recipients;  // at least one
  std::string signing;
  Milliseconds life_time{};
  // Who takes it over in memory. kNobody, or a node that does not live: due for anybody.
  NodeKey holder = kNobody;
  // Of what nobody takes over: until it is due, for who rings for it and leaves it to the scheduler
  // only if nobody hears that. It may be claimed from the beginning.
  Milliseconds due_in{};
  // Of the delivery's account; its answer will be the delivery's id.
  std::optional<IdempotencyRecord> idempotency = {};
};

// ---- settle ------------------------------------------------------------------------------------

struct OutcomeRecord {
  RecipientKey key;
  Milliseconds age{};  // since it was known
  Milliseconds duration{};
  Outcome outcome;
  Path path;
  // Until the next attempt, from when it was known: for deferred, but for is_told_delay(), and only
  // for that. Where the life of the delivery ends before, the store records it as expired.
  std::optional<Milliseconds> wait;
  // That it bounced speaks against the address itself, and counts for Settle::error_stop.
  bool against_address = false;
  // The receiving system, as it is counted (outcome_counts.h).
  std::string site = {};
  // Is recorded only where nobody has the batch in hand, who may know better: else conflict.
  bool if_free = false;
  // A mail that came back: is recorded only where it ends what a receiver had taken, or may have
  // (delivered, unknown): else conflict, and nothing is kept. So the same one twice is one. Also
  // that such a mail is late further on (is_told_delay()), which is kept in its story and changes
  // nothing.
  bool if_taken = false;
  // With if_taken: for which cause it was counted at `site` until now; counts are moved from there.
  Cause cause_before = Cause::none;
};

// Ends a lease: the batch is due again at the earliest due time of its open recipients, but not
// before `not_before` from now (parking), and not after the end of its delivery's life.
struct BatchRelease {
  HeldBatch held;
  Milliseconds not_before{};
};

// More of a batch is about to be begun, besides what was said of this lease before.
struct BegunMark {
  HeldBatch held;
  Begun begun = 0;
};

struct BatchReleased {
  bool done = false;                 // every recipient of the batch is in a terminal state
  std::optional<Milliseconds> next;  // until the batch is due again
};

struct OutcomeRecorded {
  RecipientState state = RecipientState::pending;  // of the recipient now
  // The fact came too late to change a terminal state; its attempt is kept in the story.
  bool superseded = false;
  std::optional<Milliseconds> due;  // until the next attempt, if there is one
};

struct Settled {
  // In the order given. not_found: no such recipient, or its delivery was deleted; conflict:
  // OutcomeRecord::if_free; invalid_input.
  std::vector<Result<OutcomeRecorded>> outcomes;
  // In the order given. conflict: the lease has passed to somebody else; not_found.
  std::vector<Result<BatchReleased>> releases;
  // In the order given. conflict: the lease has passed to somebody else: nothing of it may be
  // begun.
  std::vector<Result<void>> marks;
  // Deliveries whose last recipient this settled; of items performed together each that touched
  // one.
  std::vector<DeliveryKey> finished;
};

// An outcome is a fact: it is recorded whoever holds the lease now, as far as the state may still
// change. Of two outcomes of one recipient the one given first came first. An attempt changes no
// terminal state; only a bounce message (is_attempt false) makes bounced of delivered.
// What the spans refer to is the caller's, who may have to repeat it: it lives until the answer.
struct Settle {
  using Answer = Settled;
  std::span<const OutcomeRecord> outcomes;
  std::span<const BatchRelease> releases;
  ErrorStop error_stop = {};
  std::span<const BegunMark> marks = {};
};

// ---- claim -------------------------------------------------------------------------------------

// How soon after an account is resumed its transactional mail goes on, at the latest.
inline constexpr Milliseconds kSuspendedWait = std::chrono::minutes(1);

struct Claimed {
  // In the order given. conflict: this node has it already; not_found: it is not due, not free, or
  // there is no such batch. What is leased has somebody due.
  std::vector<Result<LeasedBatch>> batches;
};

// Of bulk, whom a suppression list stops (suppressions.h) becomes dropped in the same commit and is
// not leased; where that was the last of a batch it is answered with not_found.
//
// Leases those batches that are due and free to `node`; of a transaction that nobody has had yet
// also one that is not due (Accept::due_in). conflict as a whole if the node's own lease
// has lapsed. A batch of a suspended account, or of a delivery that is paused, is not free before
// its delivery's life is over; a
// transactional one that is asked for meanwhile is due again after kSuspendedWait, or when that
// life ends.
struct Claim {
  using Answer = Claimed;
  NodeKey node = kNobody;
  std::vector<BatchKey> batches;
};

// ---- due ---------------------------------------------------------------------------------------

struct DueBatch {
  BatchKey key;
  AccountKey account{};
  TrafficClass traffic = TrafficClass::transactional;
  std::string domain;
  std::uint32_t recipients = 0;  // not terminal yet
  Instant due{};                 // by the store's clock
};

// What work is offered from: one bulk delivery, or (nullopt) all transactional ones together.
using Workload = std::optional<DeliveryKey>;

// Of a domain with more batches due than this, Due gives the first ones only.
inline constexpr std::int64_t kDueBatchesGiven = 4;

// A domain of a workload that has recipients due.
struct DueDomain {
  std::string domain;             // empty: batches shared by small domains
  std::vector<DueBatch> batches;  // earliest first
  bool more = false;              // there may be others
};

struct DueDomains {
  std::vector<DueDomain> domains;
  std::optional<std::string> next;       // the domain to go on after; nullopt: there are no more
  std::optional<Milliseconds> upcoming;  // until something else becomes due
};

// Where only a few batches are due it finds them all, whatever else is stored; else it goes from
// domain to domain, on from after `after`, through at most `limit` domains, so that many batches of
// one domain do not hide the others and cost nothing. With `only`: at most `limit` batches of that
// domain, earliest first. One statement a page, and one for what comes next.
struct Due {
  using Answer = DueDomains;
  Workload workload;
  std::optional<std::string> after;
  std::optional<std::string> only;
  std::int64_t limit = 256;
};

// ---- stage -------------------------------------------------------------------------------------

struct Staged {};

// Adds recipients to a running import of `node`; they stay invisible until end_import() makes them
// visible by one row. conflict if the job has ended or is not the node's.
struct StageRows {
  using Answer = Staged;
  PublicId job = 0;
  AccountKey account{};
  NodeKey node = kNobody;
  std::vector<NewRecipient> recipients;
  std::int64_t folded = 0;      // of all rows read so far
  std::int32_t percentage = 0;  // of the file read so far
};

// ---- questions and functions about work --------------------------------------------------------

// Of transactional batches that wait, and of all in hand, so many are looked at.
inline constexpr std::int64_t kWorkLookedAt = 2'000;

// The same, of each, for WorkReads::begun_before().
inline constexpr std::int64_t kBegunLookedAt = 20'000;

struct QueueFigures {
  TrafficClass traffic = TrafficClass::transactional;
  std::int64_t waiting = 0;  // recipients of started deliveries not yet terminal
  // Of these, those that more couriers could do sooner: bulk that does not wait for another
  // attempt, and of transactional mail what is due and in nobody's hand, of at most kWorkLookedAt
  // batches.
  std::int64_t ready = 0;
  // Since the earliest due batch that nobody works on is due; suspended accounts aside, and bulk
  // that its sender makes wait (steering.h).
  std::optional<Milliseconds> oldest;
  std::int64_t set_aside = 0;  // recipients that wait for an operator
};

// What an account has to go.
struct AccountWork {
  std::int64_t deliveries = 0;  // started and not over
  std::int64_t recipients = 0;  // of these, not yet terminal
  std::int64_t in_hand = 0;     // of these, in batches that nodes hold
  bool more = false;            // there may be others: no question counts for ever
};

class WorkReads {
 public:
  virtual ~WorkReads() = default;
  [[nodiscard]] virtual Result<std::vector<QueueFigures>> queue_figures() = 0;
  [[nodiscard]] virtual Result<AccountWork> work_of(AccountKey account) = 0;
  // Whether something of the account that started before `at` is not over; true, too, where as many
  // batches wait or are in hand as are looked at, of whomever: there may be others.
  [[nodiscard]] virtual Result<bool> begun_before(AccountKey account, Instant at) = 0;
  [[nodiscard]] virtual Result<std::vector<SetAside>> set_aside(std::int64_t limit) = 0;
};

class WorkWrites {
 public:
  virtual ~WorkWrites() = default;
  // The holder of a suspect is about to make or send its mail, or (false) has come through and lets
  // it wait. conflict: it is not its holder.
  [[nodiscard]] virtual Result<void> mark_begun(const HeldBatch& held, bool begun) = 0;
  // Of a delivery that is sent at most once: the content of this mail is about to go out, or
  // (false) nothing of it went. While it is marked, an outcome ends that; where the lease ends
  // without one, the recipient becomes `unknown`: it may have arrived, and is leased to nobody
  // again. conflict: it is not its holder.
  [[nodiscard]] virtual Result<void> mark_on_its_way(const HeldBatch& held, std::uint32_t seq,
                                                     bool on_its_way) = 0;
  // An operator's word that a recipient which was set aside may be tried again.
  [[nodiscard]] virtual Result<void> offer_set_aside(const RecipientKey& key) = 0;
};

}  // namespace todoku::store
