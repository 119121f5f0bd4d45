// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bilingual.h"
#include "mail/attempt.h"
#include "mail/states.h"

namespace todoku::explain {

// When something happened: "at RCPT TO", and "RCPT TO " to put "の段階で" behind.
[[nodiscard]] Sentence stage_words(Stage stage);

// "delivered", and "配送済み (delivered)".
[[nodiscard]] Sentence state_word(RecipientState state);

}  // namespace todoku::explain
