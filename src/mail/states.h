// SPDX-License-Identifier: Apache-2.0
// The states of deliveries and recipients, and the one table that maps ours to the contract's
// words (blastengine-api.md sections 2.15 and 3).
//
//   recipient:  pending -> (deferred <->) -> delivered | bounced | dropped | expired |
//                                            cancelled | unknown
//   Terminal states do not change; only delivered -> bounced is allowed, once.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace todoku {

enum class DeliveryType : std::uint8_t { transaction = 1, bulk = 2, smtp = 3 };

// Life cycle: edit -> importing -> edit -> reserve -> wait -> sending -> sent | failed.
// Stored as these numbers: never renumber.
enum class DeliveryStatus : std::uint8_t {
  edit = 1,       // draft
  importing = 2,  // a CSV import runs
  reserve = 3,    // committed, waits for its time
  wait = 4,       // committed, not yet started
  sending = 5,    // recipients are going out
  sent = 6,       // every recipient is in a terminal state
  failed = 7,     // the delivery as a whole was given up, with a reason
};

// Stored as these numbers: never renumber.
enum class RecipientState : std::uint8_t {
  pending = 0,
  deferred = 1,   // tried, will be tried again at its due time
  delivered = 2,  // a receiver's 250: accepted, not read
  bounced = 3,    // refused for good
  dropped = 4,    // never tried: the address is suppressed
  expired = 5,    // temporary failures until its life time ran out
  cancelled = 6,  // the sender withdrew it before it was tried
  unknown = 7,    // at-most-once delivery, connection lost after the mail was written
};

// The order of traffic: transactional overtakes bulk.
enum class TrafficClass : std::uint8_t { transactional = 0, bulk = 1 };

[[nodiscard]] constexpr bool is_terminal(RecipientState state) {
  return state != RecipientState::pending && state != RecipientState::deferred;
}

// Whether a recipient may go from one state to another.
[[nodiscard]] bool may_change(RecipientState from, RecipientState to);

[[nodiscard]] std::string_view to_string(RecipientState state);
[[nodiscard]] std::optional<RecipientState> recipient_state_of(std::string_view word);
[[nodiscard]] std::string_view to_string(DeliveryStatus status);  // lower case, for logs
[[nodiscard]] std::string_view to_string(TrafficClass klass);

// The contract's words. A pending recipient has no log row yet: nullopt.
[[nodiscard]] std::optional<std::string_view> contract_word(RecipientState state);
[[nodiscard]] std::string_view contract_word(DeliveryStatus status);
[[nodiscard]] std::string_view contract_word(DeliveryType type);
[[nodiscard]] std::optional<DeliveryStatus> delivery_status_from_contract(std::string_view word);
[[nodiscard]] std::optional<DeliveryType> delivery_type_from_contract(std::string_view word);

}  // namespace todoku
