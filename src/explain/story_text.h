// SPDX-License-Identifier: Apache-2.0
// The stories of an address in plain words: what was tried when and where, what the receiver said,
// what it means, what to do, and what happens next and when. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "base/clock.h"
#include "store/recipients.h"

namespace todoku::explain {

struct StoryOptions {
  Language language = Language::english;
  Instant now;
  std::chrono::minutes offset{540};  // of the times shown, east of UTC
  bool engine_running = true;        // else nothing will happen until it is started
  // How long after its start a mail is given up, for saying when.
  std::optional<Milliseconds> transactional_expiry;
  std::optional<Milliseconds> bulk_expiry;
};

// `stories` newest first, as the store gives them. Ends with a line break. Control characters of
// subjects and replies are made harmless: the text is for terminals.
[[nodiscard]] std::string tell_stories(std::string_view address,
                                       std::span<const store::Story> stories,
                                       const StoryOptions& options);

// One line: what happens next with this recipient, and when.
[[nodiscard]] std::string next_step(const store::Story& story, const StoryOptions& options);

// "250 2.0.0 OK", all lines of a reply on one, for people; our own sentence if there was none.
[[nodiscard]] std::string reply_text(const Reply& reply);

}  // namespace todoku::explain
