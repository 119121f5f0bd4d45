// SPDX-License-Identifier: Apache-2.0
// What happens in the sandbox after a mail was taken: it comes back, is opened, its reader
// complains or leaves. Told to the store as the real thing, but nobody's address is stopped by it:
// the same trial can be made again.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "delivery/policy/sandbox.h"
#include "store/store.h"

namespace todoku::delivery::courier {

// After the mail's outcome is committed. Errors: those of the store.
[[nodiscard]] Task<Result<void>> tell_sequel(store::Store& store, store::AccountKey account,
                                             store::RecipientKey mail, policy::SandboxAfter after);

}  // namespace todoku::delivery::courier
