// SPDX-License-Identifier: Apache-2.0
// A message that somebody may look at before it is sent must be no key to anything: no signature of
// ours that verifies, no link that unsubscribes or tells of an opening, no return path that takes a
// bounce. All of these follow from the installation's secret and from its DKIM keys; here they are
// made of others of the same length, so that a preview has the very octets that would be sent but
// for these. Pure.
#pragma once

#include <string>

#include "delivery/options.h"

namespace todoku::delivery {

// With another secret, the same for one installation, that nothing opens for and that does not tell
// the real one: ids, boundaries and tokens made of it have the length of real ones.
[[nodiscard]] Options with_dead_secrets(Options options);

// Every signature (b=, RFC 6376 section 3.5) of the DKIM-Signature fields with which `message`
// begins, where ours stand, becomes as many letters A.
void kill_signatures(std::string& message);

}  // namespace todoku::delivery
