// SPDX-License-Identifier: Apache-2.0
// Which answers have which cause, as data. The first rule that fits speaks.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "feedback/classify/party.h"
#include "mail/attempt.h"
#include "mail/cause.h"

namespace todoku::feedback::classify {

// A set of stages; empty: any.
class Stages {
 public:
  constexpr Stages() = default;
  constexpr Stages(std::initializer_list<Stage> stages) {
    for (const Stage stage : stages) bits_ |= 1U << static_cast<unsigned>(stage);
  }
  [[nodiscard]] constexpr bool allow(Stage stage) const {
    return bits_ == 0 || (bits_ >> static_cast<unsigned>(stage) & 1U) != 0;
  }

 private:
  std::uint32_t bits_ = 0;
};

struct Codes {
  int low = 0;  // 0: any
  int high = 0;
};

// Conditions left out always hold.
struct Rule {
  Cause cause = Cause::none;
  Stages stages;
  Codes codes;
  int subject = -1;  // of the enhanced status code, whatever its class; -1: any
  int detail = -1;
  std::string_view phrases;       // one of these, see has_phrase()
  std::optional<bool> permanent;  // of findings of our own
  int unless = -1;                // a subject of the enhanced status code that speaks against it
  std::optional<Party> party;     // of whom the words speak
  // The words are said in front of whatever may be the reason, or beside it: "Sender address
  // rejected: TLS required" (Postfix), "TLS is required by your DMARC record".
  bool leaves_the_reason_open = false;
  bool at_begin = false;  // the words begin with the phrase

  // It goes by more than a code, so that it knows the reason.
  [[nodiscard]] constexpr bool is_specific() const {
    return !phrases.empty() || detail >= 0 || party.has_value();
  }

  // It holds only where the words speak of nobody else: see party_of().
  [[nodiscard]] constexpr bool is_about_recipient() const {
    return cause == Cause::mailbox || cause == Cause::mailbox_disabled ||
           cause == Cause::mailbox_full || cause == Cause::bad_address || cause == Cause::moved;
  }
};

// For what a receiver has said. The last rule has no condition.
[[nodiscard]] std::span<const Rule> reply_rules();

// For what was said by nobody, which our own sentence tells: attempts stored without a cause, and
// whoever does not name one. Here `phrases` are what the sentence begins with, after its enhanced
// code, because text of others may come later in it; with '*' in front they may be anywhere. The
// last rule has no condition.
[[nodiscard]] std::span<const Rule> own_rules();

}  // namespace todoku::feedback::classify
