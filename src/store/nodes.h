// SPDX-License-Identifier: Apache-2.0
// Nodes: the processes that work on the store, and the leases that hang on them.
//
//   enter ──> lives ──renew (every 3 s)──> lives ──leave──> gone
//               │ 15 s of the store's time without a renewal
//               v
//            lapsed ──renew──> lives           nobody has taken anything yet: nothing is lost
//               │ void_node, by whoever leads
//               v
//             void ──offer_again──> what it held is due again, for anybody
//
// One row's renewal keeps everything that a node holds: nothing is written per batch.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr Milliseconds kNodeLease = std::chrono::seconds(15);
inline constexpr Milliseconds kRenewEvery = std::chrono::seconds(3);
// Who was declared dead and lives, having stood still or been cut off, tells what became of the
// mails it had begun as soon as it is back. So long after its work was offered again a delivery
// that is stopped meanwhile (course.h) waits for that, before what it had begun is written as
// unknown.
inline constexpr Milliseconds kLateWords = std::chrono::minutes(1);
// nodes.void. Stored as these numbers: never renumber.
enum class NodeEnd : std::uint8_t { none = 0, silent = 1, left = 2, replaced = 3 };
// Octets of the names of a node's sources, each with its end.
inline constexpr std::size_t kSourcesMax = std::size_t{1} << 20U;

struct NewNode {
  std::string name;     // of the place where it runs
  std::string roles;    // for people
  std::string version;  // for people
  // What it goes by of what must be the same in every process, so that a difference is noticed
  // (operate/agreement.h).
  std::string settings;
  // It comes in place of whoever had its name, who is known to be gone and becomes void. Otherwise
  // whoever has the name is another node.
  bool succeeds = true;
  // No other node may live beside it: while the lease of one runs, conflict names that one; others
  // become void with its entering. Who wants to be sure that a clock that leapt has not ended a
  // lease watches first (delivery/policy/sole_watch.h).
  bool alone = false;
};

struct Node {
  NodeKey key{};
  std::string name;
  std::string roles;
  std::string version;
  std::string settings;              // NewNode's
  std::vector<std::string> sources;  // it could send from, and would if nobody else did
  Instant entered{};
  Milliseconds left{};   // of its lease, in the store's time; negative: it has lapsed for so long
  bool is_void = false;  // what it holds is being offered again
};

// What the version before does not know, and would do wrong by: while a process of it lives, mail
// of a sandbox would leave the machine, a list of allowed recipients hold nobody back, codes of a
// template go out as they are written, nobody keep to a pace or quiet hours, keys of the account
// that mails people open something, and a bulk go that nobody has approved. Each process says with
// its node what it knows. On SQLite no two versions work on one store.
enum class Novelty : std::uint8_t {
  sandboxes,
  allowed_recipients,
  templates,
  steering,
  people,
  approvals
};

// A batch as its holder knows it.
struct HeldBatch {
  BatchKey key;
  std::uint64_t token = 0;
  friend auto operator<=>(const HeldBatch&, const HeldBatch&) = default;
};

// A recipient that waits for an operator (work.h says how it comes to that).
struct SetAside {
  RecipientKey key;
  AccountKey account{};
  PublicId delivery_id = 0;
  PublicId email_id = 0;
  std::string address;
  Instant since{};
};

struct OfferedAgain {
  std::int64_t batches = 0;
  bool more = false;                // there are others: call again
  std::vector<SetAside> set_aside;  // recipients: alone in dying nodes' hands too often
  std::int64_t unknown = 0;         // recipients whose mail was on its way and is sent at most once
};

// Of a node that is not void. One that is longer than leases are was given by a clock that was
// ahead of this one, as after a fail-over: who lives renews it, and then it is not.
[[nodiscard]] inline bool lease_runs(const Node& node) {
  constexpr Milliseconds kApart = std::chrono::seconds(1);
  return node.left > Milliseconds(0) && node.left <= kNodeLease + kApart;
}

// Names of sources as they are stored: one a line.
[[nodiscard]] Result<std::string> joined_sources(std::span<const std::string> sources);
[[nodiscard]] std::vector<std::string> split_sources(std::string_view text);

// What is said to who would have to be alone, and is not.
[[nodiscard]] std::string lives_here(const Node& other);
// And where `nodes` that live do not know of `what`: unsupported, with what is to be done.
[[nodiscard]] std::unexpected<Error> not_known_to(std::int64_t nodes, Novelty what);

// What is leased to a node.
struct NodeHolds {
  NodeKey node{};
  std::int64_t batches = 0;
  std::int64_t recipients = 0;  // in no terminal state
};

class NodeReads {
 public:
  virtual ~NodeReads() = default;
  // Those that live, lapsed or are void and still hold something.
  [[nodiscard]] virtual Result<std::vector<Node>> nodes() = 0;
  // Whether every node that lives knows of it. unsupported: not_known_to().
  [[nodiscard]] virtual Result<void> all_know(Novelty what) = 0;
  // Of all that hold something, by key.
  [[nodiscard]] virtual Result<std::vector<NodeHolds>> held_by_nodes() = 0;
  // Which of `held` are not `node`'s any more. For who lapsed, before it goes on.
  [[nodiscard]] virtual Result<std::vector<HeldBatch>> lost_by(NodeKey node,
                                                               std::span<const HeldBatch> held) = 0;
  // What `node` holds, a page of at most `limit`, in one order: on from after `after`. For who
  // wants to know whether it has all of that in hand.
  [[nodiscard]] virtual Result<std::vector<HeldBatch>> held_by(NodeKey node,
                                                               const std::optional<BatchKey>& after,
                                                               std::int64_t limit) = 0;
};

class NodeWrites {
 public:
  virtual ~NodeWrites() = default;
  // A new node with a whole lease. Of several that enter at once, each sees those before it.
  [[nodiscard]] virtual Result<NodeKey> enter_node(const NewNode& node) = 0;
  // A whole lease from now on. conflict if the node is void or gone: enter anew, everything it held
  // is lost.
  [[nodiscard]] virtual Result<void> renew_node(NodeKey node) = 0;
  // From what it could send: others hand over to who has less than its share. conflict if the node
  // is void or gone, invalid_input if a name is none or they are longer than kSourcesMax together.
  [[nodiscard]] virtual Result<void> offer_sources(NodeKey node,
                                                   std::span<const std::string> sources) = 0;
  // Ends in order: what it still holds is offered again, its name is free.
  [[nodiscard]] virtual Result<void> leave_node(NodeKey node) = 0;
  // False if it was renewed meanwhile and lives.
  [[nodiscard]] virtual Result<bool> void_node(NodeKey node) = 0;
  // Offers again what a void node held, at most `limit` batches. When nothing is left, the node is
  // gone.
  [[nodiscard]] virtual Result<OfferedAgain> offer_again(NodeKey node, std::int64_t limit) = 0;
  // Of a node that lives, and has nothing of these in hand though they are its own: the answer that
  // leased them never came. They are due again as if nobody had begun them; who is sent at most
  // once and was marked as on its way becomes `unknown`. What it does not hold by that token is
  // left as it is.
  [[nodiscard]] virtual Result<OfferedAgain> give_back(NodeKey node,
                                                       std::span<const HeldBatch> held) = 0;
};

}  // namespace todoku::store
