// SPDX-License-Identifier: Apache-2.0
// The stories of an address in plain words: what was tried when and where, what the receiver said,
// what it means, what to do, and what happens next and when. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "explain/next_step.h"
#include "store/recipients.h"

namespace todoku::explain {

// `stories` newest first, as the store gives them. Ends with a line break. Control characters of
// subjects and replies are made harmless: the text is for terminals.
[[nodiscard]] std::string tell_stories(std::string_view address,
                                       std::span<const store::Story> stories,
                                       const StoryOptions& options);

}  // namespace todoku::explain
