// SPDX-License-Identifier: Apache-2.0
// The receiver of the sandbox: how mail of an account for trials ends, told by its address alone.
// Nothing is looked up, nothing leaves the machine.
//
//   local part        end
//   delivered         delivered
//   bounced           bounced: 550 5.1.1, no such mailbox
//   rejected          bounced: 554 5.7.1, the content is refused
//   deferred          deferred at the first attempt (451 4.7.1), delivered at the next
//   soft              expired, with 452 4.2.2, a mailbox that stays full
//   slow              delivered, ten seconds later
//   returned          delivered, and then comes back: bounced
//   complained        delivered, and then its reader calls it spam
//   unsubscribed      delivered, and then its reader leaves
//   opened            delivered, and then it is opened
//   any other         bounced: 550 5.1.1, which names these
//
// "bounced+order-7" is as "bounced". Addresses at other domains: delivered.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "mail/attempt.h"
#include "mail/sandbox.h"

namespace todoku::delivery::policy {

// What happens after a receiver has taken a mail.
enum class SandboxAfter : std::uint8_t { nothing, returned, complained, unsubscribed, opened };

struct SandboxEnd {
  Outcome outcome;
  Milliseconds takes{};  // how long the receiver lets wait for its answer
  SandboxAfter after = SandboxAfter::nothing;
};

// `attempts`: that were made before.
[[nodiscard]] SandboxEnd sandbox_end(std::string_view address, std::uint32_t attempts);
// Of SandboxAfter::returned.
[[nodiscard]] Outcome sandbox_return();
// How mail there went.
[[nodiscard]] Path sandbox_path();

}  // namespace todoku::delivery::policy
