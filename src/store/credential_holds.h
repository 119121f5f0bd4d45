// SPDX-License-Identifier: Apache-2.0
// Holding a credential of the SMTP relay, and releasing it (docs/adr/0029): one row, and one event
// that tells its owner. From its commit on nothing of what it handed in is leased.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::store {

// `credential` is from hold_smtp_credential() of the same transaction, and is what it has become
// afterwards. False: it is held already, for what was said then. `because`: what its owner is told;
// its first kHeldBecauseMax octets are kept. Errors: those of change_smtp_credential().
[[nodiscard]] Result<bool> hold_credential(WriteTransaction& writer, SmtpCredential& credential,
                                           std::string_view because, Instant now);
// Likewise. False: it is not held.
[[nodiscard]] Result<bool> release_credential(WriteTransaction& writer, SmtpCredential& credential,
                                              Instant now);

}  // namespace todoku::store
