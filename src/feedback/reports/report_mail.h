// SPDX-License-Identifier: Apache-2.0
// Reports in what somebody hands over: a report as it is, a message that carries it as an
// attachment (RFC 7489 section 7.2.1.1, RFC 8460 section 5.3), or a file of messages (mbox).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::feedback::reports {

// Of what is handed over: a report of the largest size, in base64 and with what is around it.
inline constexpr std::size_t kHandedOverMax = std::size_t{24} << 20U;
inline constexpr std::size_t kMessagesMax = 500;  // of a file
inline constexpr std::size_t kReportsOfMessageMax = 8;

// A report as it was attached, for open_report().
struct HandedOver {
  std::string name;  // of the file; of a message, its attachment's; may be empty
  std::string octets;
};

// An mbox as its messages, without the lines that part them and without empty ones; else all of it
// as one. The first `at_most`.
[[nodiscard]] std::vector<std::string_view> messages_in(std::string_view octets,
                                                        std::size_t at_most = kMessagesMax + 1);

// Header fields are at its beginning.
[[nodiscard]] bool is_message(std::string_view octets);

// What looks like a report in a message, its transfer encoding undone, also in messages that are
// attached to it; what is no message is itself one. Errors: invalid_input (the message carries
// none), limit_exceeded (kHandedOverMax, kReportsOfMessageMax).
[[nodiscard]] Result<std::vector<HandedOver>> reports_in(std::string_view octets,
                                                         std::string_view name);

}  // namespace todoku::feedback::reports
