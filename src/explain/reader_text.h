// SPDX-License-Identifier: Apache-2.0
// What a support person can send on to the recipient of a mail: what became of it, and what they
// can do, politely. It names nothing of the inside (hosts, addresses of ours, keys, the receiver's
// words) and nobody but the recipient and the sender. Pure.
#pragma once

#include <string>

#include "explain/next_step.h"
#include "store/recipients.h"

namespace todoku::explain {

// Several paragraphs; ends with a line break. Control characters of the subject are made harmless.
// Empty: of a draft and of what is reserved its recipient is told nothing.
[[nodiscard]] std::string reader_text(const store::Story& story, const StoryOptions& options);

}  // namespace todoku::explain
