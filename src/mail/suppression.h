// SPDX-License-Identifier: Apache-2.0
// Whom mail is not sent to, and which mail: the vocabulary of suppression lists and the one rule of
// what an entry stops.
//
//   scope            stops
//   all              everything
//   advertisements   mail whose purpose is advertisement
//   list             mail of that list, unless its purpose is transactional
//
// A hard error stops everything. An opt-out or a complaint never has the scope `all`: a password
// reset is always sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/attempt.h"
#include "mail/labels.h"

namespace todoku {

// Stored as these numbers: never renumber.
enum class StopReason : std::uint8_t {
  hard_error = 1,
  complaint = 2,
  unsubscribe = 3,
  manual = 4,
  imported = 5,
};
inline constexpr std::uint8_t kStopReasons = 5;

// Stored as these numbers: never renumber.
enum class StopScope : std::uint8_t { all = 1, advertisements = 2, list = 3 };

[[nodiscard]] std::string_view to_string(StopReason reason);
[[nodiscard]] std::string_view to_string(StopScope scope);
[[nodiscard]] std::optional<StopReason> parse_stop_reason(std::string_view word);
[[nodiscard]] std::optional<StopScope> parse_stop_scope(std::string_view word);

// The recipient said so themselves: it has no expiry, and is not taken back without a reason.
[[nodiscard]] constexpr bool is_opt_out(StopReason reason) {
  return reason == StopReason::unsubscribe || reason == StopReason::complaint;
}

// Whether an entry of this scope stops such a mail. `purpose` is never by_type.
[[nodiscard]] constexpr bool stops(StopScope scope, std::string_view of_list, Purpose purpose,
                                   std::string_view list_id) {
  switch (scope) {
    case StopScope::all:
      return true;
    case StopScope::advertisements:
      return purpose == Purpose::advertisement;
    case StopScope::list:
      return purpose != Purpose::transactional && !of_list.empty() && of_list == list_id;
  }
  return false;
}

// What entries are kept and asked by: the lower-case local part and the A-label domain
// ("user@xn--wgv71a.jp"), or all addresses of exactly this domain ("@xn--wgv71a.jp").
// `text`: an address, a domain, or a domain with an @ before it; what is invisible around it is
// taken off. Errors: invalid_input, a clause.
[[nodiscard]] Result<std::string> stop_subject(std::string_view text);
// Of an address in the form of Address::to_string().
[[nodiscard]] std::string subject_of_address(std::string_view canonical);
// "@domain" of such a subject.
[[nodiscard]] std::string_view domain_subject(std::string_view subject);

// The code of the contract's 554(errors) (blastengine-api.md section 3.2).
inline constexpr int kSuppressedCode = 554;
// What becomes of a mail that an entry stops.
[[nodiscard]] Outcome dropped_for(StopReason reason);

}  // namespace todoku
