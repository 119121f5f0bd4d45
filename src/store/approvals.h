// SPDX-License-Identifier: Apache-2.0
// The word of a second person before a bulk goes (docs/approval.md,
// docs/adr/0045-a-bulk-that-waits-for-approval.md).
//
//   commit_draft ──> waiting ──approve──> approved ──start──> (the row stays, as who said so)
//                      │  ^                  │
//                      │  └──── a change ────┘    of time, pace, quiet hours or recipients
//                      ├──send back──> sent_back  the delivery is a draft again
//                      ├──lapses────── lapsed     the delivery fails
//                      └──cancelled, deleted──> over
//
// While it waits, `agenda` of the delivery is when that lapses: what is not approved by then is met
// by whoever looks for deliveries to start, and by nobody before. start_delivery() refuses besides
// whatever has a row that is not approved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class ApprovalState : std::uint8_t {
  waiting = 1,
  approved = 2,
  sent_back = 3,
  lapsed = 4,
  over = 5,
};

// Of a bulk that is committed without a time: so long. Of another one: until its time.
inline constexpr Milliseconds kApprovalLife = std::chrono::days(7);
inline constexpr std::size_t kApprovalReasonMax = 500;  // characters

// Who hands something in, or changes it.
struct AskedBy {
  // As the audit names them: "api key 7", "person 3 (sato@example.jp)"; empty: the engine itself.
  std::string actor;
  // Whose doing that is: who is signed in, or who made the key; 0: nobody knows.
  PersonKey person{};
  friend bool operator==(const AskedBy&, const AskedBy&) = default;
};

struct Approval {
  DeliveryKey delivery{};
  AccountKey account{};
  ApprovalState state = ApprovalState::waiting;
  // What is approved is approved as it is now: each change makes another one.
  std::int64_t revision = 1;
  AskedBy asked_by;  // who committed it, or changed it last
  Instant asked{};
  Instant lapses{};
  AskedBy decided_by;  // of approved and sent_back
  std::optional<Instant> decided;
  std::string reason;  // of sent_back
  friend bool operator==(const Approval&, const Approval&) = default;
};

// Who would decide about one.
struct Approver {
  AskedBy who;
  bool may_send = false;
  bool in_charge = false;  // owns the account, or operates the installation
};

// Why somebody may not decide.
enum class MayNotDecide : std::uint8_t {
  not_signed_in,  // a program, whoever gave it its key
  no_right,       // to send
  own,            // committed or changed it last, in person
  own_key,        // by a key of theirs
  unknown_maker,  // by a key that does not say whose it is: whoever is in charge may
};
[[nodiscard]] std::optional<MayNotDecide> may_not_decide(const Approval& approval,
                                                         const Approver& approver);

// What is decided, of the revision that was looked at.
struct Decision {
  std::int64_t revision = 0;
  AskedBy by;
  std::string reason = {};
};

// conflict: it waits no longer, or is another revision by now, or is the decider's own.
[[nodiscard]] std::unexpected<Error> not_as_it_waits();

class ApprovalReads {
 public:
  virtual ~ApprovalReads() = default;
  // nullopt: none was ever asked for.
  [[nodiscard]] virtual Result<std::optional<Approval>> approval(DeliveryKey key) = 0;
  // Those that wait, at most `limit`; what lapses first comes first.
  [[nodiscard]] virtual Result<std::vector<Approval>> approvals_waiting(AccountKey account,
                                                                        std::int64_t limit) = 0;
};

// commit_draft() asks for one, where the rules of the account do (people.h).
class ApprovalWrites {
 public:
  virtual ~ApprovalWrites() = default;
  // It goes at its time, or now. not_as_it_waits().
  [[nodiscard]] virtual Result<void> approve(DeliveryKey key, const Decision& decision) = 0;
  // It is a draft again. not_as_it_waits().
  [[nodiscard]] virtual Result<void> send_back(DeliveryKey key, const Decision& decision) = 0;
  // What was or is to be approved has changed: it waits (again), as another revision. `by`: who
  // changed it; nullopt: nobody who asks for it to go. Of a delivery that has begun, or of which
  // nothing was asked: nothing happens.
  [[nodiscard]] virtual Result<void> void_approval(DeliveryKey key,
                                                   const std::optional<AskedBy>& by) = 0;
  // Nobody has approved it in time; the caller fails the delivery. conflict: it is not so.
  [[nodiscard]] virtual Result<void> lapse_approval(DeliveryKey key) = 0;
  // It has begun elsewhere, or is given up: it waits no more, whoever was to approve it.
  [[nodiscard]] virtual Result<void> settle_approval(DeliveryKey key) = 0;
};

}  // namespace todoku::store
